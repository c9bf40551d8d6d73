"""One study for all tests of the report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sessionwise as sw
from helpers import demo
from sessionwise.reports import Painter, html


@pytest.fixture(scope="session")
def panel() -> sw.Panel:
    return demo.scored(90, time="date")


@pytest.fixture(scope="session")
def result(panel: sw.Panel) -> sw.StudyResult:
    return sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(panel)


@pytest.fixture(scope="session")
def painter() -> Iterator[Painter]:
    with Painter() as painter:
        yield painter


@pytest.fixture(scope="session")
def page(result: sw.StudyResult, panel: sw.Panel, painter: Painter) -> str:
    return html(
        result, panel, painter=painter, facts=[("Command", "sessionwise analyze <a> & b")], notices=["Simulated."]
    )
