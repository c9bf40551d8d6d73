"""python -m bench [PART ...]: prints tables and writes them to bench/results.md; parts not named are left there."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import command, dynamic, multilevel, panel_sem, products, reading, sessions
from .table import replace_section, section

PARTS = {
    "command": command,
    "reading": reading,
    "sessions": sessions,
    "products": products,
    "multilevel": multilevel,
    "panel_sem": panel_sem,
    "dynamic": dynamic,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is named")
    parser.add_argument("--slow", action="store_true", help="peers that take minutes, too")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results.md")
    given = parser.parse_args()
    unknown = sorted(set(given.parts) - set(PARTS))
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    titles = [part.TITLE for part in PARTS.values()]
    for name in given.parts or PARTS:
        part = PARTS[name]
        text = section(part.TITLE, part.ABOUT, part.rows(slow=given.slow))
        print(text, flush=True)
        replace_section(given.out, text, titles)


if __name__ == "__main__":
    main()
