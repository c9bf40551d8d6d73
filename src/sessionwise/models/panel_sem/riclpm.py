"""RICLPM and CLPM: descriptions of cross-lagged panel models, with random intercepts and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal

from ...errors import ModelError, nearest, some
from ...options import one_of
from ...words import listed
from .blueprint import Blueprint
from .cross_lagged import Layout, lagged
from .model import PanelModel

if TYPE_CHECKING:
    pass

OverWaves = Literal["equal", "free"]
Means = Literal["free", "equal", "linear"]
ErrorsKind = Literal["auto", "expected", "observed", "robust"]
#: Kinds of parameters that groups can share.
KINDS = ("lag", "covariate", "intercept", "first", "residual", "loading", "unique", "mean", "trend", "nuisance")


@dataclass(frozen=True, slots=True)
class RICLPM(PanelModel):
    """Random-intercept cross-lagged panel model (Hamaker, Kuiper & Grasman 2015).

    Every value is the mean of its wave, plus what is stable in the person, plus a within-person part; the within-person
    parts predict each other at the next wave. Waves are session numbers. Missing values are allowed for by
    full-information maximum likelihood.

    x, y, third : columns; outcome and process in either order. Several columns in a tuple are indicators of one
        variable, which is then named after the first.
    waves : how many sessions from the first on, or session numbers; default the sessions in a row that half of the
        persons have, 10 at most.
    from_end : count from each person's last session, wave 0, backwards: -1, -2, ...
    lags : 'equal' over waves, or 'free'. means : 'free', 'equal' or 'linear' over waves.
    residuals : variances and covariances of what the lags leave over, 'free' or 'equal' over waves.
    covariates : numeric columns, the same in all rows of a person, that predict the random intercepts.
    group : column; each group has parameters of its own but for the kinds in `same`, such as ('lag',).
    without : variables that are to have no random intercept: the remedy where its variance would be negative.
    errors : 'expected' or 'observed' information, 'robust' (MLR: sandwich errors and scaled tests), or 'auto': expected
        where no value is missing and observed elsewhere.

    Raises
    ------
    ModelError : an unknown option, the same column twice.

    >>> import sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(scale_scores=True), person="patient", session="session")
    >>> fit = RICLPM("core_om", "wai_sr", waves=6).fit(panel)
    >>> fit.verdict.converged
    True
    """

    x: str | tuple[str, ...]
    y: str | tuple[str, ...]
    third: str | tuple[str, ...] | None = None
    waves: int | Sequence[int] | None = None
    from_end: bool = False
    lags: OverWaves = "equal"
    means: Means = "free"
    residuals: OverWaves = "free"
    covariates: Sequence[str] = ()
    group: str | None = None
    same: Sequence[str] = ()
    without: Sequence[str] = ()
    errors: ErrorsKind = "auto"

    def __post_init__(self) -> None:
        checked(self)
        known = [own[0] for own in indicators(self)]
        for name in self.without:
            if name not in known:
                raise ModelError(
                    f"without names {name!r}, which is no variable of the model.{nearest(name, known)}",
                    remedy=f"Use one or more of {some(known)}.",
                )

    @property
    def title(self) -> str:
        return f"RI-CLPM of {_titled(self)}"

    @property
    def group_column(self) -> str | None:
        return self.group

    def blueprint(self, waves: tuple[int, ...]) -> Blueprint:
        return lagged(self._layout(waves))

    def _layout(self, waves: tuple[int, ...]) -> Layout:
        return layout(self, waves, tuple(self.without), intercepts=True)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(item for own in indicators(self) for item in own)

    @property
    def remedy(self) -> str:
        return (
            "A negative variance of a random intercept says that persons hardly differ in that variable's level beyond "
            "what the lags carry over: name it in without=. Otherwise use lags='equal', residuals='equal', other waves "
            "or more persons."
        )


@dataclass(frozen=True, slots=True)
class CLPM(PanelModel):
    """Cross-lagged panel model: as RICLPM, but nothing is stable in persons, so its lags mix differences between
    persons with change within them. For comparison; see RICLPM for the fields.

    >>> CLPM("core_om", "wai_sr", waves=6).title
    'CLPM of core_om and wai_sr'
    """

    x: str | tuple[str, ...]
    y: str | tuple[str, ...]
    third: str | tuple[str, ...] | None = None
    waves: int | Sequence[int] | None = None
    from_end: bool = False
    lags: OverWaves = "equal"
    means: Means = "free"
    residuals: OverWaves = "free"
    covariates: Sequence[str] = ()
    group: str | None = None
    same: Sequence[str] = ()
    errors: ErrorsKind = "auto"

    fewest_waves: ClassVar[int] = 2

    def __post_init__(self) -> None:
        checked(self)

    @property
    def title(self) -> str:
        return f"CLPM of {_titled(self)}"

    @property
    def group_column(self) -> str | None:
        return self.group

    def blueprint(self, waves: tuple[int, ...]) -> Blueprint:
        return lagged(self._layout(waves))

    def _layout(self, waves: tuple[int, ...]) -> Layout:
        return layout(self, waves, (), intercepts=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(item for own in indicators(self) for item in own)

    @property
    def remedy(self) -> str:
        return "Use residuals='equal', other waves, or more persons, and look for values that are errors."


def indicators(model: RICLPM | CLPM) -> tuple[tuple[str, ...], ...]:
    """Columns of each variable; the first gives it its name."""
    return tuple((v,) if isinstance(v, str) else tuple(v) for v in (model.x, model.y, model.third) if v is not None)


def layout(model: RICLPM | CLPM, waves: tuple[int, ...], without: tuple[str, ...], *, intercepts: bool) -> Layout:
    """What the blueprint needs to know."""
    items = indicators(model)
    variables = tuple(own[0] for own in items)
    return Layout(
        variables,
        items,
        waves,
        tuple(v for v in variables if v not in without) if intercepts else (),
        model.lags == "equal",
        model.residuals == "equal",
        model.means,
        tuple(model.covariates),
    )


def checked(model: RICLPM | CLPM) -> None:
    """ModelError for options that cannot be meant."""
    choices = {
        "lags": ("equal", "free"),
        "means": ("free", "equal", "linear"),
        "residuals": ("free", "equal"),
        "errors": ("auto", "expected", "observed", "robust"),
    }
    for name, known in choices.items():
        one_of(name, getattr(model, name), known)
    for name in ("covariates", "same", "without"):
        value = getattr(model, name, ())
        if not isinstance(value, tuple) and hasattr(model, name):
            object.__setattr__(model, name, (value,) if isinstance(value, str) else tuple(value or ()))
    if isinstance(model.waves, list):
        object.__setattr__(model, "waves", tuple(model.waves))
    for name in ("x", "y", "third"):
        if isinstance(getattr(model, name), list):
            object.__setattr__(model, name, tuple(getattr(model, name)))
    for kind in model.same:
        one_of("same", kind, KINDS)
    if model.same and model.group is None:
        raise ModelError("same is for several groups, and no group is named.", remedy="Add group=....")
    for name in ("x", "y", "third"):
        own = getattr(model, name)
        if (own is not None or name != "third") and not (own and all(own)):
            raise ModelError(f"{name} is {own!r}.", remedy="Name a column, or several in a tuple.")
    used = [*(item for own in indicators(model) for item in own), *model.covariates]
    twice = [name for i, name in enumerate(used) if name in used[:i]]
    if twice:
        raise ModelError(f"column {twice[0]!r} is used twice.", remedy="Name different columns.")


def _titled(model: RICLPM | CLPM) -> str:
    names = [own[0] + (f" ({len(own)} indicators)" if len(own) > 1 else "") for own in indicators(model)]
    said = listed(names)
    other = {
        f.name: getattr(model, f.name)
        for f in fields(model)
        if f.name in ("lags", "means", "residuals", "covariates", "group", "same", "without")
        and getattr(model, f.name) != f.default
    }
    options = [f"{k}={v!r}" for k, v in other.items() if v]
    return said + (f" ({', '.join(options)})" if options else "")
