"""Scripted telephones: real SIP and RTP, driven by a test, the demonstration, or a load."""
