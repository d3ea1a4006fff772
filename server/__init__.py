"""The doors, the switch, the store and the composition root: the top floor of the server."""
