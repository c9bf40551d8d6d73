"""What all tests share: one thread of linear algebra, as on the command line; threads of small matrices only wait."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
