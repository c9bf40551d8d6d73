"""PanelModel: what the descriptions of panel models have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from ...errors import Argument, ModelError, model_option
from ...options import A_DICT, A_SEED, A_SHARE, PANEL, takes, whole_number
from ..contract import Model
from .waves import numbered

if TYPE_CHECKING:
    from ...findings import Finding
    from ...panel import Panel
    from .blueprint import Blueprint
    from .fit import SEMFit
    from .solution import SEMEstimates

OverWaves = Literal["equal", "free"]
Means = Literal["free", "equal", "linear"]
ErrorsKind = Literal["auto", "expected", "observed", "robust"]


class PanelModel(Model):
    """A frozen description of a panel structural equation model.

    label : what it is called beside other models. fewest_waves : that it can be fitted to. has_within : whether it
    tells what varies within persons from what is stable. may_have_groups : whether groups can have parameters of their
    own. has_without : whether a random intercept can be left out. The other fields are options that all of them have;
    see RICLPM.
    """

    __slots__ = ()
    tests: ClassVar[tuple[str, ...]] = ("stationarity", "lags", "groups")
    label: ClassVar[str]
    fewest_waves: ClassVar[int] = 3
    has_within: ClassVar[bool] = True
    may_have_groups: ClassVar[bool] = False
    has_without: ClassVar[bool] = False
    waves: int | Sequence[int] | None
    from_end: bool
    lags: OverWaves
    residuals: OverWaves
    errors: ErrorsKind

    @property
    @abstractmethod
    def title(self) -> str:
        """The label and what is modelled, in one line, with the options that are not the usual ones."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Columns that change from wave to wave."""

    @property
    @abstractmethod
    def remedy(self) -> str:
        """What to do about an inadmissible solution."""

    @property
    def fewer_parameters(self) -> tuple[str | Argument, ...]:
        """Parts of a sentence, each ending in ', ': the options not taken yet that hold parameters equal over waves."""
        free = [name for name in ("lags", "residuals") if getattr(self, name) == "free"]
        return tuple(part for name in free for part in (model_option(name, "equal"), ", "))

    @property
    def group_column(self) -> str | None:
        """Column of the groups, None without groups."""
        return None

    @property
    def shared(self) -> tuple[str, ...]:
        """Kinds of parameters that are equal in all groups."""
        return ()

    @abstractmethod
    def blueprint(self, waves: tuple[int, ...]) -> Blueprint:
        """Nodes, paths and named parameters for these waves."""

    def cautions(self, solution: SEMEstimates) -> list[Finding]:
        """What a reader must know of a solution beside its verdict, and of this kind of model alone."""
        return []

    @takes(ModelError, panel=PANEL)
    def fit(self, panel: Panel) -> SEMFit:
        """Estimate the model.

        Raises
        ------
        PanelError : no such column. ModelError : too few waves, a wave nobody reached, a variable that does not vary at
        a wave, columns that depend on each other, more parameters than data.
        """
        from .estimate import estimate

        return estimate(self, panel)

    @takes(ModelError, parameters=A_DICT, persons=whole_number(1), seed=A_SEED, dropout=A_SHARE, skipped=A_SHARE)
    def simulate(
        self,
        parameters: Mapping[str, float],
        persons: int,
        *,
        seed: int,
        dropout: float = 0.0,
        skipped: float = 0.0,
    ) -> Panel:
        """A Panel of persons drawn from this model, so that it can be tried where the truth is known.

        parameters : a value for each parameter, by the names of `fit.terms`. A name without its wave counts for all
            waves. 'var' and 'cov' of the first wave may be left out: they are then those that the lags keep up.
        dropout : probability of leaving after a wave. skipped : probability of missing a wave in between.

        Raises
        ------
        ModelError : values missing, without a place, or impossible; waves not given in the description.
        """
        from .simulate import from_parameters

        if self.group_column is not None:
            raise ModelError(
                "one group is simulated at a time.",
                remedy="Leave out group=..., and join the tables of several groups.",
            )
        return from_parameters(self.blueprint(self._waves_named()), parameters, persons, seed, dropout, skipped)

    def _waves_named(self) -> tuple[int, ...]:
        """The waves that the description itself says there are."""
        if self.waves is None:
            raise ModelError(
                "the description does not say which waves there are.",
                where=self.title,
                remedy="Add waves=..., such as waves=6.",
            )
        found = tuple(numbered(self.waves, 1, 0 if self.from_end else None))
        if len(found) < self.fewest_waves:
            raise ModelError(f"{len(found)} waves are too few.", remedy=f"Use {self.fewest_waves} or more.")
        return found
