"""check: what is wrong or odd in a table of sessions -> Findings. Nothing is changed and nothing is guessed.

One file for each kind of check. Findings of one kind are one line, however many columns or rows they concern.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import narwhals as nw

from ..errors import PanelError
from ..findings import Finding, Findings
from ..options import INSTRUMENTS, takes
from ..panel import Panel
from ..panel.frames import column, eager
from ..panel.labels import person_labels, time_values
from ..panel.roles import role_errors
from ..panel.table import Origin, Table
from ..scoring import Instrument, Wanted
from .answers import check_instruments, keys
from .clusters import check_clusters
from .columns import check_columns
from .dates import check_dates
from .episodes import check_episodes
from .missing_codes import check_missing_codes
from .persons import check_labels, check_persons
from .sessions import check_sessions
from .sheet import Sheet

Name = str | PathLike[str] | Instrument

__all__ = ["check"]


@takes(PanelError, instruments=INSTRUMENTS)
def check(
    data: Any,
    *,
    person: str | None = None,
    session: str | None = None,
    cluster: str | None = None,
    time: str | None = None,
    episode: str | None = None,
    instruments: Wanted = (),
) -> Findings:
    """Everything wrong or odd in the data, errors first.

    Parameters
    ----------
    data : a Panel, a Table, or any dataframe.
    person, session, cluster, time, episode : the columns' roles, as in `Panel`; not with a Panel, which has them.
        Without `person` and `session` only the columns are checked.
    instruments : names, files or Instruments that must be in the data; or a dict name -> item columns as in
        `score`. Instruments whose item columns are found by their names are checked as well.

    Returns
    -------
    Findings : 'error' (a Panel cannot be built, an instrument is not there), 'warning', 'note'.
        Those of a Table or Panel itself are included.

    Raises
    ------
    PanelError : `data` is not a table, or roles were given with a Panel.
    InstrumentError : an instrument is not known.
    """
    roles = {"person": person, "session": session, "cluster": cluster, "time": time, "episode": episode}
    named = {role: name for role, name in roles.items() if name is not None}
    sheet, found = _sheet(data, named)
    answered, instrument_findings = keys(sheet, instruments)
    found = [*found, *instrument_findings]
    if sheet.panel is not None and len(sheet.panel):
        for part in (check_sessions, check_dates, check_episodes, check_persons, check_clusters):
            found += part(sheet.panel)
    found += check_labels(sheet)
    found += check_columns(sheet)
    found += check_missing_codes(sheet, {name for key in answered for name in key.columns.values()})
    found += check_instruments(sheet, answered)
    return Findings(found)


def _sheet(data: Any, named: Mapping[str, str]) -> tuple[Sheet, list[Finding]]:
    """What the checks read, and the findings of reading and building."""
    if isinstance(data, Panel):
        if named:
            raise PanelError(
                "a Panel has its roles already.",
                where=f"given: {', '.join(named)}",
                remedy="Leave the roles out, or give the table the Panel was built from.",
            )
        return Sheet(data.columns, data.series, data.where, data.roles.taken(), data), list(data.findings)
    frame, origin, _ = eager(data)
    if "person" in named and "session" in named:
        try:
            panel = Panel(data if isinstance(data, Table) else frame.to_native(), **named)
        except PanelError:
            pass
        else:
            return Sheet(panel.columns, panel.series, panel.where, panel.roles.taken(), panel), list(panel.findings)
    found = list(data.findings) if isinstance(data, Table) else []
    found += _structure_findings(frame, named, origin)
    there = {role: name for role, name in named.items() if name in frame.columns}
    return Sheet(tuple(frame.columns), lambda name: column(frame, name), origin.say, there, None), found


def _structure_findings(frame: nw.DataFrame[Any], named: Mapping[str, str], origin: Origin) -> list[Finding]:
    """Why there is no Panel."""
    if "person" in named and "session" in named:
        from ..panel.roles import Roles, structure

        return list(structure(frame, Roles.given(**named), origin)[1])
    found = role_errors(frame, named)
    if not found:
        if "person" in named:
            person_labels(column(frame, named["person"]), named["person"], origin, found)
        if "time" in named:
            time_values(column(frame, named["time"]), named["time"], origin, found)
    what = "No person and session columns were named: only the columns were checked."
    remedy = "check(table, person='...', session='...') checks the sessions too."
    return [*found, Finding("note", "no-structure", what, remedy=remedy)]
