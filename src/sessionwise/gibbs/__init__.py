"""The dynamic model's engine: arrays in, draws out. Names and words are the model's (models.dsem)."""
