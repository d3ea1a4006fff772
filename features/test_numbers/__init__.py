"""Numbers that answer by themselves, for trying a telephone; they need no licence and no channel."""
