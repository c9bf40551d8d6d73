"""LOO: how well a fit predicts the scores of a person who was left out (Vehtari, Gelman & Gabry 2017).

Of a whole person, not of a score: the person's levels and own coefficients are integrated out, as they would be for
somebody new (Merkle, Furr & Rabe-Hesketh 2019).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ...errors import ModelError
from ...panel.frame_kind import TableKind
from ...show import Grid, Part, Shown, plain, progress
from ...words import counted, num
from .on_grid import OnGrid, own_grid
from .parameters import parameters, spaced
from .person_likelihood import log_likelihoods
from .psis import reliable_below, smoothed

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit

#: Persons whose k is shown, from the largest.
SHOWN = 5


@dataclass(frozen=True, eq=False)
class LOO(Shown):
    """Leave one person out.

    title : of the fit. persons : labels. elpd_persons, p_persons, k : (persons,) expected log predictive density of the
    person's scores, in the data's units; how much lower that is than with the person in the fit; shape of the Pareto
    distribution of the importance weights. draws : of the posterior that were used. reliable_below : k up to which
    a person's number can be relied on. good : whether the fit's verdict is. data : what the scores were, as a digest.
    """

    title: str
    persons: np.ndarray
    elpd_persons: np.ndarray
    p_persons: np.ndarray
    k: np.ndarray
    draws: int
    reliable_below: float
    good: bool
    data: str = field(repr=False)
    kind: TableKind = field(repr=False)
    person: str = "person"

    @property
    def elpd(self) -> float:
        """The sum over persons."""
        return float(self.elpd_persons.sum())

    @property
    def se(self) -> float:
        """Of `elpd`, over persons."""
        return float(np.sqrt(len(self.persons)) * self.elpd_persons.std(ddof=1))

    @property
    def p_loo(self) -> float:
        """The effective number of parameters."""
        return float(self.p_persons.sum())

    @property
    def unreliable(self) -> list[Any]:
        """Labels of persons whose k is too large."""
        return list(self.persons[self.k > self.reliable_below].tolist())

    def tidy(self) -> Any:
        """One row a person: elpd, p_loo, k."""
        return self.kind.table(
            {
                self.person: self.persons.tolist(),
                "elpd": self.elpd_persons.tolist(),
                "p_loo": self.p_persons.tolist(),
                "k": self.k.tolist(),
            }
        )

    def difference(self, other: LOO) -> LOODifference:
        """How much better this fit predicts a person who was left out than another fit of the same scores.

        Raises
        ------
        ModelError : no LOO, or scores that are not the same.
        """
        if not isinstance(other, LOO):
            raise ModelError(f"a {type(other).__name__} is no LOO.", remedy="Give what `loo` of another fit returned.")
        if self.data != other.data:
            raise ModelError(
                "The two fits are not of the same scores, so their predictions cannot be compared.",
                where=other.title,
                remedy="Fit both models to one Panel, with the same variables.",
            )
        each = self.elpd_persons - other.elpd_persons
        unsure = len({*self.unreliable, *other.unreliable})
        se = float(np.sqrt(len(each)) * each.std(ddof=1))
        return LOODifference((self.title, other.title), float(each.sum()), se, len(each), unsure)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text; unknown is None."""
        return {
            "title": self.title,
            "elpd": self.elpd,
            "se": self.se,
            "p_loo": self.p_loo,
            "draws": self.draws,
            "k_reliable_below": self.reliable_below,
            "k_too_large": plain(self.unreliable),
        }

    def parts(self) -> list[Part]:
        """What is shown: the sum, what the weights say, persons with the largest k."""
        beyond = len(self.unreliable)
        said = (
            f"Pareto k is below {self.reliable_below:.2f} for all {counted(len(self.persons), 'person')}: the weights "
            "are reliable."
            if not beyond
            else f"(!) Pareto k is above {self.reliable_below:.2f} for {counted(beyond, 'person')}: "
            "what is said of them may be too good; these persons shape the fit, so look at their scores."
        )
        worst = np.argsort(-self.k)[: max(SHOWN, 0)]
        rows = tuple((str(self.persons[i]), num(self.elpd_persons[i]), f"{self.k[i]:.2f}") for i in worst)
        shown: list[Part] = [
            f"Leaving one person out: elpd {self.elpd:,.1f} (SE {self.se:.1f}), p_loo {self.p_loo:.1f}",
            self.title,
            said,
            Grid("Persons with the largest Pareto k", (self.person, "elpd", "k"), rows),
            f"From {self.draws} draws; each person's level and own effects are integrated out.",
        ]
        if not self.good:
            shown.append("(!) The fit's verdict says that its numbers are not to be relied on.")
        return shown


@dataclass(frozen=True, slots=True)
class LOODifference(Shown):
    """titles : of the first and the second fit. elpd : of the first less that of the second. se : over persons.
    unsure : persons whose k is too large in one of them."""

    titles: tuple[str, str]
    elpd: float
    se: float
    persons: int
    unsure: int

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {"titles": list(self.titles), "elpd_difference": self.elpd, "se": self.se, "unsure": self.unsure}

    def parts(self) -> list[Part]:
        """What is shown: the difference, and what it means."""
        better = "first" if self.elpd > 0 else "second"
        if abs(self.elpd) < 4:
            meaning = "The fits predict equally well: a difference below 4 is small, whatever its SE."
        elif abs(self.elpd) < 2 * self.se:
            meaning = f"The {better} fit predicts better by less than two SEs: the data do not tell which is better."
        else:
            meaning = f"The {better} fit predicts persons better who were left out."
        shown: list[Part] = [
            f"Difference in elpd: {self.elpd:,.1f} (SE {self.se:.1f}), {counted(self.persons, 'person')}",
            *(f"({i}) {title}" for i, title in enumerate(self.titles, 1)),
            meaning,
        ]
        if self.unsure:
            shown.append(f"(!) Pareto k is too large for {counted(self.unsure, 'person')} in one of the fits.")
        return shown


def loo(fit: DSEMFit, panel: Panel, draws: int) -> LOO:
    """See `DSEMFit.loo`."""
    must_be_independent(fit)
    grid = own_grid(fit, panel)
    which = spaced(draws, fit.reported.draws.shape[0] * fit.reported.draws.shape[1])
    with progress("likelihood of persons") as told:
        likelihoods = log_likelihoods(fit, grid, parameters(fit, which), told)
    weights, k = smoothed(-likelihoods)
    elpd = special.logsumexp(likelihoods + weights, axis=0)
    inside = special.logsumexp(likelihoods, axis=0) - np.log(len(which))
    return LOO(
        fit.title,
        grid.persons,
        elpd,
        inside - elpd,
        k,
        len(which),
        reliable_below(len(which)),
        bool(fit.verdict),
        _digest(fit, grid),
        fit.kind,
        fit.person,
    )


def must_be_independent(fit: DSEMFit) -> None:
    """What ties persons together, or is of a person and no score, has no part in the likelihood of a person's scores.

    Raises
    ------
    ModelError : clusters or outcomes.
    """
    for option, why in (
        ("clusters", "persons of one cluster are not independent of each other"),
        ("outcomes", "a person's outcomes tell of the person's scores"),
    ):
        if getattr(fit.model, option):
            raise ModelError(
                f"One person cannot be left out where {why}.",
                where=fit.title,
                remedy=f"Fit the model without {option} to compare it with others.",
            )


def _digest(fit: DSEMFit, grid: OnGrid) -> str:
    """Of persons, session numbers and scores, whatever the order of the variables."""
    names = fit.model.paths.variables
    seen = ~np.isnan(grid.values).all(axis=1)
    values = grid.values * fit.kept.sd + fit.kept.centre
    person = np.repeat(np.arange(len(grid.persons)), np.diff(grid.starts))
    sha = hashlib.sha256(repr((sorted(names), grid.persons.tolist())).encode())
    sha.update(np.ascontiguousarray(np.column_stack([person, grid.session + fit.kept.first])[seen]).tobytes())
    for k in sorted(range(len(names)), key=lambda k: names[k]):
        sha.update(np.array([f"{v:.9g}" for v in values[seen, k]]).tobytes())
    return sha.hexdigest()
