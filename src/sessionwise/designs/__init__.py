"""Design: the columns a model needs, as one matrix with names and roles, and which rows were dropped and why.

In: a Panel and a formula. Out: a Design, from which a Gram is taken (`gram(design.columns, design.starts,
design.persons)`). Variables are computed on the whole Panel first, so that person means and lags use every
session; then rows with a missing value are dropped and counted; then categories, splines and centring learn
from the rows that are left.
"""

from __future__ import annotations

from .build import design, means_of_somebody, partial_design
from .coding import Factor
from .design import Design, Dropped, Grouping, PartialDesign, RandomColumns, TermColumns

__all__ = [
    "Design",
    "Dropped",
    "Factor",
    "Grouping",
    "PartialDesign",
    "RandomColumns",
    "TermColumns",
    "design",
    "means_of_somebody",
    "partial_design",
]
