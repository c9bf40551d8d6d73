"""The registry, the file format, and a contract that every shipped instrument keeps."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.places import DOCS
from sessionwise.errors import InstrumentError
from sessionwise.scoring import Instrument, instrument, instruments
from sessionwise.scoring.instrument import FACTS, reliable_change
from sessionwise.scoring.key_file import parse

MINE = """\
name = "my-scale"
title = "My scale"
items = 5
range = [1, 5]
range_options = [[0, 4]]
higher = "worse"
reversed = [4, 2]
prefixes = ["mine"]

[[scale]]
name = ""
items = "all"
scoring = "mean"
max_missing = 1
cutoff = 3
reliable_change = { sd = 1.0, reliability = 0.75 }
bands = [{ from = 1, label = "low" }, { from = 3, label = "high" }]

[[scale]]
name = "part_a"
title = "first part"
items = [3, 1]
scoring = "sum"

[[source]]
about = ["reversed", "items"]
citation = "the manual"
certainty = "source"

[[source]]
about = ["cutoff"]
citation = "memory"
certainty = "unverified"
"""


# ---------------------------------------------------------------- the contract


@pytest.fixture(params=instruments())
def shipped(request: pytest.FixtureRequest) -> Instrument:
    return instrument(request.param)


def test_the_shipped_ones_are_there() -> None:
    assert instruments() == (
        "audit", "bai", "bdi-ii", "ces-d", "core-10", "core-om", "dass-21", "epds", "gad-7", "hads", "haq-ii",
        "iip-32", "isi", "k10", "oq-45", "ors", "pcl-5", "phq-4", "phq-8", "phq-9", "pswq", "sai", "sdq", "srs",
        "wai-sr", "who-5", "wsas", "yp-core",
    )  # fmt: skip


def test_contract_of_the_key(shipped: Instrument) -> None:
    n = len(shipped.items)
    assert shipped.items == tuple(range(1, n + 1))
    assert shipped.low < shipped.high
    assert set(shipped.reversed) <= set(shipped.items)
    assert shipped.scales[0].name == ""
    if shipped.name != "sdq":  # prosocial behaviour is no difficulty
        assert shipped.scales[0].items == shipped.items
    for own in shipped.answers:
        assert set(own.items) <= set(shipped.items)
        assert (own.values[0], own.values[-1]) == (shipped.low, shipped.high)
    for scale in shipped.scales:
        assert set(scale.items) <= set(shipped.items)
        assert 0 <= scale.max_missing < len(scale.items)
        low, high = scale.limits(shipped.low, shipped.high)
        assert low < high
        if scale.cutoff is not None:
            assert low < scale.cutoff < high
        if scale.reliable_change is not None:
            assert 0 < scale.reliable_change < high - low
        if scale.bands:
            assert scale.bands[0].start == low


def test_contract_a_tenth_may_be_missing_at_most(shipped: Instrument) -> None:
    # The CORE System Trust's rule, taken where there is no other; PHQ-9, PHQ-8 and GAD-7 allow one item, the CORE-OM's
    # non-risk score three of 28 (the Trust's page as corrected on 17 April 2023), HADS and SDQ have rules of their own.
    exceptions = {("phq-9", ""): 1, ("phq-8", ""): 1, ("gad-7", ""): 1, ("core-om", "nonrisk"): 3}
    exceptions |= {("hads", name): 3 for name in ("anxiety", "depression")}
    exceptions |= {("sdq", name): 2 for name in ("emotional", "conduct", "hyperactivity", "peer", "prosocial")}
    for scale in shipped.scales:
        if scale.parts:
            continue
        assert scale.max_missing <= exceptions.get((shipped.name, scale.name), len(scale.items) // 10)


def test_contract_every_fact_has_a_source(shipped: Instrument) -> None:
    stated = {"items", "range", "reversed", "scoring", "missing"}
    stated |= {"answers"} if shipped.answers else set()
    stated |= {"factor"} if any(scale.factor != 1 for scale in shipped.scales) else set()
    for scale in shipped.scales:
        for fact in ("cutoff", "reliable_change", "bands"):
            value = getattr(scale, fact)
            if value is None or value == ():
                continue
            stated.add(fact)
            assert any(fact in s.about and s.scale in (None, scale.name) for s in shipped.sources), (scale.name, fact)
    assert stated == {fact for s in shipped.sources for fact in s.about}
    assert stated <= set(FACTS)
    assert all(s.citation for s in shipped.sources)
    assert shipped.licence


def test_contract_the_name_is_found_however_written(shipped: Instrument) -> None:
    for written in (shipped.name.upper(), shipped.name.replace("-", "_"), shipped.name.replace("-", " ")):
        assert instrument(written) is shipped
    assert instrument(shipped.name.replace("-", "")) is shipped
    assert instrument(shipped) is shipped


def test_contract_it_prints(shipped: Instrument) -> None:
    text, markup = str(shipped), shipped._repr_html_()
    for column in shipped.columns:
        assert column in text
        assert f">{column}<" in markup
    for sentence in shipped.unverified:
        assert sentence in re.sub(r"\s+", " ", text)
    assert max(map(len, text.splitlines())) <= 100


def test_contract_it_is_frozen_and_can_be_a_key(shipped: Instrument) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        shipped.low = 3  # type: ignore[misc]
    assert hash(shipped) == hash(dataclasses.replace(shipped))


# ---------------------------------------------------------------- facts, once more, by hand


def test_the_core_om_key() -> None:
    core = instrument("core-om")
    assert core.reversed == (3, 4, 7, 12, 19, 21, 31, 32)
    assert core.columns == (
        "core_om", "core_om_wellbeing", "core_om_problems", "core_om_functioning", "core_om_risk", "core_om_nonrisk",
    )  # fmt: skip
    total, well, problems, functioning, risk, nonrisk = (set(s.items) for s in core.scales)
    assert [len(s) for s in (well, problems, functioning, risk)] == [4, 12, 12, 6]
    assert well | problems | functioning | risk == total
    assert nonrisk == total - risk
    assert [s.max_missing for s in core.scales] == [3, 0, 1, 1, 0, 3]
    assert core.scales[0].limits(core.low, core.high) == (0, 40)
    assert core.scales[0].cutoff == 10


def test_the_oq_45_subscales_share_out_the_items() -> None:
    oq = instrument("oq-45")
    parts = [s.items for s in oq.scales[1:]]
    assert [len(p) for p in parts] == [25, 11, 9]
    assert sorted(i for p in parts for i in p) == list(oq.items)
    assert oq.scales[0].limits(oq.low, oq.high) == (0, 180)
    assert oq.unverified[-1] == "oq-45: the cut-off of the total has not been verified against a source"


def test_the_wai_sr_subscales_share_out_the_items() -> None:
    wai = instrument("wai-sr")
    assert wai.columns == ("wai_sr", "wai_sr_task", "wai_sr_goal", "wai_sr_bond")
    assert sorted(i for s in wai.scales[1:] for i in s.items) == list(wai.items)


def test_visual_analogue_scales_take_fractions() -> None:
    assert [n for n in instruments() if not instrument(n).whole] == ["ors", "srs"]


# ---------------------------------------------------------------- ranges and reversal


def test_another_range() -> None:
    wai = instrument("wai-sr")
    seven = wai.with_range(1, 7)
    assert (seven.low, seven.high) == (1, 7)
    assert seven.scales[0].limits(seven.low, seven.high) == (1, 7)
    assert wai.with_range(1, 5) is wai
    assert seven.with_range(1, 5).high == 5
    with pytest.raises(InstrumentError, match=r"(?s)0 to 6.*\(1, 5\) or \(1, 7\)"):
        wai.with_range(0, 6)


def test_another_range_drops_what_belongs_to_the_first(tmp_path: Path) -> None:
    other = parse(MINE, "mine").with_range(0, 4)
    total = other.scales[0]
    assert (total.cutoff, total.reliable_change, total.bands) == (None, None, ())


def test_data_that_are_reversed_already() -> None:
    core = instrument("core-om").already_reversed()
    assert core.reversed == ()
    assert core.scales == instrument("core-om").scales


# ---------------------------------------------------------------- the documentation

PAGE = (DOCS / "instruments.md").read_text(encoding="utf-8")


def test_the_documented_file_is_read() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    documented = parse(example, "docs/instruments.md")
    assert documented.columns == ("session_mood", "session_mood_calm")
    assert documented.unverified == (
        "session-mood: the reliable change of the total has not been verified against a source",
    )


def test_every_key_is_documented() -> None:
    for key in ("name", "title", "items", "range", "range_options", "whole", "higher", "reversed", "prefixes",
                "licence", "note", "scoring", "max_missing", "cutoff", "reliable_change", "bands", "about",
                "citation", "certainty", "doi", "scale", "values", "parts", *FACTS):  # fmt: skip
        assert f"`{key}`" in PAGE, key


def test_the_documented_table_is_the_shipped_data(shipped: Instrument) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:3] == "| `"]
    row = next(r for r in rows if r[0] == f"`{shipped.name}`")
    assert row[1] == f"{len(shipped.items)} items, {shipped.low:g}–{shipped.high:g}"
    assert row[2] == (", ".join(map(str, shipped.reversed)) or "none")
    assert row[3] == ", ".join(f"`{c}`" for c in shipped.columns)
    total = shipped.scales[0]
    assert row[4] == ", ".join("parts" if s.parts else str(s.max_missing) for s in shipped.scales)
    assert row[5] == ("–" if total.cutoff is None else f"{total.cutoff:g}")
    assert row[6] == ("–" if total.reliable_change is None else f"{total.reliable_change:g}")
    open_facts = re.findall(r": (.*) has not been verified", "\n".join(shipped.unverified))
    assert row[7] == ("; ".join(open_facts) or "–")


# ---------------------------------------------------------------- a user's own file


@pytest.mark.parametrize("kind", [str, Path])
def test_a_users_own_file(tmp_path: Path, kind: type) -> None:
    file = tmp_path / "my_scale.toml"
    file.write_text(MINE, encoding="utf-8")
    mine = instrument(kind(file))
    assert mine.items == (1, 2, 3, 4, 5)
    assert mine.reversed == (2, 4)
    assert mine.columns == ("my_scale", "my_scale_part_a")
    assert mine.scales[1].items == (1, 3)
    assert mine.scales[0].reliable_change == pytest.approx(1.96 * 2**0.5 * 0.5)
    assert mine.unverified == ("my-scale: the cut-off has not been verified against a source",)
    assert "my-scale" not in instruments()


def test_one_good_source_is_enough() -> None:
    text = MINE + '\n[[source]]\nabout = ["cutoff"]\ncitation = "a paper"\ncertainty = "secondary"\n'
    assert parse(text, "mine").unverified == ()


def test_reliable_change_of_the_published_example() -> None:
    # suddengains, R: SD 10.5, reliability .961.
    assert reliable_change(10.5, 0.961) == pytest.approx(5.747681, abs=1e-6)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InstrumentError, match=r"(?s)'core-ON'.*'core-om'.*remedy.*wai-sr.*\.toml"):
        instrument("core-ON")
    with pytest.raises(InstrumentError, match="not by 3"):
        instrument(3)  # type: ignore[arg-type]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match=r"(?s)no instrument file.*gone\.toml.*remedy"):
        instrument(tmp_path / "gone.toml")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InstrumentError, match="cannot be read"):
        instrument(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('title = "My scale"\n', "", "title", "'title' is missing"),
        ("items = 5\n", "", "items", "'items' is missing"),
        ("range = [1, 5]\n", "", "range", "'range' is missing"),
        ("reversed = [4, 2]\n", "", "reversed", "'reversed' is missing"),
        ("prefixes =", "prefixs =", "prefixs", "Did you mean 'prefixes'"),
        ("items = 5", "items = 0", "items", "at least 1"),
        ("items = 5", "items = true", "items", "whole number"),
        ("items = 5", 'items = "5"', "items", "whole number"),
        ("range = [1, 5]", "range = [5, 1]", "range", "not below"),
        ("range = [1, 5]", "range = [5, 5]", "range", "not below"),
        ("range = [1, 5]", "range = [1, 3, 5]", "range", "lowest, highest"),
        ("range = [1, 5]", "range = [1, nan]", "range", "number"),
        ("range_options = [[0, 4]]", "range_options = [0, 4]", "range_options", "lowest, highest"),
        ('higher = "worse"', 'higher = "worst"', "higher", "Did you mean 'worse'"),
        ("reversed = [4, 2]", "reversed = [6]", "reversed", "item 6 is not among the items 1 to 5"),
        ("reversed = [4, 2]", "reversed = [4, 4]", "reversed", "listed twice"),
        ("reversed = [4, 2]", 'reversed = ["4"]', "reversed", "list of item numbers"),
        ('name = "my-scale"', 'name = "My Scale"', "name", "is not a name"),
        ('["mine"]', '["my scale"]', "prefixes", "is not a prefix"),
        ('["mine"]', "[1]", "prefixes", "list of texts"),
        ('name = ""', 'name = "all"', "scale", "first scale is not the total"),
        ('name = "part_a"', 'name = ""', "scale", "same name"),
        ('name = "part_a"', 'name = "Part A"', "scale[2].name", "is not a scale name"),
        ("items = [3, 1]", "items = [3, 9]", "scale[2].items", "item 9 is not"),
        ("items = [3, 1]", "items = [3, 3]", "scale[2].items", "listed twice"),
        ("items = [3, 1]", "items = []", "scale[2].items", "no items"),
        ("items = [3, 1]\n", "", "scale[2].items", "is missing"),
        ('scoring = "sum"', 'scoring = "sums"', "scale[2].scoring", "Did you mean 'sum'"),
        ("max_missing = 1", "max_missing = 5", "scale[1].max_missing", "5 of 5"),
        ("max_missing = 1", "max_missing = -1", "scale[1].max_missing", "at least 0"),
        ("max_missing = 1", "max_mising = 1", "scale[1].max_mising", "Did you mean 'max_missing'"),
        ("max_missing = 1", "factor = 0", "scale[1].factor", "above 0"),
        ("max_missing = 1", 'factor = "2"', "scale[1].factor", "expected a number"),
        ("max_missing = 1", 'higher = "better"', "scale", "higher when better, and `higher` above says worse"),
        ('title = "first part"', 'higher = "up"', "scale[2].higher", "worse, better"),
        ("items = [3, 1]", "parts = []", "scale[2].scoring", "unknown key 'scoring'"),
        ("[[scale]]", "[[answers]]\nitems = [1]\nvalues = [1, 5]\n[[scale]]", "answers", "`range_options`"),
        ("[[scale]]", "[[answers]]\nitems = [6]\nvalues = [1, 5]\n[[scale]]", "answers[1].items", "item 6 is not"),
        ("[[scale]]", "[[answers]]\nitems = []\nvalues = [1, 5]\n[[scale]]", "answers[1].items", "of no items"),
        ("[[scale]]", "[[answers]]\nitems = [1]\n[[scale]]", "answers[1].values", "'values' is missing"),
        ("[[scale]]", "[[answers]]\nitems = [1]\nvalues = 3\n[[scale]]", "answers[1].values", "list of numbers"),
        ("[[scale]]", "[[answers]]\nitems = [1]\nvalues = [1, 4]\n[[scale]]", "answers[1].values", "rise from 1 to 5"),
        ("[[scale]]", "[[answers]]\nitems = [1]\nvalues = [1, 5, 3]\n[[scale]]", "answers[1].values", "rise from 1"),
        (
            "[[scale]]",
            "[[answers]]\nitems = [1]\nvalues = [1, 2.5, 5]\n[[scale]]",
            "answers[1].values",
            "not all whole",
        ),
        (
            "[[scale]]",
            "[[answers]]\nitems = [1, 2]\nvalues = [1, 5]\n[[answers]]\nitems = [2]\nvalues = [1, 3, 5]\n[[scale]]",
            "answers[2].items",
            "item 2 has answers already",
        ),
        ("cutoff = 3", "cutoff = 30", "scale[1].cutoff", "outside the scores 1 to 5"),
        ("cutoff = 3", 'cutoff = "3"', "scale[1].cutoff", "expected a number"),
        ("sd = 1.0", "sd = 0", "scale[1].reliable_change.sd", "above 0"),
        ("reliability = 0.75", "reliability = 1.5", "scale[1].reliable_change.reliability", "between 0 and 1"),
        ("{ sd = 1.0, reliability = 0.75 }", "{ sd = 1.0 }", "scale[1].reliable_change.reliability", "missing"),
        ("{ sd = 1.0, reliability = 0.75 }", "-2", "scale[1].reliable_change", "above 0"),
        ("from = 3", "from = 1", "scale[1].bands", "do not rise"),
        ('label = "low"', 'name = "low"', "scale[1].bands[1].name", "unknown key"),
        ('["reversed", "items"]', '["reversd"]', "source[1].about", "Did you mean 'reversed'"),
        ('["reversed", "items"]', "[]", "source[1].about", "about nothing"),
        ('certainty = "source"', 'certainty = "sure"', "source[1].certainty", "source, secondary, unverified"),
        ('citation = "memory"', 'citation = "memory"\nscale = "b"', "source[2].scale", "no scale 'b'"),
    ],
)
def test_a_malformed_file_says_where_and_what_to_do(tmp_path: Path, old: str, new: str, key: str, says: str) -> None:
    assert old in MINE
    file = tmp_path / "odd.toml"
    file.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        instrument(file)
    assert says in str(caught.value)
    assert caught.value.where == f"{file}, key {key}"
    assert caught.value.remedy


PARTS = """
name = "two"
title = "Two parts"
items = 5
range = [0, 4]
higher = "worse"
reversed = []
scale = [
  { name = "", parts = ["a", "b"] },
  { name = "a", items = [1, 4], scoring = "sum", factor = 2, max_missing = 1 },
  { name = "b", items = [3, 2], scoring = "sum", factor = 2, higher = "better" },
]
"""


def test_a_total_of_parts() -> None:
    two = parse(PARTS, "two")
    total, a, b = two.scales
    assert (total.items, total.parts, total.times, total.limits(0, 4)) == ((1, 2, 3, 4), ("a", "b"), 8, (0, 32))
    assert (a.higher, b.higher) == ("worse", "better")
    text = str(two)
    assert "parts of two: a, b" in text
    assert "higher is better in two_b" in text
    assert "sum × 2, 0 to 16" in text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('["a", "b"]', '["a", "c"]', "no scale of items 'c'"),
        ('["a", "b"]', '["a"]', "two scales or more"),
        ('["a", "b"]', '["a", "a"]', "without an item in common"),
        ('["a", "b"]', "3", "list of texts"),
        ("[3, 2]", "[3, 1]", "without an item in common"),
        ('[3, 2], scoring = "sum", factor = 2', '[3, 2], scoring = "sum"', "not all sums with one factor"),
        ('[3, 2], scoring = "sum"', '[3, 2], scoring = "mean"', "not all sums with one factor"),
    ],
)
def test_parts_that_cannot_be_added_up(old: str, new: str, says: str) -> None:
    assert old in PARTS
    with pytest.raises(InstrumentError, match=says) as caught:
        parse(PARTS.replace(old, new), "two")
    assert caught.value.where == "two, key scale[1].parts"


def test_answers_of_single_items() -> None:
    text = MINE.replace("range_options = [[0, 4]]\n", "whole = false\n")
    mine = parse(text.replace("[[scale]]", "[[answers]]\nitems = [5, 1]\nvalues = [1, 2.5, 5]\n\n[[scale]]", 1), "mine")
    assert mine.values_of(5) == mine.values_of(1) == (1, 2.5, 5)
    assert mine.values_of(2) is None
    assert "answers of items 1, 5: 1, 2.5, 5" in str(mine)


def test_not_toml(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match=r"(?s)not TOML.*line 1.*where: *odd\.toml"):
        parse("items = = 3", "odd.toml")


@given(st.dictionaries(st.sampled_from([*"abc", "name", "items", "range", "scale"]), st.integers() | st.text("ab")))
def test_no_file_gets_past_the_checks_by_another_error(data: dict[str, object]) -> None:
    text = "\n".join(f"{k} = {v!r}" for k, v in data.items())
    with pytest.raises(InstrumentError):
        parse(text, "any")


@given(st.data())
def test_any_well_formed_key_is_read_as_written(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 60))
    turned = data.draw(st.lists(st.integers(1, n), unique=True))
    part = data.draw(st.lists(st.integers(1, n), unique=True, min_size=1))
    low = data.draw(st.integers(-3, 3))
    high = low + data.draw(st.integers(1, 10))
    missing = data.draw(st.integers(0, len(part) - 1))
    text = f"""
name = "x"
title = "x"
items = {n}
range = [{low}, {high}]
higher = "better"
reversed = {turned}
scale = [
  {{ name = "", items = "all", scoring = "sum" }},
  {{ name = "p", items = {part}, scoring = "mean10", max_missing = {missing} }},
]
"""
    read = parse(text, "x")
    assert read.reversed == tuple(sorted(turned))
    assert read.scales[1].items == tuple(sorted(part))
    assert read.scales[1].max_missing == missing
    assert read.scales[0].limits(read.low, read.high) == (n * low, n * high)
    assert read.scales[1].limits(read.low, read.high) == (10 * low, 10 * high)
