"""Voicemail: a caller leaves a message in a user's box; the user listens to it by telephone (L-34, L-46, L-47)."""
