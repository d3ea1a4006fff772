"""The softphones `sip:NAME` and `sip:NAME+mobile`: Office Plus is asked at REGISTER, INVITE and before they ring."""
