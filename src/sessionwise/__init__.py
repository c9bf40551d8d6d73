"""sessionwise."""
