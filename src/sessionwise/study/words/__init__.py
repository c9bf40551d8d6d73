"""Words: a study's result in sentences."""
