"""Timings beside peers, in one run on one machine: `make bench`. Ratios and medians, no verdict.

`python -m bench.calls` counts who calls whom between the parts of the package.
"""
