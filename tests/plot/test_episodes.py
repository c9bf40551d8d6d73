"""Small multiples of persons in whom events were found."""

from __future__ import annotations

import numpy as np
import pytest

import sessionwise as sw
from sessionwise import plot


@pytest.fixture(scope="module")
def found(panel: sw.Panel) -> sw.Episodes:
    return sw.detect(panel, sw.RuptureRepair("wai_sr"), patients=100)


def test_the_strongest_are_drawn_with_all_their_events(panel: sw.Panel, found: sw.Episodes) -> None:
    chart = plot.episodes(panel, found, persons=5)
    drawn = {row["person"] for row in plot.figure_table(chart, "names")}
    strength = found.found.evidence
    best = [str(found.persons[found.found.person[i]]) for i in np.argsort(-strength)]
    assert drawn == set(list(dict.fromkeys(best))[:5])
    spans = plot.figure_table(chart, "spans")
    expected = [row for row in found.table().to_dicts() if str(row["person"]) in drawn]
    assert [(r["person"], r["start"], r["turning"], r["end"]) for r in spans] == [
        (str(r["person"]), r["start"], r["turning"], r["end"]) for r in expected
    ]


def test_marks_stand_at_their_ratings(panel: sw.Panel, found: sw.Episodes) -> None:
    data = plot.episodes(panel, found, persons=3).datasets
    places = {(row["person"], row["session"]): (row["_x"], row["_y"]) for row in data["ratings"]}
    for span in data["spans"]:
        assert places[span["person"], span["turning"]] == (span["_xt"], span["_yt"])
        assert places[span["person"], span["start"]][0] == span["_x"]


def test_nothing_found_and_other_data_are_refused(panel: sw.Panel, found: sw.Episodes) -> None:
    none = sw.detect(panel, sw.SuddenGain("core_om", cutoff=1000.0), false_alarms=False)
    with pytest.raises(sw.PanelError, match="nothing was found"):
        plot.episodes(panel, none)
    with pytest.raises(sw.PanelError, match="other data"):
        plot.episodes(panel.subset(panel.persons[:20]), found)
