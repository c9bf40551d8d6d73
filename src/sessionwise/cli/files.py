"""Files of sessions: what the options say of one, and reading it."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import SessionwiseError, Wording, nearest
from ..outputs import check_name
from .options import READING, number

if TYPE_CHECKING:
    from ..panel import Panel, Roles, Table


@dataclass(frozen=True, slots=True)
class SessionsFile:
    """A file of sessions, and how it is read.

    person : None for a wide file without such a column: each row is one, and they are numbered.
    missing, read : as they are written on the command line, 'age=999', 'header_row=4'.

    Raises
    ------
    SessionwiseError : the file's name is no text, before anything is done with it.
    """

    file: Annotated[
        Path,
        typer.Argument(help="CSV, Excel, LibreOffice, SPSS, Stata, SAS, R, JSON or Parquet file.", show_default=False),
    ]
    person: Annotated[str | None, typer.Option(help="Column that says whose row it is.", show_default=False)]
    session: Annotated[str | None, typer.Option(help="Column with the session number.", show_default=False)] = None
    cluster: Annotated[str | None, typer.Option(help="Column of therapists, clinics, ...", show_default=False)] = None
    time: Annotated[str | None, typer.Option(help="Column of dates.", show_default=False)] = None
    episode: Annotated[
        str | None, typer.Option(help="Column that tells a person's treatments apart.", show_default=False)
    ] = None
    missing: Annotated[
        tuple[str, ...],
        typer.Option(
            help="Code that means missing, such as -9, or column=code; repeat for more.",
            show_default=False,
            rich_help_panel=READING,
        ),
    ] = ()
    wide: Annotated[
        tuple[str, ...],
        typer.Option(
            help="Pattern of columns to turn into rows, such as 'core_{}' or 'core_{pre|post}'; repeat for more.",
            show_default=False,
            rich_help_panel=READING,
        ),
    ] = ()
    read: Annotated[
        tuple[str, ...],
        typer.Option(
            "--read",
            help="Any other option of read, such as sheet=Data, header_row=4, decimal=, or dates.seen=%d.%m.%Y; "
            "repeat for more.",
            show_default=False,
            rich_help_panel=READING,
        ),
    ] = ()
    number_by: Annotated[
        str | None,
        typer.Option(
            help="Number each person's sessions by this column of dates.", show_default=False, rich_help_panel=READING
        ),
    ] = None

    def __post_init__(self) -> None:
        check_name(self.file)

    def columns(self) -> tuple[str, ...]:
        """The names of the file's columns, as it is read."""
        return self._as_it_is().columns

    def how_to_turn(self) -> str:
        """What to do with the file if it looks as if each person had one row; nothing otherwise."""
        from ..readers.looks_wide import looks_wide

        doubt = looks_wide(self._as_it_is(), self.person)
        return Wording(doubt.what, " ", doubt.remedy).for_command_line() if doubt else ""

    def long_table(self) -> LongTable:
        """Its rows, one a session; a wide or dated file is given its session column.

        Raises
        ------
        SessionwiseError : no session column and no way to make one, or an option that `read` does not have.
        ReadError, PanelError : a file that cannot be read, or sessions that cannot be numbered.
        """
        from ..panel import Roles, number_sessions

        if self.session is None and not self.wide and self.number_by is None:
            default = "Add --session; or --wide if each person has one row; or --number-by and a column of dates."
            raise SessionwiseError("no session column was named.", remedy=self.how_to_turn() or default)
        table, person = self._rows_of_persons()
        # A wide file has no session column: turned long, it is called 'session'.
        session = self.session or "session"
        if self.number_by is not None:
            session = self.session or "session_number"
            table = number_sessions(table, person=person, by=self.number_by, into=session, episode=self.episode)
        return LongTable(table, Roles.given(person, session, self.cluster, self.time, self.episode))

    def panel(self) -> Panel:
        """Person × session."""
        return self.long_table().panel()

    def _rows_of_persons(self) -> tuple[Table, str]:
        """The table, long, and the column that says whose row it is: a new one if rows are persons without a name."""
        from ..readers import read, wide_to_long

        if self.person is not None:
            wide = list(self.wide) or None
            options = read_options(self.read)
            table = read(self.file, missing=missing_codes(self.missing), wide=wide, person=self.person, **options)
            return table, self.person
        options = read_options(self.read)
        keep = options.pop("keep", False)
        table = read(self.file, missing=missing_codes(self.missing), **options)
        name = next(n for n in ("person", "row", "person_row") if n not in table.columns)
        numbered = replace(table, frame=table.frame.with_row_index(name, 1))
        return wide_to_long(numbered, list(self.wide), person=name, keep=keep), name

    def _as_it_is(self) -> Table:
        """The table with the file's own columns, if it is a wide one."""
        from ..readers import read

        options = read_options(self.read)
        options.pop("keep", None)  # of what is turned
        return read(self.file, missing=missing_codes(self.missing), **options)


@dataclass(frozen=True, slots=True, eq=False)
class LongTable:
    """What was read: one row a session, and the roles of its columns."""

    table: Table
    roles: Roles

    def panel(self) -> Panel:
        from ..panel import Panel

        return Panel(self.table, **self.roles.named())


def read_options(texts: tuple[str, ...]) -> dict[str, Any]:
    """('header_row=4', 'dates.seen=%d.%m.%Y', 'redcap.base_arm_1=0', 'spread=sex') as arguments of `read`.

    Raises
    ------
    SessionwiseError : an option that `read` does not have.
    """
    from ..readers import read

    known = [name for name in inspect.signature(read).parameters if name not in ("path", "missing", "wide", "person")]
    options: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name, dot, key = name.partition(".")
        if not sign or name not in known:
            raise SessionwiseError(
                f"--read needs option=value, not {text!r}.{nearest(name, known)}",
                remedy=f"Options: {', '.join(known)}.",
            )
        plain = _plain(name, value)
        if dot:
            options.setdefault(name, {})[key] = None if value.lower() == "none" else plain
        elif name == "spread":
            options.setdefault(name, []).append(value)
        else:
            options[name] = plain
    return options


def _plain(name: str, value: str) -> Any:
    """What a text stands for: a number, two rows ('1,2'), true or false, or itself."""
    if re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    if name == "header_row" and re.fullmatch(r"[0-9]+,[0-9]+", value):
        return [int(row) for row in value.split(",")]
    return {"true": True, "false": False}.get(value.lower(), value)


def missing_codes(texts: tuple[str, ...]) -> Any:
    """('-9', 'age=999', 'bdi=n/a') as read's `missing`; '*' stands for all numeric columns.

    Raises
    ------
    SessionwiseError : a code without a column that is no number.
    """
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
        return number("--missing", text)
    except SessionwiseError:
        if text.lower() == "none":
            raise
        return text
