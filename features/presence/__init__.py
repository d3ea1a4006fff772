"""Presence and messages between people: who may watch and write to `sip:NAME`."""
