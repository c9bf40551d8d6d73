"""Estimate: a description and a Panel to a DSEMFit."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..._core import ChainFailure
from ...errors import Argument, ModelError, Wording
from ...findings import Findings
from ...gibbs.chains import Drawn, Plan, run_chains
from ...gibbs.diagnostics import Convergence
from ...gibbs.layout import Layout
from ...gibbs.specification import Specification, Structure, Term
from ...panel.frame_kind import TableKind
from ...threads import one_thread
from ...words import counted
from ..contract import State, Verdict
from .data import Scaled, scaled
from .doubts import doubts
from .fit import DSEMFit
from .kept import Kept
from .own_priors import with_own
from .priors import ERROR, priors
from .reported import Reported, effects_of, reported

if TYPE_CHECKING:
    from ...panel import Panel
    from .model import DSEM
    from .paths import Path, Paths

_NONE_RANDOM = Argument("random='none'", ("--random", "none"))
#: R-hat that everything reported must be below.
RHAT = 1.01
#: Variance of a first session of which nothing is said, in standard units.
ANYWHERE = 1e6
#: Sweeps thrown away, for a chain that begins within the data's range; with a factor, whose variance and loadings a
#: chain may at first have far too small and too large, without R-hat telling; with an estimated error, whose step
#: learns its width in them.
WARM_UP, FACTOR_WARM_UP, ERROR_WARM_UP = 300, 2000, 1500


@one_thread()
def estimate(
    model: DSEM,
    panel: Panel,
    seed: int,
    chains: int,
    size: float,
    most: int,
    threads: int | None,
    progress: Callable[[int, float], None] | None,
) -> DSEMFit:
    """Draw; see `DSEM.fit`."""
    paths = model.paths
    data = scaled(model, paths, panel)
    random = tuple(_is_random(model, path, paths) for path in paths.paths)
    structure = _structure(model, paths, random, data)
    if data.grid.persons < structure.effects + 3:
        raise ModelError(
            f"{counted(data.grid.persons, 'person')} cannot tell how {structure.effects} random effects vary.",
            where=model.title,
            remedy="Use more persons."
            if model.random == "none"
            else Wording("Use more persons, or fewer random effects: ", _NONE_RANDOM, "."),
        )
    freedom = (
        np.full(structure.variables, np.inf) if data.errors is None else np.array([e.freedom for e in data.errors])
    )
    warm_up = FACTOR_WARM_UP if model.factor else ERROR_WARM_UP if model.error == "estimated" else WARM_UP
    kind = model.priors if isinstance(model.priors, str) else "weak"
    prior = priors(kind, structure, model.effect_sd, freedom)
    if model.error == "estimated":
        prior = replace(prior, error_sd=np.full(structure.variables, ERROR))
    effects = effects_of(paths, random, structure, data)
    prior = with_own(model, prior, structure, effects, data)
    spec = Specification(data.grid, structure, prior, warm_up)
    cores = threads or max(1, min(chains, os.cpu_count() or 1))
    plan = Plan(
        chains=chains,
        warm_up=warm_up,
        first=max(100, int(size)),
        rhat=RHAT,
        size=size,
        most=most,
        threads=cores,
    )
    layout = Layout.of(spec)

    def named(draws: np.ndarray) -> Reported:
        return reported(draws, layout, structure, paths, effects, data, model.outcomes)

    try:
        drawn = run_chains(
            spec,
            seed,
            plan,
            first=_first(model, data, structure),
            judged=lambda draws: named(draws).draws,
            progress=progress,
        )
    except ChainFailure as failure:
        raise ModelError(
            f"The chains could not go on: {failure}.",
            where=model.title,
            remedy=Wording(
                "Use fewer random effects (",
                _NONE_RANDOM,
                "), ",
                Argument("priors='weak'", ("--priors", "weak")),
                ", and look for values that are errors.",
            ),
        ) from None
    found, judged = named(drawn.draws), drawn.convergence
    return DSEMFit(
        model=model,
        verdict=_verdict(judged, drawn, size, most),
        findings=Findings([*data.findings, *doubts(model, data, found)]),
        reported=found,
        convergence=judged,
        effects=effects,
        persons=panel.persons[data.persons],
        person_means=drawn.effects * effects.units + effects.shifts,
        person_sds=drawn.effect_sd * effects.units,
        person_draws=drawn.persons * effects.units + effects.shifts,
        within_sd=dict(zip(paths.variables, data.sd.tolist(), strict=True)),
        observations=int(np.sum(~np.isnan(data.grid.values).all(axis=1))),
        error_said=_error_said(paths, data),
        seed=seed,
        kind=TableKind.of(panel),
        kept=Kept.of(data, structure),
        person_at=drawn.persons_at,
        person=panel.roles.person,
    )


def _error_said(paths: Paths, data: Scaled) -> str:
    """'core_om from 34 items, wai_sr from 12 items'; empty where no error is taken out."""
    if data.errors is None:
        return ""
    known = [f"{v} {e.said}" for v, e in zip(paths.variables, data.errors, strict=True) if np.nanmax(e.variance) > 0]
    return ", ".join(known)


def _is_random(model: DSEM, path: Path, paths: Paths) -> bool:
    if isinstance(model.random, tuple):
        return path.name in model.random
    if model.random == "cross":
        return path.predictor != path.response and path.predictor in paths.variables
    return model.random == "all"


def _structure(model: DSEM, paths: Paths, random: tuple[bool, ...], data: Scaled) -> Structure:
    k = len(paths.variables)
    place = {name: i for i, name in enumerate(paths.variables)}
    covariates = {name: i for i, name in enumerate(paths.covariates)}
    terms = tuple(
        Term(place[p.response], place.get(p.predictor, 0), p.lag, is_random, covariates.get(p.predictor))
        for p, is_random in zip(paths.paths, random, strict=True)
    )
    logs = (model.variances == "random",) * k
    own = data.grid.own_course.shape[1]
    q = k * own + sum(random) + sum(logs)
    width = data.grid.predictors.shape[1]
    o = len(model.outcomes)
    return Structure(
        k,
        paths.lags,
        terms,
        logs,
        own,
        _regressed(k, own, q, width, data),
        correlated=not paths.instant and not any(logs),
        own_first=model.first == "own",
        effects_correlate=model.correlated,
        factor=model.factor,
        outcome_on_predictors=np.ones((o, width), dtype=bool),
        outcome_on_effects=np.ones((o, q), dtype=bool),
    )


def _regressed(variables: int, own: int, q: int, width: int, data: Scaled) -> np.ndarray:
    """(q, W). Where sessions have levels of their own, the mean of persons' courses is in these."""
    regressed = np.ones((q, width), dtype=bool)
    if data.grid.basis.shape[1]:
        for k in range(variables):
            regressed[k * own + 1 : (k + 1) * own, 0] = False
    return regressed


def _first(model: DSEM, data: Scaled, structure: Structure) -> np.ndarray | None:
    """The known covariance of the first session: that within persons, in which variables have a variance of 1; where it
    is conditioned on, one so large that nothing is said of it."""
    if model.first == "own":
        return None
    return (ANYWHERE if model.first == "given" else 1.0) * np.eye(structure.variables * structure.lags)


def _verdict(judged: Convergence, drawn: Drawn, size: float, most: int) -> Verdict:
    chains, kept = drawn.draws.shape[:2]
    numbers = (
        f"{chains} chains of {kept} draws, R-hat at most {judged.largest_rhat:.3f}, "
        f"effective draws at least {judged.smallest:.0f}"
    )
    if drawn.interrupted:
        return Verdict.of(
            State.NOT_CONVERGED,
            f"Interrupted before the posterior was known well enough: {numbers}.",
            Wording(
                "Fit again and let it run to its end, or ask for fewer effective draws: ",
                Argument("size=100", ("--size", "100")),
                ".",
            ),
        )
    if judged.met(RHAT, size):
        return Verdict.of(State.CONVERGED, f"Converged: {numbers}.")
    return Verdict.of(
        State.NOT_CONVERGED,
        f"The posterior is not yet known well enough: {numbers} (wanted: below {RHAT} and above {size:.0f}).",
        Wording(
            "Draw more with ",
            Argument(f"most={2 * most}", ("--most", f"{2 * most}")),
            ", or use a simpler model: ",
            _NONE_RANDOM,
            ", no trend, ",
            Argument("variances='common'", ("--variances", "common")),
            ".",
        ),
    )
