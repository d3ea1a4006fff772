"""SIP without I/O: messages, transactions, dialogs and call legs, as RFC 3261 names them.

Machines take bytes, sources and `now`, and return effects; `server.net.stack` is what carries them out.
"""
