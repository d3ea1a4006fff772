"""Emergency numbers: a built-in answering point that no licence and no channel can refuse."""
