"""Timings beside peers, in one run on one machine: `make bench`. Ratios and medians, no verdict."""
