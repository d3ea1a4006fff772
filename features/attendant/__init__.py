"""The Auto Attendant: a greeting, a menu of digits, and a transfer (L-16, L-32, L-71)."""
