"""Printed: how a DSEMFit looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Wording
from ...show import Grid, Part
from ...words import num
from .expected_bias import expected_bias_said

if TYPE_CHECKING:
    from ..contract import Verdict
    from .fit import DSEMFit

_TITLES = {
    "effect": "Effects within persons (means over persons)",
    "level": "Means of levels",
    "moderation": "What person-level predictors add",
    "spread": "Differences between persons",
    "noise": "Within persons: innovations, first sessions, measurement error",
    "outcome": "Person-level outcomes",
}


def _verdict(verdict: Verdict) -> str:
    return Wording(f"{verdict.message} ", verdict.remedy) if verdict.remedy else verdict.message


def fit_parts(fit: DSEMFit) -> list[Part]:
    """Title, verdict, what the scores are, tables."""
    said = (
        f"Scores hold measurement error, {fit.error_said}; effects are those of true scores." if fit.error_said else ""
    )
    parts: list[Part] = [fit.title, _verdict(fit.verdict), *([said] if said else [])]
    for kind, title in _TITLES.items():
        rows = [row for row in fit._rows if row["kind"] == kind]
        if rows:
            parts.append(
                Grid(
                    title,
                    ("", "median", "SD", "2.5 %", "97.5 %", "R-hat", "eff."),
                    tuple(
                        (
                            row["term"],
                            *(num(row[key]) for key in ("estimate", "sd", "low", "high")),
                            f"{row['rhat']:.3f}",
                            f"{min(row['ess_bulk'], row['ess_tail']):.0f}",
                        )
                        for row in rows
                    ),
                )
            )
    standard = fit.standardised()
    parts.append(
        Grid(
            "Lagged effects in SDs of true scores within persons",
            ("", "median", "2.5 %", "97.5 %"),
            tuple((name, *(num(v) for v in values)) for name, values in standard.items()),
        )
    )
    parts.append(
        Grid(
            "R² within persons: what the paths predict of true scores, average person",
            ("", "median", "2.5 %", "97.5 %"),
            tuple((name, *(num(v) for v in values)) for name, values in fit.average_r_squared.items()),
        )
    )
    if bias := expected_bias_said(fit):
        parts.append(bias)
    parts.append(f"{fit.nobs} sessions of {fit.npersons} persons; seed {fit.seed}.")
    return parts
