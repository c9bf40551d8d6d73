"""Makes page/vega.js anew from the vl-convert that is installed: `make vega`. Its licences stand at its head.

The bundle is kept with the package, so that a report does not wait for it and its bytes depend on the version alone.
"""

from __future__ import annotations

from pathlib import Path

_PAGE = Path(__file__).parent / "page"


def bundle() -> str:
    """Licences, and the drawing program as one module that sets `vegaEmbed` in the window."""
    import vl_convert

    licences = (_PAGE / "vega-licenses.txt").read_text(encoding="utf-8").rstrip()
    program: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    assert "</script" not in program
    return f"/*!\n{licences}\n*/\n{program}\n"


if __name__ == "__main__":
    (_PAGE / "vega.js").write_text(bundle(), encoding="utf-8", newline="\n")
