"""python -m bench.multilevel.once FILE NUMBER: one whole fit in a process of its own; prints its ru_maxrss."""

from __future__ import annotations

import resource
import sys

import sessionwise as sw

from .model import MODELS
from .peers import ours

if __name__ == "__main__":
    with ours.ready(sw.read(sys.argv[1]), MODELS[int(sys.argv[2])]) as ready:
        ready.fit()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
