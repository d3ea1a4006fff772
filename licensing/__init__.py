"""Who may use what: pure values and functions, without I/O, clock or asyncio."""
