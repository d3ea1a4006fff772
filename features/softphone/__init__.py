"""The softphone `sip:NAME`: Office Plus is asked for at REGISTER, at INVITE and before it rings."""
