"""The command line: one verb for each public function, and no logic of its own.

Everything heavy is imported inside the verb that needs it, so that --help is quick.
"""

from __future__ import annotations

import json
import sys

import typer

from ..errors import SessionwiseError
from . import analyze, check, demo, describe, detect, fit, score, track
from .remedies import in_options

app = typer.Typer(
    help="Does a change in the process at one session predict the outcome at the next, within the same patient?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


#: One file a verb: a function of its name, and an example.
for verb in (demo, check, score, describe, detect, track, fit, analyze):
    name = verb.__name__.rpartition(".")[2]
    app.command(name, epilog=verb.EPILOG)(getattr(verb, name))


def main() -> None:
    """Run the command line; errors of the package become one message and status 1."""
    try:
        app()
    except SessionwiseError as raised:
        error = in_options(raised)
        if "--json" in sys.argv:
            from .. import __version__

            told = {"what": error.what, "where": error.where, "remedy": error.remedy, "kind": type(error).__name__}
            verb = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
            print(
                json.dumps({"sessionwise": __version__, "command": verb, "error": told}, indent=2, ensure_ascii=False)
            )
        else:
            print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
