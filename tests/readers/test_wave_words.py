"""Waves named by words (pre, post, fu) in wide files and REDCap events: offered in their order, and turned."""

from __future__ import annotations

import itertools
from pathlib import Path

import polars as pl
import pytest

from sessionwise.cli.files import read_options
from sessionwise.errors import Argument, ReadError, Wording
from sessionwise.readers import long_to_wide, read, wide_to_long
from sessionwise.readers.wave_words import in_columns, order, place

ORDERED = [
    ["screening", "pre", "mid", "post", "fu"],
    ["baseline", "post", "fu1", "fu2", "fu10"],
    ["Pre", "Post", "FU"],
    ["pretest", "posttest", "followup"],
    ["pre_treatment", "post_treatment", "follow-up", "follow_up_2"],
    ["T0", "T1", "T2"],
    ["baseline", "t1", "t2", "post", "fu"],
    ["baseline", "3m", "6m", "12m"],
    ["pre", "post", "6m"],
    ["intake", "session1", "session12", "eot"],
    ["admission", "discharge", "fu3m", "fu12m"],
    ["prä", "post", "kat1", "kat2"],
]


@pytest.mark.parametrize("words", ORDERED, ids=lambda words: words[0])
def test_the_order_of_words_does_not_depend_on_the_file(words: list[str]) -> None:
    for shuffled in itertools.islice(itertools.permutations(words), 0, 120, 7):
        assert order(shuffled) == words


@pytest.mark.parametrize(
    "word", ["wai", "phq9", "total", "1", "x1", "group", "sex", "present", "postcode", "full", "t"]
)
def test_other_words_are_no_waves(word: str) -> None:
    assert place(word) is None
    assert order(["pre", word]) is None


def test_numbers_that_count_different_things_have_no_order() -> None:
    assert order(["pre", "week4", "3m"]) is None


HOLES = {
    ("phq9_pre", "phq9_post", "phq9_fu"): {"phq9_{}": ["pre", "post", "fu"]},
    ("pre_phq9", "post_phq9"): {"{}_phq9": ["pre", "post"]},
    ("phq_pre_total", "phq_post_total"): {"phq_{}_total": ["pre", "post"]},
    ("bdipre", "bdipost", "bdifu1"): {"bdi{}": ["pre", "post", "fu1"]},
    ("preBDI", "postBDI"): {"{}BDI": ["pre", "post"]},
    ("BDI posttest", "BDI pretest"): {"BDI {}": ["posttest", "pretest"]},
    ("phq9_pre", "phq9_fu_1", "phq9_fu_2"): {"phq9_{}": ["pre", "fu_1", "fu_2"]},
    ("phq9_pre_1", "phq9_pre_2", "phq9_fu_1", "phq9_fu_2"): {"phq9_{}_1": ["pre", "fu"], "phq9_{}_2": ["pre", "fu"]},
    ("phq9_pre", "gad7_post"): {},
    ("phq_fu1", "phq_fu2"): {},
    ("phq_t1", "phq_t2"): {},
    ("date_pre", "date_post"): {},
    ("x{_pre", "x{_post"): {},
    ("pre", "post"): {},
    ("_", " ", "_pre_", "..."): {},
}


@pytest.mark.parametrize("columns", HOLES, ids=str)
def test_holes_of_waves_in_names(columns: tuple[str, ...]) -> None:
    assert in_columns(columns) == HOLES[columns]


OFFERED = {
    "id,sex,phq9_pre,phq9_post,phq9_fu,wai_pre,wai_post": ["phq9_{pre|post|fu}", "wai_{pre|post|fu}"],
    "id,phq9_post,phq9_pre": ["phq9_{pre|post}"],
    "id,pre_q_1,pre_q_2,post_q_1,post_q_2": ["{pre|post}_q_{item}"],
    "id,q1_pre,q1_post,q2_pre,q2_post": ["q{item}_{pre|post}"],
    "id,q1pre,q1post,q2pre,q2post": ["q{item}{pre|post}"],
    "id,phq_pre,phq_post,gad_baseline,gad_post": ["phq_{pre|post}", "gad_{baseline|post}"],
    "id,phq_Pre,phq_Post,gad_pre,gad_post,gad_fu": ["phq_{Pre|Post|fu}", "gad_{pre|post|fu}"],
    "id,phq_pre,phq_baseline,phq_post": ["phq_{pre|baseline|post}"],
}


@pytest.mark.parametrize("head", OFFERED)
def test_patterns_are_offered_and_can_be_used(write, head: str) -> None:
    n = head.count(",") + 1
    cells = "".join(f"{p}," + ",".join(str(10 * i + j) for j in range(1, n)) + "\n" for i, p in enumerate("abc"))
    file = write(f"{head}\n{cells}")
    before = read(file)
    assert before.columns == tuple(head.split(","))  # nothing is turned without asking
    (warning,) = (f for f in before.findings if f.code == "looks-wide")
    assert isinstance(warning.remedy, Wording)
    (argument,) = (part for part in warning.remedy.parts if isinstance(part, Argument))
    patterns = list(argument.option[1:-2:2])
    assert patterns == OFFERED[head]
    table = read(file, wide=patterns, person="id")
    assert "looks-wide" not in [f.code for f in table.findings]
    for column in (c for c in before.columns if c.endswith("post")):
        name, number = column[:-4].rstrip("_"), 3 if "baseline" in head and "gad" not in head else 2
        assert table.frame.filter(pl.col("session") == number)[name].to_list() == before[column].to_list()


def test_words_that_have_no_order_are_left_to_the_user(write) -> None:
    file = write("id,phq_pre,phq_week4,phq_3m\na,1,2,3\nb,2,3,4\n")
    (warning,) = (f for f in read(file).findings if f.code == "looks-wide")
    assert "in their order" in warning.remedy
    assert "phq_{pre|week4|3m}" in warning.remedy


def test_sessions_side_by_side_are_not_hidden_by_two_waves(write) -> None:
    head = ["id", *(f"core_{i}" for i in range(1, 8)), "phq_pre", "phq_post"]
    file = write(",".join(head) + "\n" + "".join(f"{p}" + ",1" * 9 + "\n" for p in "ab"))
    (warning,) = (f for f in read(file).findings if f.code == "looks-wide")
    assert "core_{}" in warning.remedy


FRAME = pl.DataFrame({"id": ["a", "b"], "x_pre": [1, 2], "x_post": [3, None], "x_fu": [5, 6]})


def test_words_are_numbered_in_the_order_of_the_pattern() -> None:
    long = wide_to_long(FRAME, "x_{pre|post|fu}", person="id")
    assert long.frame.rows() == [("a", 1, 1), ("a", 2, 3), ("a", 3, 5), ("b", 1, 2), ("b", 3, 6)]
    (note,) = (f for f in long.findings if f.code == "wide-to-long")
    assert note.what.endswith("by session 1 to 3, 'pre' being 1, 'post' 2, 'fu' 3.")
    back = long_to_wide(long, {"x": "x_{pre|post|fu}"}, person="id")
    assert back.frame.equals(FRAME)
    own = wide_to_long(FRAME, "x_{pre=0|post=12|fu=30}", person="id")
    assert own["session"].to_list() == [0, 12, 30, 0, 30]


def test_columns_nearly_named_so_are_told() -> None:
    frame = FRAME.rename({"x_post": "X.Post"}).with_columns(other=1, x_sex=1)
    long = wide_to_long(frame, "x_{pre|post}", person="id")
    (warning,) = (f for f in long.findings if f.code == "wide-near-miss")
    assert warning.count == 2
    assert "'X.Post'" in warning.what
    assert "'x_fu'" in warning.what


REFUSED = [
    (["x_{pre|post}", "y_{post|pre}"], "is session 2 in"),
    (["x_{pre|post}", "y_{}"], "sessions by number"),
    ("x_{pre|pre}", "does not list words"),
    ("x_{pre=a|post}", "does not list words"),
    ("x_{pre=2|post}", "same number"),
    ("x_{pre}", "does not say once"),
    ("x_{pre|post}_{}", "does not say once"),
    ("x{item}{1a|2a}", "no text between"),
    ("x_{mid|end}", "No column fits"),
]


@pytest.mark.parametrize(("patterns", "what"), REFUSED)
def test_patterns_of_words_that_cannot_be_meant(patterns, what: str) -> None:
    with pytest.raises(ReadError, match=what):
        wide_to_long(FRAME.with_columns(y_1=1, y_pre=1), patterns, person="id")


def test_a_pattern_without_a_word_for_a_session() -> None:
    long = wide_to_long(FRAME, "x_{pre|post|fu}", person="id")
    with pytest.raises(ReadError, match="no word for session 3"):
        long_to_wide(long, {"x": "x_{pre|post}"}, person="id")


EVENTS = {
    ("followup", "pretreatment", "post"): {"pretreatment": 1, "post": 2, "followup": 3},
    ("fu_6m", "baseline", "discharge", "fu_3m"): {"baseline": 1, "discharge": 2, "fu_3m": 3, "fu_6m": 4},
    ("baseline", "session_1", "session_2", "post", "fu"): {"baseline": 0, "post": 101, "fu": 102},
    ("week_1", "post", "month_3", "pre"): {"pre": 1, "week_1": 2, "post": 3, "month_3": 4},
    ("zeta", "alpha"): {"zeta": 101, "alpha": 102},
}


@pytest.mark.parametrize("events", EVENTS, ids=str)
def test_redcap_events_are_offered_in_their_order(write, events: tuple[str, ...]) -> None:
    file = write("record_id,redcap_event_name,x\n" + "".join(f"1,{e}_arm_1,{i}\n" for i, e in enumerate(events)))
    with pytest.raises(ReadError) as caught:
        read(file)
    assert isinstance(caught.value.remedy, Wording)
    argument = next(part for part in caught.value.remedy.parts if isinstance(part, Argument))
    options = read_options(argument.option[1::2])
    assert options == {"redcap": {f"{event}_arm_1": n for event, n in EVENTS[events].items()}}
    assert list(options["redcap"].values()) == sorted(EVENTS[events].values())
    table = read(file, **options)
    assert table["session"].to_list() == [EVENTS[events].get(e, int(e[-1]) if e[-1].isdigit() else 0) for e in events]


def test_the_command_line_offers_the_patterns(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from sessionwise.cli.app import app

    file = tmp_path / "x.csv"
    FRAME.rename({"id": "Vp"}).write_csv(file)
    said = CliRunner().invoke(app, ["check", str(file), "--person", "Vp"])
    assert "--wide 'x_{pre|post|fu}'" in " ".join(str(said.exception).split())
    done = CliRunner().invoke(app, ["check", str(file), "--person", "Vp", "--wide", "x_{pre|post|fu}"])
    assert done.exit_code == 0
