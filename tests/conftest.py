"""What all tests share: one thread for the linear algebra of their own, where oracles factor dense matrices; more
threads only wait for each other. What the package computes takes one by itself (test_threads.py)."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
