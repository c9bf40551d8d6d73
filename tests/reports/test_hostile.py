"""Names and labels from a file become text in a report, never markup, a program or a request."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import polars as pl
import pytest

import sessionwise as sw
from helpers.browser import CHROMIUM, Page
from sessionwise import plot
from sessionwise.reports import Painter, html, report, write_tables, write_word

ADDRESS = "https://elsewhere.example/"
PERSON, SESSION = "image", 'constructor\n"x\\'
OUTCOME, PROCESS, MODERATOR = f"CORE</script><img src={ADDRESS}y>\nin all\\", "__proto__", "toString"

HOVER = """(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const seen = [];
  for (const figure of document.querySelectorAll("figure")) {
    figure.scrollIntoView();
    for (let i = 0; i < 200 && !figure.querySelector(".live svg"); i++) await wait(50);
    const tips = document.querySelector(".tips");
    let shown = 0, elements = new Set();
    for (const mark of [...figure.querySelectorAll(".live svg g[class*='mark-'] > *")].slice(0, 300)) {
      const box = mark.getBoundingClientRect();
      const place = { bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
      for (const kind of ["pointerover", "pointermove", "mouseover", "mousemove"])
        mark.dispatchEvent(new PointerEvent(kind, place));
      shown += !tips.hidden;
      tips.querySelectorAll("*").forEach((one) => elements.add(one.localName));
    }
    seen.push({ name: figure.id, live: figure.classList.contains("is-live"), shown, elements: [...elements] });
  }
  await wait(300);
  return { seen, images: document.images.length, scripts: document.scripts.length };
})()"""


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    frame = sw.datasets.demo(persons=60, scale_scores=True).frame
    new = {"patient": PERSON, "session": SESSION, "core_om": OUTCOME, "wai_sr": PROCESS, "pd": MODERATOR}
    frame = frame.select([*new, "therapist"]).with_columns(
        patient=pl.format(ADDRESS + "{}.png", "patient"),
        pd=pl.when(pl.col("pd") > 0)
        .then(pl.lit(f"\x01<img src={ADDRESS}x>\\"))
        .otherwise(pl.lit("=cmd|' /C calc'!A0")),
    )
    return sw.Panel(frame.rename(new), person=PERSON, session=SESSION, cluster="therapist")


@pytest.fixture(scope="module")
def result(panel: sw.Panel) -> sw.StudyResult:
    return sw.Study(OUTCOME, PROCESS, moderators=[MODERATOR], dynamic=False).run(panel)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize("labels", [False, True])
def test_a_browser_asks_for_nothing(labels: bool, result: sw.StudyResult, panel: sw.Panel, tmp_path: Path) -> None:
    path = report(result, tmp_path / "report.html", panel, labels=labels)
    with Page(path, tmp_path / "profile") as page:
        found = page.run(HOVER)
        assert page.requests() == []
        assert page.complaints() == []
    assert len(found["seen"]) >= 8
    for figure in found["seen"]:
        assert figure["live"], figure
        assert figure["shown"] > 10, figure
        assert set(figure["elements"]) == {"div", "span"}, figure
    assert found["images"] == 0
    assert found["scripts"] == len(found["seen"]) + 3  # data of figures, colours, Vega, the page's own


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_browser_would_tell_of_a_request(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    (tmp_path / "page.html").write_text("<img src='http://127.0.0.1:9/x'>", encoding="utf-8")
    with Page(tmp_path / "page.html", tmp_path / "profile") as page:
        assert page.requests() == ["http://127.0.0.1:9/x"]


def test_the_page_forbids_requests_and_programs(result: sw.StudyResult, painter: Painter) -> None:
    text = html(result, painter=painter)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    told = {part.split()[0]: part.split()[1:] for part in policy.replace("&#39;", "'").split("; ")}
    assert told["default-src"] == ["'none'"]
    assert told["img-src"] == ["data:"]
    assert all(source.startswith("'sha256-") for source in told["script-src"])
    assert len(told["script-src"]) == 2
    assert "connect-src" not in told
    assert text.index("Content-Security-Policy") < text.index("<style")
    assert f"<img src={ADDRESS}" not in text
    assert text.count("</script>") == len(re.findall(r"<script[ >]", text))


def test_figures_of_odd_names_are_drawn(panel: sw.Panel, tmp_path: Path) -> None:
    """A control character ended the whole process, a line break or a backslash the figure."""
    odd = panel.with_columns({"bell\x07\\": panel[OUTCOME]})
    for path in plot.write_figures(odd, tmp_path, [OUTCOME, PROCESS, "bell\x07\\"]):
        assert path.read_bytes().startswith(b"\x89PNG")
    for chart in (plot.scatter(odd, OUTCOME, PROCESS), plot.missing(odd, ["bell\x07\\", OUTCOME])):
        assert not re.search(r"\\u00(0|1)", chart.to_json())


def test_the_word_file_takes_control_characters(
    result: sw.StudyResult, panel: sw.Panel, painter: Painter, tmp_path: Path
) -> None:
    docx = pytest.importorskip("docx")
    path = write_word(result, tmp_path / "r.docx", panel, facts=[("a\x00", "b\x1f")], painter=painter)
    assert "a\ufffd: b\ufffd" in [p.text for p in docx.Document(str(path)).paragraphs]


def test_two_figures_of_like_names_are_two(panel: sw.Panel, painter: Painter) -> None:
    both = panel.with_columns({"a b": panel[OUTCOME], "a-b": panel[PROCESS]})
    text = html(sw.Study("a b", "a-b", dynamic=False).run(both), both, painter=painter)
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len(set(names))


def test_no_cell_of_a_table_is_a_formula(result: sw.StudyResult, tmp_path: Path) -> None:
    cells = [
        cell
        for path in write_tables(result, tmp_path)
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        for cell in row
    ]
    assert any("cmd" in cell for cell in cells)
    for cell in cells:
        if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
            float(cell)
