"""RICLPM and CLPM: descriptions of cross-lagged panel models, with random intercepts and without."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from ...errors import Argument, ModelError, Wording, nearest, some
from ...options import A_NAME, NAMES, NUMBERS, YES_OR_NO, fields_of_kind, of_kind, one_of, takes
from ...words import listed
from .blueprint import Blueprint
from .cross_lagged import Layout, lagged
from .model import ErrorsKind, Means, OverWaves, PanelModel

#: Kinds of parameters that groups can share.
KINDS = ("lag", "covariate", "intercept", "first", "residual", "loading", "unique", "mean", "trend", "nuisance")


class CrossLagged(PanelModel):
    """What RICLPM and CLPM have in common; see RICLPM for the fields."""

    __slots__ = ()
    may_have_groups: ClassVar[bool] = True
    x: str | tuple[str, ...]
    y: str | tuple[str, ...]
    third: str | tuple[str, ...] | None
    means: Means
    covariates: Sequence[str]
    group: str | None
    same: Sequence[str]

    @property
    @abstractmethod
    def stable(self) -> tuple[str, ...]:
        """Variables that have a random intercept."""

    @property
    def title(self) -> str:
        return f"{self.label} of {_titled(self)}"

    @property
    def indicators(self) -> tuple[tuple[str, ...], ...]:
        """Columns of each variable; the first gives it its name."""
        return tuple((v,) if isinstance(v, str) else tuple(v) for v in (self.x, self.y, self.third) if v is not None)

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(own[0] for own in self.indicators)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(item for own in self.indicators for item in own)

    @property
    def group_column(self) -> str | None:
        return self.group

    @property
    def shared(self) -> tuple[str, ...]:
        return tuple(self.same)

    @takes(ModelError, waves=NUMBERS)
    def blueprint(self, waves: tuple[int, ...]) -> Blueprint:
        return lagged(
            Layout(
                self.variables,
                self.indicators,
                waves,
                self.stable,
                self.lags == "equal",
                self.residuals == "equal",
                self.means,
                tuple(self.covariates),
            )
        )


@dataclass(frozen=True, slots=True)
class RICLPM(CrossLagged):
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

    label: ClassVar[str] = "RI-CLPM"
    has_without: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checked(self)
        for name in self.without:
            if name not in self.variables:
                raise ModelError(
                    f"without names {name!r}, which is no variable of the model.{nearest(name, self.variables)}",
                    remedy=f"Use one or more of {some(self.variables)}.",
                )

    @property
    def stable(self) -> tuple[str, ...]:
        return tuple(name for name in self.variables if name not in self.without)

    @property
    def remedy(self) -> str:
        return Wording(
            "A negative variance of a random intercept says that persons hardly differ in that variable's level beyond "
            "what the lags carry over: name it in ",
            Argument("without=[...]", ("--without", "VARIABLE")),
            ". Otherwise use ",
            *self.fewer_parameters,
            "other waves, or more persons.",
        )


@dataclass(frozen=True, slots=True)
class CLPM(CrossLagged):
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

    label: ClassVar[str] = "CLPM"
    fewest_waves: ClassVar[int] = 2

    def __post_init__(self) -> None:
        checked(self)

    @property
    def stable(self) -> tuple[str, ...]:
        return ()

    @property
    def remedy(self) -> str:
        return Wording(
            "Use ",
            *self.fewer_parameters,
            "other waves, or more persons, and look for values that are errors.",
        )


def checked(model: CrossLagged) -> None:
    """ModelError for options that cannot be meant."""
    choices = {
        "lags": ("equal", "free"),
        "means": ("free", "equal", "linear"),
        "residuals": ("free", "equal"),
        "errors": ("auto", "expected", "observed", "robust"),
    }
    for name, known in choices.items():
        one_of(name, getattr(model, name), known)
    for name in ("x", "y", "third"):
        if getattr(model, name) is not None or name != "third":
            of_kind(name, getattr(model, name), NAMES)
    lists = {name: NAMES for name in ("covariates", "same", "without") if getattr(model, name, None) is not None}
    fields_of_kind(model, from_end=YES_OR_NO, group=A_NAME, **lists)
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
        raise ModelError(
            "same is for several groups, and no group is named.",
            remedy=Wording("Add ", Argument("group=...", ("--group", "COLUMN")), "."),
        )
    for name in ("x", "y", "third"):
        own = getattr(model, name)
        if (own is not None or name != "third") and not (own and all(own)):
            raise ModelError(f"{name} is {own!r}.", remedy="Name a column, or several in a tuple.")
    used = [*model.columns, *model.covariates]
    twice = [name for i, name in enumerate(used) if name in used[:i]]
    if twice:
        raise ModelError(f"column {twice[0]!r} is used twice.", remedy="Name different columns.")


def _titled(model: CrossLagged) -> str:
    names = [own[0] + (f" ({len(own)} indicators)" if len(own) > 1 else "") for own in model.indicators]
    said = listed(names)
    other = {
        f.name: getattr(model, f.name)
        for f in fields(model)
        if f.name in ("lags", "means", "residuals", "covariates", "group", "same", "without")
        and getattr(model, f.name) != f.default
    }
    options = [f"{k}={v!r}" for k, v in other.items() if v]
    return said + (f" ({', '.join(options)})" if options else "")
