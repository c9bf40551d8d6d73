"""Where things are."""

from __future__ import annotations

from pathlib import Path

import pytest

#: The repository.
ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "sessionwise"
DOCS = ROOT / "docs"
#: Results of other programs that are kept with the tests.
REFERENCE = ROOT / "tests" / "reference"
_SHARED = ROOT.parent / "shared" / "reference"


def shared(name: str) -> Path:
    """A file of ../shared/reference: data of real persons, which are not kept with the tests. Skips where it is not."""
    path = _SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not in ../shared/reference")
    return path
