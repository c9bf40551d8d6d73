"""How a file answers instruments: what the options say of it, checked against the instruments, and the scores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import SessionwiseError, nearest
from .options import INSTRUMENTS, number

if TYPE_CHECKING:
    from ..panel import Panel
    from .files import SessionsFile


def names() -> list[str]:
    """The instruments that come with the package, by the names of their files: for --help, which imports no scoring."""
    folder = resources.files("sessionwise") / "scoring" / "instruments"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


@dataclass(frozen=True, slots=True)
class Answering:
    """Instruments, and how the file answers them; each as it is written on the command line, 'wai-sr=1-7'."""

    instrument: Annotated[
        tuple[str, ...],
        typer.Option(
            "--instrument",
            "-i",
            help="Name such as core-om (score --help lists them), or your own .toml file; repeat for more.",
            rich_help_panel=INSTRUMENTS,
        ),
    ] = ()
    answers: Annotated[
        tuple[str, ...],
        typer.Option(
            help="Other answers than usual, such as wai-sr=1-7; repeat for more.",
            show_default=False,
            rich_help_panel=INSTRUMENTS,
        ),
    ] = ()
    items: Annotated[
        tuple[str, ...],
        typer.Option(
            help="Names of item columns, such as 'core-om=Q{}'; repeat for more.",
            show_default=False,
            rich_help_panel=INSTRUMENTS,
        ),
    ] = ()
    already_reversed: Annotated[
        bool,
        typer.Option(
            "--already-reversed", help="Reversed items are turned round in the file.", rich_help_panel=INSTRUMENTS
        ),
    ] = False

    def checked(self) -> AnsweredInstruments:
        """The options as they are meant.

        Raises
        ------
        SessionwiseError : an option that is about no instrument, or about one that is not named.
        InstrumentError : an unknown instrument.
        """
        from ..scoring import instrument

        known = [instrument(name).name for name in self.instrument]
        patterns = _pairs("--items", self.items)
        ranges = {name: _range(text) for name, text in _pairs("--answers", self.answers).items()}
        for option, by_name in (("--items", patterns), ("--answers", ranges)):
            for name in by_name:
                if name not in known:
                    raise SessionwiseError(
                        f"{option} is about {name!r}, which is not named with -i.{nearest(name, known)}",
                        remedy=f"Add -i {name}.",
                    )
        if self.already_reversed and not known:
            raise SessionwiseError("--already-reversed needs an instrument.", remedy="Add -i, for example -i core-om.")
        return AnsweredInstruments(self.instrument, patterns, ranges, self.already_reversed)


@dataclass(frozen=True, slots=True)
class AnsweredInstruments:
    """Instruments as a file answers them. items : name -> pattern of columns. ranges : name -> lowest, highest."""

    names: tuple[str, ...]
    items: dict[str, str]
    ranges: dict[str, tuple[float, float]]
    already_reversed: bool

    def keys(self) -> dict[Any, str | None]:
        """Each instrument as it is answered here -> pattern of its items' columns, or None."""
        from ..scoring import instrument

        keys: dict[Any, str | None] = {}
        for key in map(instrument, self.names):
            if key.name in self.ranges:
                key = key.with_range(*self.ranges[key.name])
            keys[key.already_reversed() if self.already_reversed else key] = self.items.get(key.name)
        return keys

    def scored(self, panel: Panel, out_of_range: Any) -> Panel:
        """The Panel with their scales. out_of_range : 'error' or 'missing'; None: 'error'."""
        from ..scoring import score

        return score(
            panel,
            *self.names,
            items=self.items or None,
            answers=self.ranges or None,
            already_reversed=self.already_reversed,
            out_of_range=out_of_range or "error",
        )


def scored_panel(sessions: SessionsFile, answering: Answering, out_of_range: str | None) -> Panel:
    """The file's Panel, with the scales of the instruments named; the options are checked before the file is read."""
    instruments = answering.checked()
    panel = sessions.panel()
    return instruments.scored(panel, out_of_range) if instruments.names else panel


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    """('wai-sr=1-7',) as {'wai-sr': '1-7'}."""
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise SessionwiseError(
                f"{option} needs instrument=value, not {text!r}.", remedy=f"For example {option} wai-sr=..."
            )
        pairs[name] = value
    return pairs


def _range(text: str) -> tuple[float, float]:
    match = re.fullmatch(r"(-?[\d.]+)-(-?[\d.]+)", text)
    if not match:
        raise SessionwiseError(f"--answers needs low-high, not {text!r}.", remedy="For example --answers wai-sr=1-7.")
    return number("--answers", match[1]), number("--answers", match[2])
