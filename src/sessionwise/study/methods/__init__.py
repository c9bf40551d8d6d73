"""Methods: both directions by every method, side by side, and whether they agree."""
