"""The demonstration: real calls in the sample company, and what came of them."""
