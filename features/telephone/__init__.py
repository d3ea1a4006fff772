"""What a telephone does for everybody without a licence: forwarding, do not disturb, call waiting."""
