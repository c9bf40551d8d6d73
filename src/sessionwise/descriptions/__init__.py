"""What is in the data before any model: sample, drop-out, missing values, variance within and between, reliability."""

from .description import Description, describe
from .missing import missingness
from .reliability import Reliability, reliability
from .sample import drop_out
from .variance import variance_components

__all__ = ["Description", "Reliability", "describe", "drop_out", "missingness", "reliability", "variance_components"]
