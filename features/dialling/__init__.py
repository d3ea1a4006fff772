"""Numbers as they are dialled, written for a trunk, and shown: one number in its several forms."""
