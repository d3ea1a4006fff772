"""Parking: a call waits in a slot, and is taken from any telephone."""
