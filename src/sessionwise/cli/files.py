"""What the verbs of the command line share: options as text to arguments, files in and out. No analysis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SessionwiseError, nearest

if TYPE_CHECKING:
    from ..panel import Panel
    from ..panel.table import Table


def load(
    file: Path,
    person: str | None,
    session: str | None,
    cluster: str | None,
    time: str | None,
    missing: list[str] | None,
    wide: list[str] | None,
    options: list[str] | None,
    number_by: str | None,
) -> tuple[Table, dict[str, Any]]:
    """The table and its roles; a wide or dated file is given its session column.

    person : None for a wide file without such a column: each row is one, and they are numbered.
    """
    from ..panel.number import number_sessions
    from ..readers import read

    if session is None and not wide and number_by is None:
        raise SessionwiseError(
            "no session column was named.",
            remedy="Add --session; or --wide if each person has one row; or --number-by and a column of dates.",
        )
    settings = _settings(options)
    table: Table
    if person is None:
        table, person = _rows_as_persons(read(file, missing=_codes(missing), **settings), wide or [])
    else:
        table = read(file, missing=_codes(missing), wide=wide or None, person=person, **settings)
    if number_by is not None:
        session = session or "session_number"
        table = number_sessions(table, person=person, by=number_by, into=session)
    # A wide file has no session column: turned long, it is called 'session'.
    return table, {"person": person, "session": session or "session", "cluster": cluster, "time": time}


def _rows_as_persons(table: Table, wide: list[str]) -> tuple[Table, str]:
    """A wide table whose rows are persons without a name, turned long; and its new column."""
    from dataclasses import replace

    from ..readers import wide_to_long

    name = next(n for n in ("person", "row", "person_row") if n not in table.columns)
    named = replace(table, frame=table.frame.with_row_index(name, 1))
    return wide_to_long(named, wide, person=name), name


def table_columns(file: Path, missing: list[str], options: list[str]) -> tuple[str, ...]:
    """The names of a file's columns, as it is read."""
    from ..readers import read

    return read(file, missing=_codes(missing), **_settings(options)).columns


def _settings(texts: list[str] | None) -> dict[str, Any]:
    """['header_row=4', 'dates.seen=%d.%m.%Y', 'redcap.base_arm_1=0', 'spread=sex'] as arguments of `read`."""
    import inspect

    from ..readers import read

    known = [name for name in inspect.signature(read).parameters if name not in ("path", "missing", "wide", "person")]
    settings: dict[str, Any] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        name, dot, key = name.partition(".")
        if not sign or name not in known:
            raise SessionwiseError(
                f"--read needs option=value, not {text!r}.{nearest(name, known)}",
                remedy=f"Options: {', '.join(known)}.",
            )
        plain: Any = (
            int(value) if re.fullmatch(r"-?[0-9]+", value) else {"true": True, "false": False}.get(value.lower(), value)
        )
        if dot:
            settings.setdefault(name, {})[key] = None if value.lower() == "none" else plain
        elif name == "spread":
            settings.setdefault(name, []).append(value)
        else:
            settings[name] = plain
    return settings


@dataclass(frozen=True, slots=True)
class Answering:
    """Instruments named on the command line, and how the file answers them. items, ranges : by instrument's name."""

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
        """The Panel with their scales."""
        from ..scoring import score

        return score(
            panel,
            *self.names,
            items=self.items or None,
            answers=self.ranges or None,
            already_reversed=self.already_reversed,
            out_of_range=out_of_range,
        )


def answering(
    names: list[str] | None, items: list[str] | None, answers: list[str] | None, already_reversed: bool
) -> Answering:
    """The options as they were meant; an option about an instrument that was not named with -i is refused."""
    from ..scoring import instrument

    known = [instrument(name).name for name in names or ()]
    patterns = _pairs(items, "--items")
    ranges = {name: _range(text) for name, text in _pairs(answers, "--answers").items()}
    for option, given in (("--items", patterns), ("--answers", ranges)):
        for name in given:
            if name not in known:
                raise SessionwiseError(
                    f"{option} is about {name!r}, which is not named with -i.{nearest(name, known)}",
                    remedy=f"Add -i {name}.",
                )
    if already_reversed and not known:
        raise SessionwiseError("--already-reversed needs an instrument.", remedy="Add -i, for example -i core-om.")
    return Answering(tuple(names or ()), patterns, ranges, already_reversed)


def degrees(text: str) -> str | float:
    """--df: the name of a method, or a number.

    Raises
    ------
    SessionwiseError : neither.
    """
    from ..mixed.inference.contrasts import DEGREES

    name = text.strip().lower()
    if name in DEGREES:
        return name
    try:
        value = float(name)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise SessionwiseError(
            f"--df is one of {', '.join(DEGREES)}, or a number above 0, not {text!r}.{nearest(text, DEGREES)}",
            remedy=f"Write --df {DEGREES[0]}, or leave it out.",
        )
    return value


def build_panel(table: Table, roles: dict[str, Any]) -> Panel:
    from ..panel import Panel

    return Panel(table, **roles)


def write_figures(panel: Panel, folder: Path, columns: list[str] | tuple[str, ...], note: str = "") -> list[Path]:
    """PNG files of the figures that describe a Panel."""
    from .. import plot

    make_folder(folder)
    charts = {f"trajectories-{_file_name(name)}": plot.trajectories(panel, name, note=note) for name in columns}
    charts |= {"drop-out": plot.dropout(panel, note=note), "missing": plot.missing(panel, note=note)}
    paths = []
    for name, chart in charts.items():
        paths.append(folder / f"{name}.png")
        with writing(paths[-1]):
            chart.save(paths[-1], scale_factor=2)
    return paths


def _file_name(column: str) -> str:
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in column)


def make_folder(path: Path) -> None:
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A file that cannot be written is an error with a remedy."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SessionwiseError(f"cannot write: {why}.", where=str(path), remedy="Name another place.") from error


def refuse_output(output: Path, file: Path) -> None:
    """Refuses, before any work, what `write_panel` could not or should not do."""
    if output.suffix.lower() not in (".csv", ".parquet"):
        what = f"cannot write a {output.suffix or 'file without an ending'}."
        raise SessionwiseError(what, where=str(output), remedy="Name a .csv or .parquet file.")
    if output.exists() and file.exists() and output.samefile(file):
        raise SessionwiseError(
            "the output is the input file: that would overwrite your data.",
            where=str(output),
            remedy="Name another file.",
        )
    can_be_written(output)


def can_be_written(path: Path) -> None:
    """Refuses, before any work, a file that cannot be written; nothing is left of the trial."""
    if path.is_dir():
        raise SessionwiseError("this is a folder, not a file.", where=str(path), remedy="Name a file in it.")
    if not path.parent.is_dir():
        raise SessionwiseError(
            "there is no such folder.", where=str(path.parent), remedy="Make it first, or name another."
        )
    there = path.exists()
    with writing(path):
        path.open("ab").close()
        if not there:
            path.unlink()


def write_panel(panel: Panel, path: Path) -> None:
    frame, kind = panel.to_frame(), path.suffix.lower()
    with writing(path):
        if kind == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)


def _codes(texts: list[str] | None) -> Any:
    """['-9', 'age=999', 'bdi=n/a'] as read's `missing`; '*' stands for all numeric columns."""
    if not texts:
        return None
    codes: dict[str, list[Any]] = {}
    for text in texts:
        column, sign, code = text.rpartition("=")
        codes.setdefault(column if sign else "*", []).append(_code(code))
    return codes if set(codes) != {"*"} else codes["*"]


def _code(text: str) -> float | str:
    """A number if it is one, otherwise the text; 'none' is meant otherwise."""
    try:
        return _number(text, "--missing")
    except SessionwiseError:
        if text.lower() == "none":
            raise
        return text


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SessionwiseError(f"{option} needs a number, not {text!r}.", remedy=f"For example {option} -9.") from None
    return int(value) if value.is_integer() else value


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """['wai-sr=1-7'] as {'wai-sr': '1-7'}."""
    pairs = {}
    for text in texts or ():
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
    return _number(match[1], "--answers"), _number(match[2], "--answers")


def out_of_range(text: str) -> str:
    """--out-of-range, whether or not there is an instrument to be scored."""
    if text not in ("error", "missing"):
        raise SessionwiseError(f"--out-of-range is one of error, missing, not {text!r}.", remedy="Choose one of them.")
    return text
