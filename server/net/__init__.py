"""The only rooms with sockets, and their in-memory twin for tests and virtual time."""
