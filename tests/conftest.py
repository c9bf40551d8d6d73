"""What all tests share.

One thread for the linear algebra of their own, where oracles factor dense matrices; more threads only wait for each
other. What the package computes takes one by itself (test_threads.py). And no test asserts a time: Hypothesis has no
deadline, which a busy machine would miss.
"""

import os

from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("sessionwise", deadline=None)
settings.load_profile("sessionwise")
