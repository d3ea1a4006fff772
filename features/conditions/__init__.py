"""Conditions on a call: when, from whom, to whom; attendants and boxes choose by them what a caller hears."""
