"""Finding item columns in a table."""

from __future__ import annotations

import re
import shlex

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionwise.errors import ScoreError, Wording
from sessionwise.panel import Panel
from sessionwise.scoring import answered, instrument, instruments, item_columns, score

CORE = instrument("core-om")
WAI = instrument("wai-sr")
N = {name: len(instrument(name).items) for name in instruments()}


def numbered(form: str, n: int) -> list[str]:
    return [form.format(i) for i in range(1, n + 1)]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("core-om", "core_om_{}"),
        ("core-om", "CORE{}"),
        ("core-om", "CORE_OM_{:02}"),
        ("core-om", "CORE-OM item {}"),
        ("core-om", "coreom{}"),
        ("core-om", "Core.Om.{:03}"),
        ("core-om", "CORE_OM_Q{:02}"),
        ("core-om", "core_i{}"),
        ("core-10", "core_10_{}"),
        ("core-10", "core10_{}"),
        ("core-10", "CORE-10 item{}"),
        ("core-10", "core10{}"),
        ("core-10", "core10{:02}"),
        ("wai-sr", "wai_sr.{}"),
        ("wai-sr", "WAISR{}"),
        ("wai-sr", "wai{}"),
        ("phq-9", "PHQ9_{}"),
        ("phq-9", "phq_9_{}"),
        ("phq-9", "phq9{}"),
        ("phq-9", "phq{}"),
        ("gad-7", "GAD7_Q{}"),
        ("gad-7", "gad_{}"),
        ("oq-45", "oq45_{}"),
        ("oq-45", "OQ{}"),
        ("sai", "sai_{}"),
        ("pcl-5", "pcl5_{:02}"),
        ("pcl-5", "PCL_{}"),
        ("ces-d", "CESD{}"),
        ("phq-8", "phq8_{}"),
        ("phq-8", "PHQ{}"),
        ("phq-4", "PHQ4_{}"),
        ("wsas", "wsas{}"),
        ("who-5", "who5_{}"),
        ("who-5", "WHO-5 item {}"),
        ("isi", "isi_{}"),
        ("hads", "HADS_{:02}"),
        ("bdi-ii", "bdi2_{}"),
        ("bdi-ii", "BDI_II_{:02}"),
        ("bdi-ii", "BDI-II {}"),
        ("dass-21", "dass21_{}"),
        ("dass-21", "DASS{}"),
        ("k10", "K10_{}"),
        ("k10", "k10q{:02}"),
        ("yp-core", "ypcore{:02}"),
        ("yp-core", "YP-CORE_{}"),
        ("iip-32", "iip32_{}"),
        ("haq-ii", "haq2_{}"),
        ("ors", "ORS {}"),
        ("srs", "srs-{}"),
        ("phq-9", "phq9[SQ{:03}]"),
        ("phq-9", "phq9_SQ{:03}"),
        ("phq-9", "phq9SQ{:03}"),
        ("phq-9", "PHQ[{}]"),
        ("gad-7", "gad7[SQ{}]"),
        ("oq-45", "oq45[SQ{:03}]"),
        ("core-om", "CORE_OM[sq{:02}]"),
    ],
)
def test_usual_names_are_found(name: str, form: str) -> None:
    names = numbered(form, N[name])
    found = item_columns(instrument(name), ["patient", "session", *names[::-1], "age"])
    assert found == dict(enumerate(names, start=1))
    assert list(found) == sorted(found)


@pytest.mark.parametrize("name", instruments())
@given(
    separators=st.sampled_from(["", "_", "-", ".", " "]),
    link=st.sampled_from(["_", ".", "-", " ", "_item_", " Item ", "_q", "_i", "item"]),
    width=st.integers(1, 3),
    upper=st.booleans(),
    rest=st.lists(st.sampled_from(["patient", "core", "core10", "phq9", "oq45", "wai_sr_task", "core_om_risk", "1"])),
    data=st.data(),
)
def test_every_instrument_is_found_in_every_form(
    name: str, separators: str, link: str, width: int, upper: bool, rest: list[str], data: st.DataObject
) -> None:
    key = instrument(name)
    prefix = data.draw(st.sampled_from([name.replace("-", "_"), *key.prefixes])).replace("_", separators)
    names = [f"{prefix}{link}{i:0{width}}" for i in key.items]
    names = [n.upper() for n in names] if upper else names
    table = data.draw(st.permutations([*names, *rest]))
    assert item_columns(key, table) == dict(zip(key.items, names, strict=True))


def test_items_of_all_instruments_in_one_table_are_kept_apart() -> None:
    table = [f"{name.replace('-', '_')}_{i}" for name in instruments() for i in range(1, N[name] + 1)]
    table += [c for name in instruments() for c in instrument(name).columns]
    for name in instruments():
        expected = {i: f"{name.replace('-', '_')}_{i}" for i in range(1, N[name] + 1)}
        assert item_columns(instrument(name), table) == expected


def test_core_10_items_are_not_core_om_items() -> None:
    with pytest.raises(ScoreError, match=r"no item columns of core-om"):
        item_columns(CORE, numbered("core_10_{}", 10))


def test_core10_is_item_ten_only_within_its_own_set() -> None:
    assert item_columns(CORE, numbered("core{}", 34))[10] == "core10"
    apart = [*numbered("core_{}", 34), "core10"]  # here it is the CORE-10 score
    assert item_columns(CORE, apart)[10] == "core_10"
    # Nor does it complete a set written otherwise.
    table = [c for c in numbered("core_{}", 34) if c != "core_10"] + ["core10"]
    with pytest.raises(ScoreError, match=r"1 of the 34 items of core-om have no column: item 10\."):
        item_columns(CORE, table)


def test_a_total_named_like_the_prefix_is_no_item() -> None:
    phq = instrument("phq-9")
    table = [*numbered("phq9_{}", 9), "phq9", "PHQ9_total", "phq9_0", "phq9_10"]
    assert item_columns(phq, table) == dict(enumerate(numbered("phq9_{}", 9), start=1))


def test_two_complete_sets_are_refused_with_both_named() -> None:
    with pytest.raises(ScoreError) as caught:
        item_columns(WAI, [*numbered("wai_{}", 12), *numbered("WAI_SR_{}", 12)])
    text = str(caught.value)
    for name in ("'wai_1'", "'wai_12'", "'WAI_SR_1'", "'WAI_SR_12'"):
        assert name in text
    assert "mapping" in caught.value.remedy


def test_one_item_twice_is_refused_with_both_named() -> None:
    with pytest.raises(ScoreError, match=r"item 3 of wai-sr .*'wai_3', 'wai_03'"):
        item_columns(WAI, [*numbered("wai_{}", 12), "wai_03"])


def test_missing_items_are_named_with_the_nearest_column() -> None:
    table = [c for c in numbered("WAI_{}", 12) if c not in ("WAI_4", "WAI_11")] + ["WAI_4x"]
    with pytest.raises(ScoreError) as caught:
        item_columns(WAI, table)
    text = str(caught.value)
    assert "2 of the 12 items of wai-sr have no column: item 4, 11." in text
    assert "Did you mean 'WAI_4x'" in text
    assert "'WAI_'" in caught.value.where
    assert "mapping" in caught.value.remedy


def test_no_items_at_all() -> None:
    with pytest.raises(ScoreError, match=r"(?s)no item columns of wai-sr.*such as 'wai_sr_1'.*patient, w1.*mapping"):
        item_columns(WAI, ["patient", "w1"])
    with pytest.raises(ScoreError, match="a table without columns"):
        item_columns(WAI, [])


@given(st.sets(st.integers(1, 12), min_size=1))
def test_any_missing_item_is_an_error(gone: set[int]) -> None:
    table = [f"wai_{i}" for i in range(1, 13) if i not in gone]
    with pytest.raises(ScoreError):
        item_columns(WAI, table)


@given(st.lists(st.text(max_size=12), unique=True))
def test_no_column_name_breaks_it(columns: list[str]) -> None:
    table = [*columns, *numbered("core_om_{}", 34)]
    found = item_columns(CORE, list(dict.fromkeys(table)))
    assert len(found) == 34


# ---------------------------------------------------------------- the user's own mapping

TABLE = ["patient", *numbered("Q{}_w", 12)]
EXPECTED = {i: f"Q{i}_w" for i in range(1, 13)}


@pytest.mark.parametrize(
    "mapping",
    ["Q{}_w", "Q{item}_w", EXPECTED, dict(reversed(EXPECTED.items())), list(EXPECTED.values())],
    ids=["pattern", "named pattern", "dict", "dict in another order", "list"],
)
def test_a_mapping_is_taken_as_it_is(mapping: object) -> None:
    found = item_columns(WAI, TABLE, mapping)  # type: ignore[arg-type]
    assert found == EXPECTED
    assert list(found) == list(EXPECTED)


def test_a_pattern_may_pad_the_number() -> None:
    assert item_columns(WAI, numbered("w{:02}", 12), "w{:02}")[3] == "w03"


def test_a_mapping_settles_two_complete_sets() -> None:
    table = [*numbered("wai_{}", 12), *numbered("wai_sr_{}", 12)]
    assert item_columns(WAI, table, "wai_{}")[12] == "wai_12"


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("Q_w", "does not say where the item number goes"),
        ("Q{x}_w", "does not say where the item number goes"),
        ("Q{_w", "does not say where the item number goes"),
        ("Q{}_v", "no column 'Q1_v' for item 1 of wai-sr. Did you mean 'Q1_w'?"),
        (numbered("Q{}_w", 11), "wai-sr has 12 items, the list has 11 columns"),
        ({i: f"Q{i}_w" for i in range(1, 12)}, "no column for item 12"),
        ({i: f"Q{i}_w" for i in range(13)}, "wai-sr has no item 0"),
        ({**EXPECTED, 13: "patient"}, "wai-sr has no item 13"),
        ({str(i): c for i, c in EXPECTED.items()}, "wai-sr has no item '1'"),
        ({**EXPECTED, 5: "Q5-w"}, "no column 'Q5-w' for item 5 of wai-sr. Did you mean 'Q5_w'?"),
        ({**EXPECTED, 5: "Q4_w"}, "the column 'Q4_w' stands for the items 4, 5"),
        ([*numbered("Q{}_w", 11), "Q1_w"], "the column 'Q1_w' stands for the items 1, 12"),
    ],
)
def test_a_mapping_that_does_not_fit(mapping: object, says: str) -> None:
    with pytest.raises(ScoreError, match=re.escape(says)) as caught:
        item_columns(WAI, TABLE, mapping)  # type: ignore[arg-type]
    assert caught.value.where == "mapping for wai-sr"
    assert caught.value.remedy


OTHER_FORMS = [
    ("phq-9", numbered("phq{}", 15)),
    ("phq-9", numbered("PHQ_{}", 11)),
    ("wai-sr", numbered("wai{}", 36)),
    ("srs", numbered("srs{}", 65)),
    ("gad-7", [c for c in numbered("gad_{}", 12) if c != "gad_8"]),
    ("core-om", numbered("core{:02}", 40)),
]


@pytest.mark.parametrize(("name", "columns"), OTHER_FORMS, ids=[f"{n}-{len(c)}" for n, c in OTHER_FORMS])
def test_a_longer_form_is_not_taken_for_the_instrument(name: str, columns: list[str]) -> None:
    key = instrument(name)
    with pytest.raises(ScoreError, match="another form") as caught:
        item_columns(key, columns)
    assert repr(columns[-1]) in caught.value.what
    pattern = caught.value.remedy.rpartition(": ")[2].strip("'")
    if name != "core-om":
        assert item_columns(key, columns, pattern) == {i: pattern.format(i) for i in key.items}
    both = [*columns, *(f"{name} item {i}" for i in key.items)]  # beside the right one
    assert item_columns(key, both)[1] == f"{name} item 1"


#: Columns -> the one instrument that is found in them without being asked for.
LIKE_NAMES = [
    (numbered("phq{}", 9), "phq-9"),
    (numbered("PHQ_{}", 9), "phq-9"),
    (numbered("PHQ9_{}", 9), "phq-9"),
    (numbered("phq{}", 8), "phq-8"),
    (numbered("phq8_{}", 8), "phq-8"),
    (numbered("phq4_{}", 4), "phq-4"),
    (numbered("phq{}", 4), None),
    (numbered("phq{}", 15), None),
    (numbered("core{}", 34), "core-om"),
    (numbered("core10_{}", 10), "core-10"),
    (numbered("yp_core_{}", 10), "yp-core"),
    (numbered("core5_{}", 5), None),
    (numbered("core{}", 10), None),
    (numbered("dass{}", 21), "dass-21"),
    (numbered("dass{}", 42), None),
    (numbered("bdi{}", 21), None),
    (numbered("k10_{}", 14), None),
    (numbered("haq2_{}", 10), None),
    (numbered("auditc_{}", 3), None),
    (numbered("gad{}", 7), "gad-7"),
    (numbered("pcl{}", 17), None),
]


@pytest.mark.parametrize(("columns", "name"), LIKE_NAMES, ids=[f"{c[0]}-{len(c)}" for c, _ in LIKE_NAMES])
def test_forms_of_like_names_are_not_mistaken_for_one_another(columns: list[str], name: str | None) -> None:
    found, errors = answered(["patient", *columns])
    assert [one.instrument.name for one in found] == ([] if name is None else [name])
    assert not errors
    for one in found:
        assert list(one.columns.values()) == columns


def test_the_phq_8_is_scored_from_a_phq_9_where_it_is_asked_for() -> None:
    panel = Panel(
        pl.DataFrame({"id": [1, 1], "session": [1, 2], **{c: [1, 2] for c in numbered("phq{}", 9)}}),
        person="id",
        session="session",
    )
    scored = score(panel, "phq-8")
    assert scored["phq_8"].tolist() == [8, 16]
    (warning,) = (f for f in scored.findings if f.code == "item-beyond")
    assert "'phq9'" in warning.what
    assert score(panel, "phq-9")["phq_9"].tolist() == [9, 18]


@pytest.mark.parametrize(
    ("name", "columns", "pattern"),
    [
        ("phq-8", numbered("PHQ9_{}", 9), "PHQ9_{}"),
        ("bdi-ii", numbered("bdi{}", 21), "bdi{}"),
        ("bdi-ii", numbered("BDI_{:02}", 21), "BDI_{:02}"),
        ("iip-32", numbered("iip{:03}", 32), "iip{:03}"),
        ("core-10", numbered("core_{}", 10), "core_{}"),
        ("phq-4", numbered("PHQ9_{}", 9), None),  # other items
        ("core-10", numbered("core_{}", 34), None),
        ("bdi-ii", [*numbered("bdi{}", 21), *numbered("bdi_{}", 21)], None),
        ("who-5", numbered("wellbeing{}", 5), None),
        ("bdi-ii", numbered("bdi{{}}{}", 21), None),
    ],
)
def test_a_mapping_that_would_fit_is_said(name: str, columns: list[str], pattern: str | None) -> None:
    key = instrument(name)
    with pytest.raises(ScoreError, match=f"items? .*of {name}") as caught:
        item_columns(key, columns)
    remedy = caught.value.remedy
    assert isinstance(remedy, Wording)
    if pattern is None:
        assert "give the mapping" not in remedy
        return
    assert remedy == f"if those like {pattern.format(1)!r} are its items, give the mapping items={pattern!r}"
    assert remedy.for_command_line().endswith(shlex.join(["--items", f"{name}={pattern}"]))
    assert list(item_columns(key, columns, pattern).values()) == columns[: len(key.items)]


def test_one_further_number_is_a_doubt_that_scoring_says() -> None:
    columns = {c: [1, 2, 0] for c in numbered("phq9_{}", 10)}
    panel = Panel(pl.DataFrame({"id": [1, 1, 2], "session": [1, 2, 1], **columns}), person="id", session="session")
    scored = score(panel, "phq-9")
    assert scored["phq_9"].tolist() == [9, 18, 0]
    (warning,) = (f for f in scored.findings if f.code == "item-beyond")
    assert "'phq9_10'" in warning.what
    named = score(panel, "phq-9", items="phq9_{}")
    assert "item-beyond" not in [f.code for f in named.findings]


QUESTIONS = ["G01Q02[SQ{:03}]", "G01Q02_SQ{:03}", "mood[SQ{:02}]", "G01Q02[SQ{:01}]"]


@pytest.mark.parametrize("form", QUESTIONS)
def test_a_limesurvey_question_with_as_many_subquestions_is_offered(form: str) -> None:
    names = numbered(form, 9)
    columns = ["id", *names, "G01Q03[SQ001]", "G01Q03[SQ002]"]
    with pytest.raises(ScoreError, match="no item columns of phq-9") as caught:
        item_columns(instrument("phq-9"), columns)
    (argument,) = (part for part in caught.value.remedy.parts if not isinstance(part, str))
    pattern = argument.option[1].partition("=")[2]
    assert repr(pattern) in argument.python
    assert list(item_columns(instrument("phq-9"), columns, pattern).values()) == names
    with pytest.raises(ScoreError) as caught:
        item_columns(instrument("gad-7"), columns)
    assert "Q{}_core" in caught.value.remedy


@pytest.mark.parametrize("form", ["phq{:02}", "phq9[SQ{:03}]", "phq_{}"])
def test_the_mapping_that_is_offered_finds_the_items(form: str) -> None:
    names = numbered(form, 15)
    with pytest.raises(ScoreError, match="another form") as caught:
        item_columns(instrument("phq-9"), names)
    pattern = caught.value.remedy.rpartition(": ")[2].strip("'")
    assert list(item_columns(instrument("phq-9"), names, pattern).values()) == names[:9]
    both = [*numbered(form, 9), *numbered("phq_9 item {}", 9)]
    with pytest.raises(ScoreError, match="sets of columns") as caught:
        item_columns(instrument("phq-9"), both)
    pattern = caught.value.remedy.rpartition("such as ")[2].strip("'")
    assert list(item_columns(instrument("phq-9"), both, pattern).values()) == names[:9]
