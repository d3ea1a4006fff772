"""Webhooks: events of the server, told to others by HTTP: signed, in order, and again until they are heard."""
