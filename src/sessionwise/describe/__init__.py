"""What is in the data before any model: sample, drop-out, missing values, variance within and between, reliability."""

from ._description import Description, describe
from ._missing import missingness
from ._reliability import Reliability, reliability
from ._sample import drop_out
from ._variance import variance_components

__all__ = ["Description", "Reliability", "describe", "drop_out", "missingness", "reliability", "variance_components"]
