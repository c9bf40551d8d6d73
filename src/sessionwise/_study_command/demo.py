"""demo: a simulated study from its data to its report, and what was found beside what is true."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._command import make_folder, writing
from .analyze import Analysed, Say, analyze
from .settings import Settings

if TYPE_CHECKING:
    from ..datasets import DemoTruth
    from ..show import Grid
    from ..study import StudyResult

NOTE = "These data are simulated; no person in them is real."
#: Why found and true differ.
WHY = (
    "Why found and true differ: chance, of which the intervals tell; person means over few sessions, which bias lagged "
    "effects (the correction and the RI-CLPM are free of that); measurement error, since scores are made of items with "
    "noise, which weakens effects and autoregressions by every method; and persons who differ in their effects and in "
    "how long they stay, while the correction and the RI-CLPM take one process for all."
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A parameter that is known. corrected : for few sessions. riclpm : by the random-intercept cross-lagged panel
    model. None where that is not computed; their intervals are there for effects alone."""

    what: str
    true: float
    found: float
    low: float
    high: float
    corrected: float | None = None
    corrected_low: float | None = None
    corrected_high: float | None = None
    riclpm: float | None = None
    riclpm_low: float | None = None
    riclpm_high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Demo:
    """file : the data. analysed : what analyze gave. recovered : found beside true."""

    file: Path
    analysed: Analysed
    recovered: tuple[Recovered, ...]

    def to_dict(self) -> dict[str, Any]:
        rows = [{name: getattr(r, name) for name in Recovered.__slots__} for r in self.recovered]
        return {"simulated": True, "file": str(self.file), "recovered": rows, **self.analysed.to_dict()}

    def shown(self, program: str) -> list[Any]:
        """What a person wants to read on a terminal. program : how the command line is called."""
        from ..show import rich_group

        again = (
            f"{program} analyze {shlex.quote(str(self.file))} --person patient --session session --cluster therapist "
            "--time date -i core-om -i wai-sr --moderator pd -o report.html"
        )
        table = rich_group([self.grid()])
        return [NOTE.upper() + "\n", *self.analysed.lines(), "", table, WHY, f"\ntry it yourself:\n  {again}"]

    def grid(self) -> Grid:
        from ..show import Grid, num

        rows: list[tuple[str, ...]] = []
        for r in self.recovered:
            rows.append((r.what, num(r.true), num(r.found), f"{num(r.low)}, {num(r.high)}"))
            for method, value, low, high in (
                ("corrected for few sessions", r.corrected, r.corrected_low, r.corrected_high),
                ("RI-CLPM", r.riclpm, r.riclpm_low, r.riclpm_high),
            ):
                if value is not None:
                    ends = "" if low is None else f"{num(low)}, {num(high)}"
                    rows.append((f"    {method}", "", num(value), ends))
        head = ("", "true", "found", "95 % interval")
        return Grid("Found beside what is true (CORE-OM and WAI-SR points)", head, tuple(rows), dense=True)


def demo(folder: Path, seed: int | None, say: Say) -> Demo:
    """Data, report and tables in a folder."""
    from .. import datasets

    make_folder(folder)
    file = folder / "sessions.csv"
    say("simulating a study")
    seed = datasets.SEED if seed is None else seed
    with writing(file):
        datasets.demo(seed).frame.write_csv(file)
    settings = Settings(
        file=file,
        person="patient",
        session="session",
        cluster="therapist",
        time="date",
        outcome="core_om",
        process="wai_sr",
        moderator=("pd",),
        instrument=("core-om", "wai-sr"),
        output=folder / "report.html",
        results=folder / "results",
    )
    analysed = analyze(settings, say, notes=(NOTE,))
    return Demo(file, analysed, recovered(analysed.result, datasets.demo_truth(seed)))


def recovered(result: StudyResult, truth: DemoTruth) -> tuple[Recovered, ...]:
    """The coefficients of both main models beside those of the process behind the data.

    In the model of w the same session's y is held constant. With e_w = k e_y + rest, k = Cov(e_y, e_w) / Var(e_y), the
    coefficient of y is then k, that of the previous y is c - k a_y, that of the previous w is a_w - k b.
    """
    from ..study.records import Direction, Estimate, FewSessions, Moderation

    forward, reverse = result.forward, result.reverse
    if not isinstance(forward, Direction) or not isinstance(reverse, Direction):
        return ()
    t = truth.parameters
    var_y, cov, _ = t.innovation_cov
    k, b = cov / var_y, float(truth.persons["b"].to_numpy().mean())
    few = result.few_sessions.coefficients if isinstance(result.few_sessions, FewSessions) else ()
    corrected: dict[tuple[str, ...], float] = {(c.direction, c.key): c.without for c in few}

    scale = result.sensitivity.sd_outcome / result.sensitivity.sd_process
    units = {"forward": scale, "reverse": 1 / scale}  # what turns within-person SDs into points

    def by(method: str, side: str) -> tuple[float | None, float | None, float | None]:
        found = [getattr(r, side) for r in result.sensitivity.rows if r.key == method]
        if not found or not isinstance(found[0], Estimate):
            return None, None, None
        e = found[0].times(units[side])
        return e.value, e.low, e.high

    def row(what: str, true: float, e: Estimate, *key: str) -> Recovered:
        if key[1:] == ("effect",):
            return Recovered(what, true, e.value, e.low, e.high, *by("mlm-corrected", key[0]), *by("riclpm", key[0]))
        return Recovered(what, true, e.value, e.low, e.high, corrected.get(key))

    rows = [row("WAI-SR → next CORE-OM, mean", b, forward.within, "forward", "effect")]
    for m in (m for m in forward.moderators if isinstance(m, Moderation) and m.moderator == "pd"):
        rows += [row(f"  {s.at}", t.b0 + at * t.b_pd, s.estimate) for at, s in zip((0, 1), m.slopes, strict=False)]
    rows += [
        row("CORE-OM → next CORE-OM", t.a_y, forward.previous, "forward", "previous"),
        row("CORE-OM → next WAI-SR", t.c - k * t.a_y, reverse.within, "reverse", "effect"),
        row("WAI-SR → next WAI-SR", t.a_w - k * b, reverse.previous, "reverse", "previous"),
    ]
    if reverse.same_session is not None:
        rows.append(row("CORE-OM → WAI-SR, same session", k, reverse.same_session, "reverse", "same_session"))
    return tuple(rows)
