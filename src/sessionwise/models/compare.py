"""Compare: the lagged effects of several fits beside each other, on one within-person scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, some
from ..options import A_LEVEL, takes
from ..show import Grid, Part, Shown, plain
from ..words import level_percent, num, p_value
from .contract import Fit, LaggedEffect

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class ComparedEffect:
    """One model's estimate of one effect.

    model : number and name of the fit. wave, group : None for all. estimate, se, low, high, p : in the columns' units.
    standardised, std_low, std_high : SDs of the outcome for one SD of the predictor, both of deviations from person
    means. reliable : whether the fit's verdict is good.
    """

    model: str
    outcome: str
    predictor: str
    wave: int | None
    group: str | None
    estimate: float
    se: float
    low: float
    high: float
    p: float
    standardised: float
    std_low: float
    std_high: float
    reliable: bool


@dataclass(frozen=True, slots=True)
class ModelComparison(Shown):
    """Lagged effects of several fits. effects : by effect, then by model, in the order given. models : their names."""

    effects: tuple[ComparedEffect, ...]
    models: tuple[str, ...]
    level: float

    def tidy(self) -> pl.DataFrame:
        """As a polars dataframe, one row an effect and model."""
        import polars as pl

        return pl.DataFrame([asdict(e) for e in self.effects])

    @property
    def estimates(self) -> tuple[dict[str, Any], ...]:
        """Standardised, as `plot.forest` draws them."""
        return tuple(
            {
                "label": e.model + _where(e),
                "direction": f"{e.predictor} → {e.outcome}",
                "estimate": e.standardised,
                "low": e.std_low,
                "high": e.std_high,
                "note": "" if e.reliable else "not to be relied on",
            }
            for e in self.effects
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text; unknown is None."""
        return {"models": list(self.models), "level": self.level, "effects": plain(self.effects)}

    def parts(self) -> list[Part]:
        """What is shown of it: the models, then a table for each effect."""
        shown: list[Part] = ["Lagged effects on one within-person scale", *self.models]
        for outcome, predictor in dict.fromkeys((e.outcome, e.predictor) for e in self.effects):
            own = [e for e in self.effects if (e.outcome, e.predictor) == (outcome, predictor)]
            shown.append(_grid(f"{predictor} → {outcome}", own, self.level))
            lacking = {e.model for e in self.effects if e.outcome == outcome} - {e.model for e in own}
            if lacking:
                shown.append(f"no single such effect in {some(sorted(lacking))}: no term, or one in an interaction.")
        shown.append(
            "In SDs of the outcome for one SD of the predictor, both of deviations from person means over the sessions "
            "that the fit used."
        )
        if not all(e.reliable for e in self.effects):
            shown.append("(!) The fit's verdict says that its numbers are not to be relied on.")
        return shown


@takes(ModelError, level=A_LEVEL)
def compare(*fits: Fit, level: float = 0.95) -> ModelComparison:
    """Put the lagged effects of multilevel, panel and other models side by side.

    fits : what `.fit(panel)` of any model gives. Effects from one session to the next are standardised by SDs of
    deviations from person means in the fit's own data, so that models fitted to the same sessions have about the same
    scale, and autoregressions and cross-lags can be compared across models.

    Raises
    ------
    ModelError : no fit, something that is no fit, a fit without such effects.
    """
    if not fits:
        raise ModelError("there is nothing to compare.", remedy="Give two fits or more: compare(fit, other).")
    for fit in fits:
        if not isinstance(fit, Fit):
            raise ModelError(f"a {type(fit).__name__} is no fit.", remedy="Give what .fit(panel) of a model returned.")
    names = tuple(f"({i}) {fit.title}, {fit.npersons:,} persons" for i, fit in enumerate(fits, 1))
    found = [
        _compared(f"({i}) {fit.label}", effect, bool(fit.verdict))
        for i, fit in enumerate(fits, 1)
        for effect in fit.lagged_effects(level)
    ]
    order = list(dict.fromkeys((e.outcome, e.predictor) for e in sorted(found, key=lambda e: e.outcome == e.predictor)))
    return ModelComparison(tuple(sorted(found, key=lambda e: order.index((e.outcome, e.predictor)))), names, level)


def _compared(model: str, e: LaggedEffect, reliable: bool) -> ComparedEffect:
    return ComparedEffect(
        model, e.outcome, e.predictor, e.wave, e.group, e.estimate, e.se, e.low, e.high, e.p,
        e.estimate * e.scale, e.low * e.scale, e.high * e.scale, reliable,
    )  # fmt: skip


def _grid(title: str, effects: Sequence[ComparedEffect], level: float) -> Grid:
    rows = []
    for e in effects:
        name = e.model + _where(e) + ("" if e.reliable else " (!)")
        interval = f"{num(e.std_low)}, {num(e.std_high)}"
        rows.append((name, num(e.standardised), interval, num(e.estimate), num(e.se), p_value(e.p)))
    head = ("", "in within-SDs", f"{level_percent(level)} interval", "in units", "SE", "p")
    return Grid(title, head, tuple(rows), dense=True)


def _where(e: ComparedEffect) -> str:
    known = [str(x) for x in (e.wave, e.group) if x is not None]
    return f" [{', '.join(known)}]" if known else ""
