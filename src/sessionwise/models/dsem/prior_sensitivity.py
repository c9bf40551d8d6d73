"""How far the headline effects go with the prior of how much coefficients differ between persons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ...panel.frame_kind import TableKind
from ...show import Grid, Part, plain
from ...words import num

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit

#: Scales that are tried, in those of the description.
TIMES = (0.5, 1.0, 2.0)


@dataclass(frozen=True, eq=False)
class PriorSensitivity:
    """rows : effect_sd, outcome, predictor, median, low, high of each lagged effect, by scale of the prior. agreed :
    whether all fits converged."""

    title: str
    rows: tuple[dict[str, Any], ...]
    agreed: bool
    kind: TableKind

    def table(self) -> Any:
        """A dataframe of the rows."""
        return self.kind.table({key: [row[key] for row in self.rows] for key in self.rows[0]})

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {"agreed": self.agreed, "rows": plain([dict(row) for row in self.rows])}

    def parts(self) -> list[Part]:
        """What is shown: a row an effect and scale."""
        lines = tuple(
            (
                f"{row['predictor']} → {row['outcome']}",
                num(row["effect_sd"]),
                *(num(row[key]) for key in ("median", "low", "high")),
            )
            for row in self.rows
        )
        out: list[Part] = [Grid("By the prior's effect_sd", ("", "effect_sd", "median", "2.5 %", "97.5 %"), lines)]
        if not self.agreed:
            out.append("Not all of these fits have drawn enough: ask for more draws before comparing them.")
        return out


def prior_sensitivity(fit: DSEMFit, panel: Panel, drawing: dict[str, Any]) -> PriorSensitivity:
    """See `DSEMFit.prior_sensitivity`."""
    model = fit.model
    if model.priors == "mplus" or not fit.effects.random:
        why = "priors='mplus' has no effect_sd" if model.priors == "mplus" else "no coefficient differs between persons"
        raise ModelError(
            f"There is no prior to vary: {why}.",
            where=fit.title,
            remedy="Use priors='weak' and random coefficients, such as random='cross'.",
        )
    rows: list[dict[str, Any]] = []
    agreed = True
    for times in TIMES:
        other = replace(model, effect_sd=model.effect_sd * times)
        one = fit if times == 1.0 else other.fit(panel, seed=fit.seed, **drawing)
        agreed = agreed and bool(one.verdict)
        rows += [
            {
                "effect_sd": other.effect_sd,
                "outcome": e.outcome,
                "predictor": e.predictor,
                "median": e.estimate,
                "low": e.low,
                "high": e.high,
            }
            for e in one.lagged_effects()
        ]
    rows.sort(key=lambda row: (row["outcome"], row["predictor"], row["effect_sd"]))
    return PriorSensitivity(fit.title, tuple(rows), agreed, fit.kind)
