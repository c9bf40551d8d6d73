"""A process forked after tables had been used is told so; one that was started anew works."""

from __future__ import annotations

import multiprocessing
import os

import pytest

import sessionwise as sw
from helpers.sessions import nested, panel_of


def said_by(number: int) -> str:
    """What a Panel, a column and a file say, in the process that runs it."""
    said = []
    for use in (lambda: panel_of(TABLE), lambda: PANEL.series("y"), lambda: sw.read("none.csv")):
        try:
            use()
            said.append("works")
        except sw.SessionwiseError as error:
            said.append(f"{type(error).__name__}: {error.remedy}")
    return " | ".join(said)


TABLE = nested()
PANEL = panel_of(TABLE)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_process_is_told():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        said = pool.map_async(said_by, [0]).get(timeout=60).pop().split(" | ")
    assert len(said) == 3
    assert all(text.startswith("ForkError: ") and "'spawn'" in text for text in said)
    assert "works" in said_by(0)


def test_a_spawned_process_works():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply_async(sw.Panel, (nested(),), {"person": "p", "session": "s"}).get(timeout=60)
    assert found.n_persons == PANEL.n_persons
