"""Diagram: what a path diagram holds, as plain numbers, whichever program they came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrow:
    """A regression of a variable at one wave on a variable at the wave before, or on the other one at the same wave.

    estimate, low, high : coefficient and interval. significant : default whether the interval excludes zero.
    standardised : standardised coefficient, for the width of the arrow; default the estimate.
    """

    from_variable: str
    from_wave: str
    to_variable: str
    to_wave: str
    estimate: float
    low: float
    high: float
    significant: bool | None = None
    standardised: float | None = None

    @property
    def clear(self) -> bool:
        """Whether it is drawn solid."""
        return self.low * self.high > 0 if self.significant is None else self.significant


@dataclass(frozen=True, slots=True)
class Correlation:
    """Between the two variables at a wave: of what is within persons at the first, of residuals at later ones."""

    wave: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intercepts:
    """Random intercepts: variances in the order of the variables, and their correlation with its interval."""

    variances: tuple[float, float]
    correlation: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class PathDiagram:
    """What is drawn.

    variables : names of the two. waves : labels in order, two or more. arrows, correlations : see there; any may be
    left out. intercepts : None for a model without them. level : of the intervals.
    """

    variables: tuple[str, str]
    waves: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    correlations: tuple[Correlation, ...] = ()
    intercepts: Intercepts | None = None
    level: float = 0.95
