"""demo: a simulated study from its data to its report, and what was found beside what is true."""

from __future__ import annotations

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
    from ..study.records import Estimate

NOTE = "These data are simulated; no person in them is real."
#: Why found and true differ, beside chance.
WHY = (
    "Within few sessions person means bias lagged effects; the correction takes that out. What remains is measurement "
    "error: scores are made of items with noise, which weakens effects and autoregressions."
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A parameter that is known. corrected : for few sessions, or None where that is not computed."""

    what: str
    true: float
    found: float
    low: float
    high: float
    corrected: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Demo:
    """file : the data. analysed : what analyze gave. recovered : found beside true."""

    file: Path
    analysed: Analysed
    recovered: tuple[Recovered, ...]

    def to_dict(self) -> dict[str, Any]:
        rows = [{name: getattr(r, name) for name in Recovered.__slots__} for r in self.recovered]
        return {"simulated": True, "file": str(self.file), "recovered": rows, **self.analysed.to_dict()}

    def grid(self) -> Grid:
        from ..show import Grid, num

        head = ("", "true", "found", "95 % interval", "corrected")
        rows = [
            (r.what, num(r.true), num(r.found), f"{num(r.low)}, {num(r.high)}", num(r.corrected))
            for r in self.recovered
        ]
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
    from ..study.records import Direction, FewSessions, Moderation

    forward, reverse = result.forward, result.reverse
    if not isinstance(forward, Direction) or not isinstance(reverse, Direction):
        return ()
    t = truth.parameters
    var_y, cov, _ = t.innovation_cov
    k, b = cov / var_y, float(truth.persons["b"].to_numpy().mean())
    few = result.few_sessions.coefficients if isinstance(result.few_sessions, FewSessions) else ()
    corrected: dict[tuple[str, ...], float] = {(c.direction, c.key): c.without for c in few}

    def row(what: str, true: float, e: Estimate, *key: str) -> Recovered:
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
