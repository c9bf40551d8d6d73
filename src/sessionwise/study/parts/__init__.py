"""Parts: what a study finds out, one file a part of the result."""
