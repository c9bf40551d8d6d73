"""Equation: the formulas of one direction, from the null model to moderators.

Predictor at session t - lag -> response at session t, holding constant the response at t - lag and, on request, the
predictor at t. Lagged values are deviations from the person's own mean of the lags that the
person has, `within(lag(x))`: these sum to zero in each person, so that nothing that stays the same in a person can
stand in for them (with raw lagged responses a random intercept does).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

#: A random slope takes the predictor from here.
Centring = Literal["mean", "own line"]
#: The course that all persons share: a level for each session number, a smooth curve, a line, a parabola.
Course = Literal["steps", "spline", "linear", "quadratic"]


@dataclass(frozen=True, slots=True)
class Equation:
    """One direction. Names are columns; cluster is None where there is no such level.

    covariates : terms.
    same_session : whether the predictor at the response's session is held constant.
    course : of all persons, None for none. knots : session numbers at which pieces of a smooth curve meet.
    centring : deviations from the person's mean, or from the person's own line over sessions.
    """

    response: str
    predictor: str
    lag: int
    same_session: bool
    covariates: tuple[str, ...]
    course: Course | None
    person: str
    session: str
    cluster: str | None
    centring: Centring = "mean"
    knots: tuple[float, ...] = ()

    # --- terms, as the formula and a fit call them ----------------------------------------------

    @property
    def within(self) -> str:
        return self._deviation(self._lagged(self.predictor))

    @property
    def previous(self) -> str:
        return self._deviation(self._lagged(self.response))

    @property
    def same(self) -> str:
        return self._deviation(quoted(self.predictor))

    @property
    def between(self) -> str:
        return f"between({quoted(self.predictor)})"

    @property
    def time(self) -> tuple[str, ...]:
        """Terms of the course in a growth model."""
        return course_terms(self.course, quoted(self.session), self.knots)

    @property
    def time_within(self) -> tuple[str, ...]:
        """Terms of the course beside deviations. A line is of deviations too, so that short and long treatments do not
        mix in."""
        if self.free:
            return self.time
        if self.centring == "own line":
            return (quoted(self.session),)
        return tuple(f"within({term})" for term in self.time)

    @property
    def free(self) -> bool:
        """Whether the course may have any shape."""
        return self.course in ("steps", "spline")

    # --- formulas -------------------------------------------------------------------------------

    def null(self) -> str:
        return self._formula(("1",), "1")

    def growth(self) -> str:
        return self._formula(self.time, f"1 + {quoted(self.session)}")

    def rows(self) -> str:
        """The scores alone: which sessions can be used."""
        scores = replace(self, covariates=(), course=None)
        return f"{quoted(self.response)} ~ {' + '.join(scores._predictors(self.within))}"

    def effect(self) -> str:
        """All persons have the same within effect."""
        return self._formula(self._predictors(self.within), self._random())

    def slope(self) -> str:
        """Persons differ in the within effect."""
        return self._formula(self._predictors(self.within), f"{self._random()} + {self.within}")

    def moderator(self, name: str) -> str:
        """The within effect, and the level, depend on a characteristic of persons."""
        return self._formula(self._predictors(f"{self.within} * {quoted(name)}"), f"{self._random()} + {self.within}")

    def without_cluster(self) -> Equation:
        return replace(self, cluster=None)

    @property
    def needed(self) -> tuple[str, ...]:
        """Terms without which the question is not answered."""
        return (self.previous, self.within, *((self.same,) if self.same_session else ()))

    def _predictors(self, effect: str) -> tuple[str, ...]:
        same = (self.same,) if self.same_session else ()
        return (self.previous, effect, *same, self.between, *self.time_within, *self.covariates)

    def _random(self) -> str:
        return f"1 + {quoted(self.session)}" if self.centring == "own line" else "1"

    def _formula(self, fixed: tuple[str, ...], random: str) -> str:
        cluster = f" + (1 | {quoted(self.cluster)})" if self.cluster else ""
        return f"{quoted(self.response)} ~ {' + '.join(fixed)} + ({random} | {quoted(self.person)}){cluster}"

    def _deviation(self, x: str) -> str:
        return f"detrend({x})" if self.centring == "own line" else f"within({x})"

    def _lagged(self, name: str) -> str:
        return f"lag({quoted(name)})" if self.lag == 1 else f"lag({quoted(name)}, k={self.lag})"


def course_terms(course: Course | None, session: str, knots: tuple[float, ...]) -> tuple[str, ...]:
    """Terms of a course over the (quoted) session number. A smooth curve is a cubic spline: powers of the session, and
    from each knot on those of what is beyond it."""
    if course == "steps":
        return (f"C({session})",)
    power = {None: 0, "linear": 1, "quadratic": 2, "spline": 3}[course]
    powers = tuple(session if k == 1 else f"I({session}^{k})" for k in range(1, power + 1))
    beyond = tuple(f"I(({session} > {at:g}) * ({session} - {at:g})^3)" for at in knots)
    return powers + beyond if course == "spline" else powers


def quoted(name: str) -> str:
    """A column's name as a formula writes it."""
    import re

    return name if re.fullmatch(r"[^\W\d][\w.]*", name) else f"`{name}`"
