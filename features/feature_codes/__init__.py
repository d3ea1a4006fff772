"""Feature codes: what a telephone dials to have something done, instead of to reach somebody."""
