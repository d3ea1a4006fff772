"""What a telephone does for everybody without a licence: forwarding by kind and by who calls."""
