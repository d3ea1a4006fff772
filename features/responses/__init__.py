"""How a call is answered for which no channel is free (W-10): by default, or as other systems do."""
