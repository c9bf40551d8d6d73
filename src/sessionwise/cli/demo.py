"""demo: a simulated study from its data to its report, and what was found beside what is true."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..outputs import Place, check_places, write_files
from .analyze import Analysis, Say
from .analyze import run as run_analysis
from .answering import Answering
from .console import busy, print_result
from .files import SessionsFile
from .options import Json, verb
from .places import ReportFiles
from .settings import Settings

if TYPE_CHECKING:
    from ..show import Grid
    from ..study.recovered import Recovered

NOTE = "These data are simulated; no person in them is real."
#: Why found and true differ.
WHY = (
    "Why found and true differ: chance, of which the intervals tell; person means over few sessions, which bias lagged "
    "effects (the correction and the RI-CLPM are free of that); measurement error, since scores are made of items with "
    "noise, which weakens effects and autoregressions by every method; and persons who differ in their effects and in "
    "how long they stay, while the correction and the RI-CLPM take one process for all. The dynamic model, which gives "
    "the answer unless it is left out (--quick), takes in all of these but chance; the answer's interval also allows "
    "for leaving because of scores that nobody saw."
)

EPILOG = "Example: sessionwise demo --out sessionwise-demo"


@verb
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo's files.")] = Path("sessionwise-demo"),
    seed: Annotated[int | None, typer.Option(help="Another simulated study.", show_default="the shipped one")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the dynamic model, which takes seconds and gives the answer.")
    ] = False,
    json_: Json = False,
) -> None:
    """Simulate a study, analyze it, write its report, and say what was found beside what is true."""
    with busy("simulating a study") as say:
        simulated = run(out, seed, say, quick=quick)
    program = "sessionwise" if shutil.which("sessionwise") else sys.argv[0]
    print_result(json_, {"command": "demo", **simulated.to_dict()}, *simulated.shown(program))


@dataclass(frozen=True, slots=True, eq=False)
class Demo:
    """file : the data. analysis : what analyze gave. recovered : found beside true."""

    file: Path
    analysis: Analysis
    recovered: tuple[Recovered, ...]

    def to_dict(self) -> dict[str, Any]:
        rows = [asdict(r) for r in self.recovered]
        return {"simulated": True, "file": str(self.file), "recovered": rows, **self.analysis.to_dict()}

    def shown(self, program: str) -> list[Any]:
        """What a person wants to read on a terminal. program : how the command line is called."""
        from ..show import rich_group

        quick = " --quick" if self.analysis.result.study.dynamic is False else ""
        again = (
            f"{program} analyze {shlex.quote(str(self.file))} --person patient --session session --cluster therapist "
            f"--time date -i core-om -i wai-sr --moderator pd{quick} -o report.html"
        )
        table = rich_group([self.grid()])
        return [NOTE.upper() + "\n", *self.analysis.lines(), "", table, WHY, f"\ntry it yourself:\n  {again}"]

    def grid(self) -> Grid:
        from ..show import Grid
        from ..words import num

        rows: list[tuple[str, ...]] = []
        for r in self.recovered:
            rows.append((r.what, num(r.true), num(r.found), f"{num(r.low)}, {num(r.high)}"))
            for method, value, low, high in (
                ("corrected for few sessions", r.corrected, r.corrected_low, r.corrected_high),
                ("RI-CLPM", r.riclpm, r.riclpm_low, r.riclpm_high),
                ("DSEM of true scores", r.dsem, r.dsem_low, r.dsem_high),
            ):
                if value is not None:
                    ends = "" if low is None else f"{num(low)}, {num(high)}"
                    rows.append((f"    {method}", "", num(value), ends))
        head = ("", "true", "found", "95 % interval")
        title = "Found by the multilevel model, and by others, beside what is true (CORE-OM and WAI-SR points)"
        return Grid(title, head, tuple(rows), dense=True)


def run(folder: Path, seed: int | None, say: Say, *, quick: bool = False) -> Demo:
    """Data, report and tables in a folder. quick : whether the dynamic model is left out."""
    from .. import datasets
    from ..study.recovered import recovered

    file = Place(folder / "sessions.csv", named=False, folder=True)
    files = ReportFiles(folder / "report.html", folder / "results")
    check_places([file, *(replace(place, named=False, folder=True) for place in files.places())])
    say("simulating a study")
    seed = datasets.SEED if seed is None else seed
    write_files({file: datasets.demo(seed).frame.write_csv().encode()})
    settings = Settings(
        SessionsFile(file.path, "patient", "session", "therapist", "date"),
        outcome="core_om",
        process="wai_sr",
        moderator=("pd",),
        quick=quick,
        files=files,
        answering=Answering(("core-om", "wai-sr")),
    )
    analysis = run_analysis(settings, say, notices=(NOTE,))
    return Demo(file.path, analysis, recovered(analysis.result, datasets.demo_truth(seed)))
