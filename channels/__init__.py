"""What a call occupies and what flows through it: pools, leases, the media plane, the session verbs."""
