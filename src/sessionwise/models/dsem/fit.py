"""DSEMFit: what came out of a dynamic structural equation model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError, nearest, some
from ...findings import Findings
from ...gibbs.diagnostics import Convergence
from ...options import A_LEVEL, A_NAME, A_SEED, PANEL, a_number, takes, valid_level, whole_number
from ...panel.frame_kind import TableKind
from ...show import Part, plain
from ...threads import one_thread
from ..contract import Fit, LaggedEffect, Verdict
from .dynamics import impulse_responses, long_run, net_effects, standardised_scale
from .kept import Kept
from .reported import Effects, Reported

if TYPE_CHECKING:
    from ...panel import Panel
    from .loo import LOO
    from .model import DSEM
    from .predictive_checks import PredictiveChecks
    from .prior_sensitivity import PriorSensitivity


@dataclass(frozen=True, repr=False, eq=False)
class DSEMFit(Fit):
    """Draws from the posterior, in the data's units, and what they say.

    verdict : good only where R-hat < 1.01 and effective draws are enough for everything that is reported.
    reported : names, kinds and draws (chains, kept, names) of all parameters. convergence : of each.
    persons : labels. person_means, person_sds : (persons, effects) posterior means and SDs of random effects, columns
    by `effects.names`. person_draws : (draws, persons, effects), some of them; person_at : (draws,) which of all
    draws, chain after chain, each of them belongs to. within_sd : of each variable, SD of deviations from person means.
    seed : that was given. kept : how a Panel comes to stand on the fit's grid.
    """

    model: DSEM
    verdict: Verdict
    findings: Findings
    reported: Reported
    convergence: Convergence
    effects: Effects
    persons: np.ndarray
    person_means: np.ndarray
    person_sds: np.ndarray
    person_draws: np.ndarray
    within_sd: Mapping[str, float]
    observations: int
    error_said: str
    seed: int
    kind: TableKind = field(repr=False)
    kept: Kept = field(repr=False)
    person_at: np.ndarray = field(repr=False)
    person: str = "person"

    @property
    def label(self) -> str:
        return self.model.label

    @property
    def title(self) -> str:
        return self.model.title

    @property
    def nobs(self) -> int:
        return self.observations

    @property
    def npersons(self) -> int:
        return len(self.persons)

    @takes(ModelError, name=A_NAME)
    def draws(self, name: str) -> np.ndarray:
        """(chains, kept) of one parameter, in the data's units.

        Raises
        ------
        ModelError : no such parameter.
        """
        if name not in self.reported.names:
            raise ModelError(
                f"There is no parameter {name!r}.{nearest(name, self.reported.names)}",
                where=self.title,
                remedy=f"Use one of {some(self.reported.names)}.",
            )
        return self.reported[name]

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return self._summary(0.95)

    def _summary(self, level: float) -> list[dict[str, Any]]:
        flat = self.reported.draws.reshape(-1, len(self.reported.names))
        half = (1 - level) / 2
        median, low, high = np.quantile(flat, [0.5, half, 1 - half], axis=0)
        sd = flat.std(axis=0, ddof=1)
        return [
            {
                "term": name,
                "kind": self.reported.kinds[j],
                "estimate": float(median[j]),
                "sd": float(sd[j]),
                "low": float(low[j]),
                "high": float(high[j]),
                "rhat": float(self.convergence.rhat[j]),
                "ess_bulk": float(self.convergence.bulk[j]),
                "ess_tail": float(self.convergence.tail[j]),
            }
            for j, name in enumerate(self.reported.names)
        ]

    @takes(ModelError, level=A_LEVEL)
    def tidy(self, level: float = 0.95) -> Any:
        """One row a parameter: term, kind, estimate (median), sd, low, high (quantiles), rhat, ess_bulk, ess_tail."""
        rows = self._summary(valid_level(level))
        return self.kind.table({key: [row[key] for row in rows] for key in rows[0]})

    @takes(ModelError, level=A_LEVEL)
    def persons_table(self, level: float = 0.95) -> Any:
        """One row a person and random effect: mean, sd, low, high of its posterior."""
        half = (1 - valid_level(level)) / 2
        low, high = np.quantile(self.person_draws, [half, 1 - half], axis=0)
        n, q = self.person_means.shape
        return self.kind.table(
            {
                self.person: np.repeat(self.persons, q).tolist(),
                "effect": list(self.effects.names) * n,
                "mean": self.person_means.ravel().tolist(),
                "sd": self.person_sds.ravel().tolist(),
                "low": low.ravel().tolist(),
                "high": high.ravel().tolist(),
            }
        )

    @takes(ModelError, level=A_LEVEL)
    @one_thread()
    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        """Net effects from one session to the next, of the average person: by all ways, those within a session too.

        estimate : the posterior median. se : its SD. p : twice the share of draws beyond zero.
        """
        half = (1 - valid_level(level)) / 2
        out = []
        for (outcome, predictor), draws in net_effects(self.model.paths, self.reported).items():
            low, high = np.quantile(draws, [half, 1 - half])
            beyond = min(float(np.mean(draws > 0)), float(np.mean(draws < 0)))
            out.append(
                LaggedEffect(
                    outcome,
                    predictor,
                    None,
                    None,
                    float(np.median(draws)),
                    float(draws.std(ddof=1)),
                    float(low),
                    float(high),
                    min(1.0, max(2 * beyond, 1.0 / draws.size)),
                    self.within_sd[predictor] / self.within_sd[outcome],
                )
            )
        return tuple(out)

    @one_thread()
    def standardised(self) -> dict[str, tuple[float, float, float]]:
        """Median, low, high of each lagged effect in SDs of both true scores within the average person."""
        scales = standardised_scale(self.model.paths, self.reported)
        out = {}
        for (outcome, predictor), draws in net_effects(self.model.paths, self.reported).items():
            values = draws * scales[predictor] / scales[outcome]
            low, median, high = np.nanquantile(values, [0.025, 0.5, 0.975])
            out[f"{predictor} → {outcome}"] = (float(median), float(low), float(high))
        return out

    @takes(ModelError, panel=PANEL, draws=whole_number(50))
    @one_thread()
    def loo(self, panel: Panel, *, draws: int = 400) -> LOO:
        """How well a person's scores are predicted when that person is left out: PSIS-LOO over persons.

        The likelihood of a person's scores has the person's level and own effects integrated out. `difference` of what
        is returned compares two fits of the same scores.

        Parameters
        ----------
        panel : Panel
            The one that was fitted.
        draws : int
            How many of the posterior are used.

        Raises
        ------
        ModelError : other data, clusters, or outcomes.
        """
        from .loo import loo

        return loo(self, panel, int(draws))

    @takes(ModelError, panel=PANEL, draws=whole_number(1))
    @one_thread()
    def one_step_ahead(self, panel: Panel, *, draws: int = 100) -> Any:
        """What is expected of each score from the person's sessions before it; nothing later is known.

        Under the model `pit` is uniform between 0 and 1. The parameters are those of the fit: of the persons that were
        fitted they know later sessions too, of others nothing.

        Parameters
        ----------
        panel : Panel
            The one that was fitted, or another one with the same columns and any persons. Measurement error is that of
            the fit, by the items answered where the Panel holds them.
        draws : int
            How many of the posterior are used.

        Returns
        -------
        dataframe
            One row a score that is observed: person, session, variable, observed, mean, sd, pit (the predictive
            probability of a score no higher than the observed one).

        Raises
        ------
        ModelError : a column that is not there, or a model with treatment_length.
        """
        from .one_step_ahead import table

        return table(self, panel, int(draws))

    @takes(ModelError, panel=PANEL, replicates=whole_number(20), seed=A_SEED)
    @one_thread()
    def predictive_checks(self, panel: Panel, *, replicates: int = 400, seed: int = 1) -> PredictiveChecks:
        """Whether scores drawn from the model look like the scores: posterior predictive checks.

        Parameters
        ----------
        panel : Panel
            The one that was fitted.
        replicates : int
            How often its scores are drawn anew, for the same sessions and gaps, of persons drawn anew.
        seed : int
            Equal seeds give equal numbers.

        Raises
        ------
        ModelError : other data.
        """
        from .predictive_checks import predictive_checks

        return predictive_checks(self, panel, int(replicates), int(seed))

    @takes(ModelError, level=A_LEVEL)
    @one_thread()
    def r_squared(self, level: float = 0.95) -> Any:
        """Share of a true score's variance within persons that the paths predict: 1 - innovation variance / variance.

        Measurement error, trends, the common course and what covariates add are in neither variance; paths within a
        session count as lags do (Schuurman & Hamaker 2019).

        Returns
        -------
        dataframe
            Two rows a variable: variable, of ('average person': with the mean coefficients; 'mean over persons'),
            median, low, high, share (of draws, or of draws and persons, whose process has a variance that it stays at;
            others are left out).
        """
        from .explained import r_squared

        return r_squared(self, valid_level(level))

    @cached_property
    def average_r_squared(self) -> dict[str, tuple[float, float, float]]:
        """Median, low, high (95 %) of the average person's R² within, by variable: see `r_squared`."""
        from .explained import average_summary

        return average_summary(self)

    @takes(ModelError, level=A_LEVEL)
    @one_thread()
    def standardised_persons(self, level: float = 0.95) -> Any:
        """Each person's lagged effects in SDs of both true scores within that person (Schuurman et al. 2016).

        Returns
        -------
        dataframe
            One row a person and effect: person, outcome, predictor, median, low, high, share (of draws in which the
            person's process has a variance that it stays at; others are left out).
        """
        from .explained import standardised_persons

        return standardised_persons(self, valid_level(level))

    @takes(ModelError, level=A_LEVEL)
    @one_thread()
    def standardised_mean(self, level: float = 0.95) -> dict[str, tuple[float, float, float]]:
        """Median, low, high of the mean over persons of `standardised_persons`, by effect."""
        from .explained import standardised_mean

        return standardised_mean(self, valid_level(level))

    @takes(ModelError, panel=PANEL, draws=whole_number(50))
    @one_thread()
    def to_arviz(self, panel: Panel | None = None, *, draws: int = 400) -> Any:
        """As ArviZ's InferenceData: `posterior` (chain, draw) with parameters by name.

        Parameters
        ----------
        panel : Panel
            The one that was fitted: adds `log_likelihood` over persons, of `draws` draws; `posterior` then holds the
            same draws. Without it `posterior` holds all.

        Raises
        ------
        ModelError : ArviZ is not installed; other data, clusters, or outcomes.
        """
        from .arviz_export import to_arviz

        return to_arviz(self, panel, int(draws))

    @takes(ModelError, sessions=whole_number(1, 1000), level=A_LEVEL)
    @one_thread()
    def impulse_responses(self, sessions: int = 10, level: float = 0.95) -> Any:
        """How far one unit more in a score is still felt in each score, session by session, in the average person.

        Parameters
        ----------
        sessions : int
            How many sessions after the impulse.
        level : float
            Of the intervals.

        Returns
        -------
        dataframe
            One row a session (0 is that of the impulse), outcome and predictor: session, outcome, predictor, median,
            low, high, in the outcome's units for one of the predictor's. Other scores of session 0 are as they were.
        """
        responses = impulse_responses(self.model.paths, self.reported, int(sessions))
        return self._by_pair(responses, level, {"session": range(int(sessions) + 1)})

    @takes(ModelError, level=A_LEVEL)
    @one_thread()
    def long_run(self, level: float = 0.95) -> Any:
        """What one unit more in a score at one session comes to in each score, summed over all sessions from it on.

        Equally: what one unit more that lasts comes to in the end. Draws without a stationary process have no such sum
        and are left out; `share` says how many of all are there.

        Parameters
        ----------
        level : float
            Of the intervals.

        Returns
        -------
        dataframe
            One row an outcome and predictor: outcome, predictor, median, low, high, share.
        """
        sums = long_run(self.model.paths, self.reported)
        there = np.isfinite(sums[:, 0, 0])
        if not there.any():
            raise ModelError(
                "In no draw is the process stationary, so effects have no sum.",
                where=self.title,
                remedy="Look at `impulse_responses`, and for a trend that the model leaves out.",
            )
        return self._by_pair(sums[there, None], level, {}, {"share": float(there.mean())})

    @takes(ModelError, predictor=A_NAME, outcome=A_NAME, level=A_LEVEL)
    def indirect(self, predictor: str, outcome: str, level: float = 0.95) -> Any:
        """What a predictor does to an outcome by way of others: products of coefficients, by draw.

        Parameters
        ----------
        predictor, outcome : str
            A column of `between` and one of `outcomes` (by way of each random effect), or two scores (by way of each
            score one session later, to the outcome two sessions later). A product of two random coefficients has
            their covariance in it, so that it is the mean over persons.
        level : float
            Of the intervals.

        Returns
        -------
        dataframe
            One row a way: path, kind ('indirect', 'direct', 'total'), median, low, high.
        """
        from .indirect import indirect

        half = (1 - valid_level(level)) / 2
        found = indirect(self, predictor, outcome)
        rows = [np.quantile(draws, [0.5, half, 1 - half]).tolist() for draws in found.values()]
        names: dict[str, list[Any]] = {"path": [path for path, _ in found], "kind": [kind for _, kind in found]}
        return self.kind.table(
            names | {key: [row[j] for row in rows] for j, key in enumerate(("median", "low", "high"))}
        )

    @takes(
        ModelError,
        panel=PANEL,
        chains=whole_number(1, 64),
        size=a_number(0),
        most=whole_number(100),
        threads=whole_number(1, 1024),
    )
    def prior_sensitivity(
        self, panel: Panel, *, chains: int = 4, size: float = 400.0, most: int = 20_000, threads: int | None = None
    ) -> PriorSensitivity:
        """Lagged effects with half and twice the prior's `effect_sd`: two more fits of the Panel that this one is of.

        Few persons and sessions say little of how much effects differ between persons, and the prior the more. chains,
        size, most, threads : as of `DSEM.fit`. The result has `table()` and prints itself.

        Raises
        ------
        ModelError : no coefficient is random, or priors='mplus'.
        """
        from .prior_sensitivity import prior_sensitivity

        return prior_sensitivity(self, panel, {"chains": chains, "size": size, "most": most, "threads": threads})

    def _by_pair(
        self, draws: np.ndarray, level: float, first: Mapping[str, Any], last: Mapping[str, float] | None = None
    ) -> Any:
        """A dataframe of draws (draws, steps, K, K), one row a step, outcome and predictor."""
        half = (1 - valid_level(level)) / 2
        low, median, high = np.quantile(draws, [half, 0.5, 1 - half], axis=0)
        variables = self.model.paths.variables
        k, steps = len(variables), draws.shape[1]
        columns: dict[str, list[Any]] = {
            name: [s for s in values for _ in range(k * k)] for name, values in first.items()
        }
        columns["outcome"] = [v for v in variables for _ in range(k)] * steps
        columns["predictor"] = list(variables) * (k * steps)
        columns |= {n: v.ravel().tolist() for n, v in (("median", median), ("low", low), ("high", high))}
        columns |= {name: [value] * (k * k * steps) for name, value in (last or {}).items()}
        return self.kind.table(columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text; unknown is None."""
        return {
            "model": self.label,
            "title": self.title,
            "verdict": self.verdict.to_dict(),
            "nobs": self.nobs,
            "npersons": self.npersons,
            "seed": self.seed,
            "parameters": plain(self._rows),
            "standardised": {k: plain(list(v)) for k, v in self.standardised().items()},
            "r_squared": {k: plain(list(v)) for k, v in self.average_r_squared.items()},
            "findings": self.findings.to_dicts(),
        }

    def parts(self) -> list[Part]:
        """What is shown: title, verdict, tables by kind."""
        from .printed import fit_parts

        return fit_parts(self)

    def __repr__(self) -> str:
        return f"<DSEMFit {self.title}: {self.npersons} persons>"
