"""The report as a page: one file, no network, the answer first, every part accessible, the same every time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise import plot
from sessionwise.reports import Painter, figures, html, report
from sessionwise.reports.python_call import python_call
from sessionwise.reports.sections import SECTIONS, Given, _assumptions
from sessionwise.study.fingerprint import fingerprint
from sessionwise.study.records import Direction, Headline, Heterogeneity, Moderation, NotAnswered, PersonEffects
from sessionwise.study.study_call import StudyCall

_VOID = {"meta", "br", "link", "img", "input", "hr", "path", "rect", "line", "circle"}


class Outline(HTMLParser):
    """Elements in order: tag, attributes, text until the element ends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.setdefault(self._open[-1], []).append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_it_is_well_formed(outline: Outline) -> None:
    assert outline.unclosed == []
    ids = [attrs["id"] for _, attrs in outline.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert all(" " not in (name or "") for name in ids)
    refs = [attrs["aria-labelledby"] for _, attrs in outline.elements if attrs.get("aria-labelledby")]
    assert set(refs) <= set(ids)


def test_nothing_comes_from_a_network(outline: Outline, page: str) -> None:
    for _, attrs in outline.elements:
        assert not attrs.get("src")
        assert (attrs.get("href") or "#").startswith("#")
        assert not attrs.get("xlink:href")
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_the_answer_comes_first(page: str, result: sw.StudyResult) -> None:
    body = page[page.index("<body>") :]
    at = [body.index(">Simulated.<"), body.index(result.answer[0][:40]), body.index(result.answer[1][:40])]
    at += [body.index('id="figure-sensitivity"'), body.index('id="sample"'), body.index('id="forward"')]
    assert at == sorted(at)


def test_sections_stand_in_the_contents_and_none_is_empty(page: str, result: sw.StudyResult) -> None:
    keys = re.findall(r'<section id="(\w+)"', page)
    assert keys == [
        "answer",
        "sample",
        "forward",
        "reverse",
        "sensitivity",
        "persons",
        "checklist",
        "paper",
        "open",
        "about",
    ]
    assert result.unanswered  # else nothing is open
    assert re.findall(r'<li><a href="#(\w+)">', page) == keys
    for text in re.findall(r"<section .*?</h2>(.*?)</section>", page, re.DOTALL):
        assert len(text.strip()) > 40


def test_every_figure_has_words_a_still_picture_and_its_data(page: str) -> None:
    figures = re.findall(r"<figure .*?</figure>", page, re.DOTALL)
    assert len(figures) >= 8
    for figure in figures:
        assert len(re.findall(r'role="img" aria-label="[^"]{40,}', figure)) == 2
        assert re.search(r'<svg [^>]*viewBox="[^"]+"[^>]*aria-hidden="true"', figure)
        assert "<tbody>\n<tr>" in figure
        (spec,) = re.findall(r'<script type="application/json">(.*?)</script>', figure, re.DOTALL)
        assert json.loads(spec)["width"] == "container"


def test_words_from_outside_are_escaped(page: str) -> None:
    assert "sessionwise analyze &lt;a&gt; &amp; b" in page


def test_facts_are_stated(page: str, result: sw.StudyResult) -> None:
    about = page[page.index('<section id="about"') :]
    assert result.fingerprint in about
    assert f"sessionwise {sw.__version__}" in about
    assert "moderators" not in about  # the command says it
    assert "Time taken" not in about


def test_the_call_gives_the_same_again(result: sw.StudyResult, panel: sw.Panel) -> None:
    """With the scoring that the Panel tells of."""
    call = python_call(result, panel)
    table = sw.datasets.demo(persons=90)
    names: dict[str, Any] = {"table": table, "Panel": sw.Panel, "score": sw.score, "Study": sw.Study}
    *before, last = call.split("; ")
    for step in before:
        exec(step, names)
    assert last.startswith(
        "Study(outcome='core_om', process='wai_sr', moderators=['pd'], dynamic=False).run(panel, seed="
    )
    assert fingerprint(names["panel"], result.study.columns) == result.fingerprint
    assert python_call(result, None) == result.call


def test_the_call_tells_how_items_were_answered() -> None:
    frame = sw.datasets.demo(persons=30).frame
    wai = [f"wai_sr_{i}" for i in range(1, 13)]
    table = frame.rename({name: f"q_{i}" for i, name in enumerate(wai)})
    panel = sw.Panel(table, person="patient", session="session")
    made = sw.score(panel, "wai-sr", items=[f"q_{i}" for i in range(12)], answers=(1, 7))
    asked = StudyCall.of(sw.Study("a", "b).run("), made, 7)
    told = SimpleNamespace(asked=asked, call=str(asked))
    text = python_call(told, made)  # type: ignore[arg-type]
    roles = "person='patient', session='session'"
    assert text.startswith(f"panel = Panel(table, {roles}); panel = score(panel, 'wai-sr', items=['q_0', 'q_1'")
    assert text.endswith("answers=(1, 7)); Study(outcome='a', process='b).run(').run(panel, seed=7)")
    assert python_call(told, None) == f"Study(outcome='a', process='b).run(').run(Panel(table, {roles}), seed=7)"  # type: ignore[arg-type]


def test_only_doubts_about_what_is_used(result: sw.StudyResult, panel: sw.Panel, painter: Painter) -> None:
    """A study uses no reliable change; how many items may be missing it does use."""
    assert any(f.code == "key-unverified" for f in panel.findings)
    page = html(result, panel, painter=painter, read=tuple(panel.findings))
    assert "reliable change has not been verified" not in page
    assert "reliable change has not been verified" not in html(result, painter=painter)
    used = "how many items may be missing has not been verified against a source"
    more = sw.score(panel.with_columns({f"gad_7_{i}": panel["core_om_1"] % 4 for i in range(1, 8)}), "gad-7")
    assert any(f"the cut-off has not been verified against a source; {used}" in f.what for f in more.findings)
    page = html(result, more, painter=painter, read=tuple(more.findings))
    assert f"<li>gad-7: {used}." in page
    assert "the cut-off has not been verified" not in page


def test_options_are_not_divided(result: sw.StudyResult, painter: Painter) -> None:
    page = html(result, painter=painter, facts=[("Command", "analyze a-b.csv --time date -i x")])
    assert 'a-b.csv <span class="option">--time</span> date <span class="option">-i</span> x</code>' in page


@pytest.mark.parametrize("p", [0.06, 0.01])
def test_persons_are_counted_only_where_they_were_shown_to_differ(result: sw.StudyResult, p: float) -> None:
    """How many intervals leave out zero would only say the average again."""
    assert isinstance(result.forward, Direction)
    assert isinstance(result.forward.heterogeneity, Heterogeneity)
    assert isinstance(result.persons, PersonEffects)
    test = replace(result.forward.heterogeneity, p=p)
    (part,) = figures.persons(replace(result, forward=replace(result.forward, heterogeneity=test)), None)
    title = plot.embed(part.chart).title
    if p < 0.05:
        of = f"in {result.persons.apart} of {len(result.persons.effects)} patients"
        assert title == f"The effect of WAI-SR on the next CORE-OM differs from the average {of}"
    else:
        assert title == "Patients were not shown to differ in the effect of WAI-SR on the next CORE-OM (p = .060)"
        assert "zero" not in json.dumps([row for row in part.chart.to_dict()["layer"] if "text" in str(row["mark"])])


def test_hardly_any_missing_values_need_no_figure(result: sw.StudyResult, panel: sw.Panel) -> None:
    def drawn(lost: int) -> list[str]:
        values = np.where(np.arange(len(panel)) < lost, np.nan, panel["wai_sr"])
        poorer = sw.Panel(panel.to_frame().with_columns(wai_sr=pl.Series(values)), person="patient", session="session")
        described = replace(result, description=sw.describe(poorer, ["core_om", "wai_sr"]))
        return [part.name for part in figures.gaps(described, poorer)]

    missing = result.description.missing
    assert 0 < missing.share[missing.columns.index("wai_sr")] < 0.01
    assert drawn(0) == []
    assert drawn(10) == ["missing"]


def test_data_tables_are_headed_by_what_they_hold(page: str) -> None:
    """Both ways round: the response's name does not stand over the predictor."""
    for way, predictor, response in (("forward", "WAI-SR", "CORE-OM"), ("reverse", "CORE-OM", "WAI-SR")):
        table = page[page.index(f'id="t-figure-{way}-pairs"') :]
        heads = re.findall(r"<th[^>]*>(.*?)</th>", table[: table.index("</thead>")])
        before = f"{predictor} at the previous session, less the mean"
        assert heads == [before, f"{response}, less the mean", "Low", "High"]


def test_the_same_bytes_but_for_the_time(result: sw.StudyResult, panel: sw.Panel, tmp_path: Path, page: str) -> None:
    """By another painter, after other drawings, and with a line for the time."""
    path = report(
        result,
        tmp_path / "report.html",
        panel,
        started=0.0,
        facts=[("Command", "sessionwise analyze <a> & b")],
        notices=["Simulated."],
    )
    lines = path.read_text(encoding="utf-8").splitlines()
    (at,) = (i for i, line in enumerate(lines) if "Time taken: " in line)
    del lines[at]
    assert lines == page.splitlines()
    assert path.stat().st_size < 5_000_000


def test_without_data_there_are_fewer_figures(result: sw.StudyResult, painter: Painter, panel: sw.Panel) -> None:
    page = html(result, painter=painter)
    assert 'id="figure-sensitivity"' in page
    assert "figure-course" not in page
    assert "Averages by session" in page


def test_other_data_are_refused(result: sw.StudyResult, panel: sw.Panel) -> None:
    other = sw.Panel(sw.datasets.demo(persons=30), person="patient", session="session")
    with pytest.raises(sw.StudyError, match="not those that were analysed"):
        html(result, other)


def test_what_cannot_be_answered_is_told_and_has_no_figure(result: sw.StudyResult, painter: Painter) -> None:
    none = NotAnswered("whether it does", "Too few.", "At least 20 <persons>.")
    rows = tuple(replace(row, forward=none, reverse=none) for row in result.sensitivity.rows)
    poor = replace(
        result, forward=none, reverse=none, persons=none, few_sessions=none, drop_out=none, no_cluster=none,
        headline=Headline(none, none), estimands=(), diagnostics=(),
        sensitivity=replace(result.sensitivity, rows=rows),
    )  # fmt: skip
    page = html(poor, painter=painter)
    assert "<figure" not in page
    assert "<strong>Needed:</strong> At least 20 &lt;persons&gt;." in page
    assert '<section id="open"' in page
    for text in re.findall(r"<section .*?</h2>(.*?)</section>", page, re.DOTALL):
        assert text.strip()


def test_disagreement_is_said_before_the_answer(result: sw.StudyResult, painter: Painter) -> None:
    words = ("Methods disagree on this and that.", *result.sensitivity.words[1:])
    other = replace(result.sensitivity, agree=False, words=words, disagree=words[:1])
    page = html(replace(result, sensitivity=other), painter=painter)
    assert page.index("Methods disagree on this and that.") < page.index(result.answer[0][:40])


def test_sections_are_a_list_that_can_grow(result: sw.StudyResult) -> None:
    assert [key for key, _, _ in SECTIONS][:2] == ["answer", "sample"]


def test_the_method_of_a_result(result: sw.StudyResult, tmp_path: Path) -> None:
    assert result.report(tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_phrases_tell_the_lag(result: sw.StudyResult) -> None:
    """No 'next' where two sessions lie between."""
    later = replace(result, study=sw.Study("core_om", "wai_sr", moderators=["pd"], lag=2, dynamic=False))
    part = figures.forest(later)
    assert part is not None
    assert "WAI-SR → CORE-OM 2 sessions later: −" in plot.embed(part.chart).title
    titles = {key: title(Given(later, None, {})) for key, title, _ in SECTIONS}
    assert titles["reverse"] == "CORE-OM → WAI-SR 2 sessions later"
    assert isinstance(later.forward, Direction)
    (moderation,) = later.forward.moderators
    assert isinstance(moderation, Moderation)
    (drawn,) = figures.slopes(later, later.forward, moderation)
    assert "WAI-SR 2 sessions before within patients" in plot.embed(drawn.chart).title


def test_what_methods_take_for_granted(result: sw.StudyResult) -> None:
    """Covariates stand there where there are any."""
    heads = [c.title for c in _assumptions(result).columns]
    assert heads[:4] == ["Method", "Person means", "Trend", "Effects"]
    assert "Covariates" not in heads
    with_age = replace(result, study=sw.Study("core_om", "wai_sr", covariates=["age"], dynamic=False))
    assert "Covariates" in [c.title for c in _assumptions(with_age).columns]
