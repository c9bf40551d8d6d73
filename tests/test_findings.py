"""findings: order, addition, printing, stopping."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionwise.errors import PanelError, ReadError
from sessionwise.findings import Finding, Findings
from sessionwise.show import Note, rich_group

NOTE = Finding("note", "n", "A note.")
WARNING = Finding("warning", "w", "A warning.", "line 2", 1234, "Do <this>.")
ERROR = Finding("error", "e", "An error.", "line 1", 1, "Do that.")

severities = st.sampled_from(["error", "warning", "note"])
lists = st.lists(st.builds(Finding, severities, st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=12)


def test_errors_come_first_and_double_ones_once():
    found = Findings([NOTE, WARNING, ERROR, NOTE])
    assert list(found) == [ERROR, WARNING, NOTE]
    assert len(found) == 3
    assert found.errors.items == (ERROR,)
    assert found.warnings.items == (WARNING,)
    assert found.notes.items == (NOTE,)


@given(lists, lists)
def test_adding_is_the_same_as_making_one(a, b):
    assert Findings(a) + Findings(b) == Findings(a + b)
    assert set(Findings(a)) == set(a)
    assert sum(len(Findings(a).only(s)) for s in ("error", "warning", "note")) == len(Findings(a))


@given(lists)
def test_order_within_a_severity_is_the_order_found(a):
    notes = list(dict.fromkeys(f for f in a if f.severity == "note"))
    assert list(Findings(a).notes) == notes


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], "nothing found"),
        ([NOTE], "1 note"),
        ([ERROR, WARNING, NOTE, Finding("note", "m", "Another.")], "1 error, 1 warning, 2 notes"),
    ],
)
def test_summary(items, text):
    assert Findings(items).summary() == text
    assert text in str(Findings(items))


def test_stop_on_error_raises_the_first_and_counts_the_rest():
    Findings([WARNING, NOTE]).stop_on_error()
    with pytest.raises(PanelError) as caught:
        Findings([WARNING, ERROR]).stop_on_error()
    assert (caught.value.what, caught.value.where, caught.value.remedy) == ("An error.", "line 1", "Do that.")
    many = [ERROR, Finding("error", "f", "b"), Finding("error", "g", "c")]
    with pytest.raises(ReadError, match=r"and 2 more errors; see check"):
        Findings(many).stop_on_error(ReadError)


def test_prints_every_part():
    text = str(Findings([WARNING]))
    for part in ("warning", "A warning.", "line 2", "1,234", "Do <this>."):
        assert part in text


def test_html_is_escaped():
    page = Findings([WARNING])._repr_html_()
    assert "Do &lt;this&gt;." in page
    assert "<this>" not in page
    assert "nothing found" in Findings()._repr_html_()


def test_to_dicts_is_json():
    assert json.loads(json.dumps(Findings([WARNING]).to_dicts())) == [
        {
            "severity": "warning",
            "code": "w",
            "what": "A warning.",
            "where": "line 2",
            "count": 1234,
            "remedy": "Do <this>.",
        }
    ]


def test_lines_have_the_remedy_of_warnings_and_dim_notes():
    lines = Findings([NOTE, WARNING, ERROR]).lines()
    assert lines == ["error: An error.", "warning: A warning. Do <this>.", "note: A note."]
    assert [isinstance(line, Note) for line in lines] == [False, False, True]
    headline, *others = rich_group(["Headline", *lines, "note: not one"]).renderables
    assert headline.style == "bold"
    assert [str(line.style) for line in others] == ["", "", "dim", ""]


def test_findings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Findings([NOTE]).items = ()
    assert not Findings()
    assert Findings([NOTE])
