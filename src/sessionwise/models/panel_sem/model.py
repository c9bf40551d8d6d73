"""PanelModel: what the descriptions of panel models have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ...panel import Panel
    from .blueprint import Blueprint
    from .fit import SEMFit


class PanelModel(ABC):
    """A frozen description of a panel structural equation model.

    fewest_waves : that it can be fitted to. has_within : whether it tells what varies within persons from what is
    stable.
    """

    __slots__ = ()
    fewest_waves: ClassVar[int] = 3
    has_within: ClassVar[bool] = True

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in one line, with the options that are not the usual ones."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Those that change from wave to wave."""

    @property
    @abstractmethod
    def remedy(self) -> str:
        """What to do about an inadmissible solution."""

    @property
    def group_column(self) -> str | None:
        return None

    @abstractmethod
    def blueprint(self, waves: tuple[int, ...]) -> Blueprint:
        """Nodes, paths and named parameters for these waves."""

    def fit(self, panel: Panel) -> SEMFit:
        """Estimate the model.

        Raises
        ------
        PanelError : no such column. ModelError : too few waves, a wave nobody reached, a variable that does not vary at
        a wave, columns that depend on each other, more parameters than data.
        """
        from .estimate import estimate

        return estimate(self, panel)  # type: ignore[arg-type]

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

        return from_parameters(self, parameters, persons, seed, dropout, skipped)  # type: ignore[arg-type]
