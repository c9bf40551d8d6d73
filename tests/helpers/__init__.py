"""What several tests share. Pytest puts `tests` on the path (pyproject.toml): any test says `from helpers ...`."""
