"""The course to be expected of a patient: learned from a reference sample, saved without its rows, used elsewhere."""

from .description import ExpectedCourse
from .learned import LearnedCourse
from .saved import read_course
from .tracked import STATUSES, TrackedCourse
from .validated import Rate, ValidatedCourse

__all__ = ["STATUSES", "ExpectedCourse", "LearnedCourse", "Rate", "TrackedCourse", "ValidatedCourse", "read_course"]
