"""Panel structural equation models beside the multilevel ones: latent person means instead of observed ones.

They give the net lagged effects of a first-order process. Errors are robust: persons differ in their effects, and
scores are seldom normal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FormulaError, ModelError
from ...models import DPM, RICLPM
from ...panel.frames import eager
from ...words import below_one
from ..parts.equation import quoted
from ..parts.fits import sentence
from ..records import Assumptions, Estimate, NotAnswered
from .method import Estimates, MainModels, Method

if TYPE_CHECKING:
    from ...models import SEMFit
    from ..parts.equation import Equation
    from ..study_data import StudyData


def _riclpm(basis: MainModels) -> Estimates:
    setting = basis.setting
    study = setting.study
    fit = _fitted(
        lambda: RICLPM(study.outcome, study.process, errors="robust").fit(setting.panel),
        f"how {setting.outcome} and {setting.process} predict each other, with latent {setting.person} means",
    )
    if isinstance(fit, NotAnswered):
        return Estimates(fit, fit, None, None, None, None)
    lags = eager(fit.lags())[0]
    forward = _lag(lags, setting.forward).times(setting.scale_forward)
    reverse = _lag(lags, setting.reverse).times(setting.scale_reverse)
    said = f"A random-intercept cross-lagged panel model (Hamaker et al., 2015) was fitted {_how(fit)}"
    return Estimates(forward, reverse, 0.0, 0.0, *_counts(setting, fit), said=f"{said}; {_indices(fit)}.")


def _dpm(basis: MainModels) -> Estimates:
    setting = basis.setting
    forward, reverse = (_dynamic(setting, equation) for equation in (setting.forward, setting.reverse))
    counted = next((fit for fit in (forward, reverse) if not isinstance(fit, NotAnswered)), None)
    counts = (None, None) if counted is None else _counts(setting, counted)
    values = [
        fit if isinstance(fit, NotAnswered) else _of_dpm(fit, equation).times(scale)
        for fit, equation, scale in (
            (forward, setting.forward, setting.scale_forward),
            (reverse, setting.reverse, setting.scale_reverse),
        )
    ]
    said = ""
    if counted is not None:
        told = [
            f"{_indices(fit)} ({side})"
            for side, fit in (("forward", forward), ("reverse", reverse))
            if not isinstance(fit, NotAnswered)
        ]
        said = f"Dynamic panel models (Allison et al., 2017) were fitted {_how(counted)}; {', '.join(told)}."
    return Estimates(values[0], values[1], 0.0, 0.0, counts[0], counts[1], said=said)


def _dynamic(setting: StudyData, equation: Equation) -> SEMFit | NotAnswered:
    """The response's equation; the predictor of the same session goes with its residual."""
    y, x = quoted(equation.response), quoted(equation.predictor)
    model = DPM(f"{y} ~ lag({y}) + pre(lag({x}))", same_wave=True, errors="robust")
    return _fitted(lambda: model.fit(setting.panel), f"{setting.arrow(equation)}, in a dynamic panel model")


def _fitted(fit: Callable[[], SEMFit], question: str) -> SEMFit | NotAnswered:
    try:
        found = fit()
    except (ModelError, FormulaError) as error:
        return NotAnswered(question, sentence(error.what), error.remedy)
    return found if found.verdict else NotAnswered(question, found.verdict.message, found.verdict.remedy)


def _lag(frame: Any, equation: Equation) -> Estimate:
    """Of the table of lags."""
    rows = zip(frame["outcome"].to_list(), frame["predictor"].to_list(), strict=True)
    row = list(rows).index((equation.response, equation.predictor))
    value, se, low, high, p = (float(frame[name][row]) for name in ("estimate", "se", "low", "high", "p"))
    return Estimate(value, se, low, high, None, p)


def _of_dpm(fit: SEMFit, equation: Equation) -> Estimate:
    found = next(e for e in fit.lagged_effects() if e.predictor == equation.predictor)
    return Estimate(found.estimate, found.se, found.low, found.high, None, found.p)


def _counts(setting: StudyData, fit: SEMFit) -> tuple[int, int]:
    return fit.npersons, int(np.isin(setting.panel.sessions, fit.waves).sum())


def _how(fit: SEMFit) -> str:
    """'by full-information maximum likelihood with ... errors to sessions 1 to 6'."""
    waves = fit.waves
    return (
        "by full-information maximum likelihood with robust (sandwich) errors to sessions "
        f"{waves[0]} to {waves[-1]}, lagged effects equal over sessions, residual variances and means free"
    )


def _indices(fit: SEMFit) -> str:
    """'χ²(40) = 52.10, CFI = .99, RMSEA = .02, SRMR = .03', scaled for data that are not normal where possible."""
    scaled = fit.scaled_indices
    found = scaled or fit.indices
    if found is None:
        return "its fit indices could not be computed"
    kind = "scaled " if scaled else ""
    parts = (("CFI", found.cfi), ("RMSEA", found.rmsea), ("SRMR", found.srmr))
    shares = ", ".join(f"{name} = {below_one(value)}" for name, value in parts if np.isfinite(value))
    return f"{kind}χ²({found.df}) = {found.chi2:.2f}, {shares}"


def _assumes(setting: StudyData, residuals: str) -> Assumptions:
    person = setting.person
    return Assumptions(
        means=f"latent {person} means, free of the bias of few sessions",
        trend="a mean of its own for each session",
        levels=f"sessions in {person}s",
        residuals=residuals,
        sample=f"the first sessions in a row that half of the {person}s have, 10 at most, missing at random",
        effects=f"the same for all {person}s",
        covariates="none",
    )


def _lag_of_one(setting: StudyData) -> bool:
    return setting.study.lag == 1


METHODS = (
    Method(
        "riclpm",
        "RI-CLPM",
        _riclpm,
        lambda s: _assumes(s, "of both scores at a session correlated, with variances of their own at each"),
        _lag_of_one,
        (
            "Hamaker, E. L., Kuiper, R. M., & Grasman, R. P. P. P. (2015). A critique of the cross-lagged panel model. "
            "Psychological Methods, 20(1), 102–116. https://doi.org/10.1037/a0038889",
        ),
    ),
    Method(
        "dpm",
        "Dynamic panel model",
        _dpm,
        lambda s: _assumes(s, "with variances of their own at each session"),
        _lag_of_one,
        (
            "Allison, P. D., Williams, R., & Moral-Benito, E. (2017). Maximum likelihood for cross-lagged panel models "
            "with fixed effects. Socius, 3, 1–17. https://doi.org/10.1177/2378023117710578",
        ),
    ),
)
