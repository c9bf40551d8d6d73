"""Words: numbers, counts and lists as text, siblings side by side."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionwise.words import (
    agree,
    alike,
    all_digits,
    apa_number,
    below_one,
    capital,
    coefficient_label,
    counted,
    figure_interval,
    figure_number,
    level_percent,
    listed,
    num,
    numbered,
    p_value,
    p_words,
    percent,
    percent_words,
    plural_of,
    signed,
    value_range,
    with_decimals,
)

NAN, INF = float("nan"), float("inf")
SOURCES = Path(__file__).parent.parent / "src" / "sessionwise"

# One number as each style has it. A path diagram's label has two decimals, or three digits from 10 on.
STYLES = ("value", "num", "figure_number", "apa_number", "coefficient_label", "all_digits")
NUMBERS = [
    (0.0, "0", "0", "0.00", "0", "0"),
    (-0.0, "0", "0", "0.00", "0", "0"),
    (-0.5, "-0.500", "−0.5", "−0.50", "−.50", "-0.5"),
    (0.25, "0.250", "0.25", "0.25", ".25", "0.25"),
    (-0.936, "-0.936", "−0.936", "−0.94", "−.94", "-0.936"),
    (-0.0157, "-0.0157", "−0.0157", "−0.016", "−.02", "-0.0157"),
    (-0.001, "-0.00100", "−0.001", "−0.0010", "0", "-0.001"),
    (0.00012345, "0.000123", "0.000123", "0.00012", "0", "0.00012345"),
    (1e-5, "1.00e-05", "1.00e−05", "0.000010", "0", "0.00001"),
    (0.999, "0.999", "0.999", "1.00", "1.00", "0.999"),
    (-0.9951, "-0.995", "−0.995", "−1.00", "−1.00", "-0.9951"),
    (1.0, "1.00", "1", "1.00", "1.00", "1"),
    (1.04, "1.04", "1.04", "1.04", "1.04", "1.04"),
    (9.996, "10.0", "10", "10.00", "10.00", "9.996"),
    (12.34, "12.3", "12.3", "12.34", "12.3", "12.34"),
    (100.0, "100", "100", "100.00", "100", "100"),
    (1234.5, "1,234", "1,234", "1,234.50", "1.23e+03", "1234.5"),
    (-9999999.0, "-1.00e+07", "−1.00e+07", "−9,999,999.00", "−1e+07", "-9999999"),
]


@pytest.mark.parametrize(("value", "shown"), [(row[0], row[1:]) for row in NUMBERS], ids=lambda x: str(x))
def test_one_number_in_every_style(value, shown):
    styles = (num, figure_number, apa_number, coefficient_label, all_digits)
    assert tuple(style(value) for style in styles) == shown
    assert tuple(style.__name__ for style in styles) == STYLES[1:]


@pytest.mark.parametrize("value", [None, NAN, INF, -INF])
def test_a_number_that_is_not_known(value):
    assert num(value) == figure_number(value) == "–"


@pytest.mark.parametrize("value", [NAN, INF])
def test_a_share_or_p_that_is_not_known(value):
    assert percent(value) == percent(value, 1) == p_value(value) == "–"
    assert p_words(value) == "p = –"


@given(st.floats(-1e12, 1e12))
def test_a_number_is_read_back_to_three_digits(value):
    assert float(num(value).replace(",", "")) == pytest.approx(value, rel=0.00501)
    assert float(figure_number(value).replace(",", "").replace("−", "-")) == pytest.approx(value, rel=0.00501)


@given(st.floats(-1e12, 1e12))
def test_all_digits_lose_nothing(value):
    text = all_digits(value)
    assert float(text) == value
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)


@pytest.mark.parametrize(
    ("value", "scale", "shown"),
    [(-0.0001, 1.0, "0.00"), (0.004, 0.02, "0.004"), (-0.936, 0.013, "−0.936"), (2.0, 0.0, "2.00")],
)
def test_a_number_of_a_sentence_has_the_decimals_of_its_scale(value, scale, shown):
    assert apa_number(value, scale) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.43, 0.497), ["0.430", "0.497"]),
        ((0.5, 0.5), ["0.5", "0.5"]),
        ((-0.0001, 0.25), ["0.00", "0.25"]),
        ((-1.5, 2.0), ["−1.5", "2.0"]),
        ((9.996, 1.0), ["10", "1"]),
        ((1200.0, -3.0), ["1,200", "−3"]),
        ((1e-5, 2e-5), ["1.00e−05", "2.00e−05"]),
        ((), []),
    ],
)
def test_numbers_of_a_figure_have_decimals_in_common(values, shown):
    assert alike(*values) == shown


@pytest.mark.parametrize(("text", "shown"), [("-0.5", "−0.5"), ("-0.00", "0.00"), ("0", "0"), ("-1,200", "−1,200")])
def test_signs(text, shown):
    assert signed(text) == shown


# share, in a table, with one decimal, in a figure's title
SHARES = [
    (0.0, "0 %", "0.0 %", "None"),
    (0.0004, "0.0 %", "0.0 %", "Under 0.1 %"),
    (0.025, "2.5 %", "2.5 %", "2.5 %"),
    (0.0994, "9.9 %", "9.9 %", "9.9 %"),
    (0.0996, "10 %", "10.0 %", "10 %"),
    (0.4, "40 %", "40.0 %", "40 %"),
    (1.0, "100 %", "100.0 %", "100 %"),
]


@pytest.mark.parametrize(("share", "table", "decimal", "title"), SHARES)
def test_shares(share, table, decimal, title):
    assert (percent(share), percent(share, 1), percent_words(share)) == (table, decimal, title)
    assert percent(share, sign="") == table.removesuffix(" %")


@pytest.mark.parametrize(
    ("p", "alone", "named", "close"),
    [
        (0.034, ".034", "p = .034", "p = .034"),
        (0.0006, ".001", "p = .001", "p = .001"),
        (0.0004, "<.001", "p < .001", "p <.001"),
        (0.0, "<.001", "p < .001", "p <.001"),
        (1.0, "1.000", "p = 1.000", "p = 1.000"),
    ],
)
def test_p(p, alone, named, close):
    assert (p_value(p), p_words(p), p_words(p, close=True)) == (alone, named, close)
    assert p_words(p, "p of close fit") == f"p of close fit{named[1:]}"


def test_below_one():
    assert [below_one(v) for v in (0.75, 1.0, 0.0)] == [".750", "1.000", ".000"]


@pytest.mark.parametrize(
    ("low", "high", "values", "interval"),
    [
        (-1.5, 2.0, "-1.5 to 2", "95 % interval −1.5 to 2.0"),
        (0.0, 0.0, "0 to 0", "95 % interval 0 to 0"),
        (12.345, 1234.5, "12.35 to 1234", "95 % interval 12 to 1,234"),
    ],
)
def test_ranges_and_intervals(low, high, values, interval):
    assert value_range(low, high) == values
    assert figure_interval(low, high) == interval
    assert figure_interval(low, high, 0.9) == interval.replace("95", "90")


def test_levels():
    assert [level_percent(level) for level in (0.95, 0.9, 0.999, 0.5)] == ["95 %", "90 %", "99.9 %", "50 %"]


def test_a_number_that_rounds_to_zero_keeps_its_sign_where_it_ends_an_interval():
    assert [with_decimals(v, 3) for v in (-0.0004, 0.0004, -0.283, 1234.5)] == [
        "−0.000",
        "0.000",
        "−0.283",
        "1,234.500",
    ]


def test_a_range_that_is_not_known():
    assert value_range(None, None) == "–"


# n, a word, another plural -> counted, the word alone
COUNTS = [
    (0, "row", "", "0 rows", "rows"),
    (1, "row", "", "1 row", "row"),
    (2, "row", "", "2 rows", "rows"),
    (4340, "session", "", "4,340 sessions", "sessions"),
    (1, "study", "", "1 study", "study"),
    (3, "study", "", "3 studies", "studies"),
    (1, "person has", "persons have", "1 person has", "person has"),
    (2, "person has", "persons have", "2 persons have", "persons have"),
]


@pytest.mark.parametrize(("n", "one", "many", "with_number", "alone"), COUNTS)
def test_counts(n, one, many, with_number, alone):
    assert (counted(n, one, many), agree(n, one, many)) == (with_number, alone)


def test_plurals():
    assert [plural_of(word) for word in ("study", "patient", "day")] == ["studies", "patients", "days"]


@pytest.mark.parametrize(
    ("things", "shown"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_lists(things, shown):
    assert listed(things) == shown


@pytest.mark.parametrize(
    ("things", "most", "shown"),
    [
        ([5], 5, "line 5"),
        ([5, 8], 5, "lines 5, 8"),
        (range(1, 9), 5, "lines 1, 2, 3, 4, 5 and 3 more"),
        (["'a'", "'b'"], 1, "lines 'a' and 1 more"),
    ],
)
def test_a_word_with_its_numbers(things, most, shown):
    assert numbered("line", things, most) == shown


def test_capitals():
    assert [capital(text) for text in ("core_OM", "", "Ä b")] == ["Core_OM", "", "Ä b"]


@pytest.mark.parametrize(
    "path", [p for p in sorted(SOURCES.rglob("*.py")) if p.parent.name != "cli"], ids=lambda p: p.stem
)
def test_nobody_makes_plurals_by_hand(path):
    """No `'s' * (n > 1)` and no `'' if n == 1 else 's'`: `counted` and `agree` do that."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        texts = [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) else []
        texts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else texts
        if path.name == "words.py":
            continue
        said = [t.value for t in texts if isinstance(t, ast.Constant)]
        assert not {"s", "S"} & set(said), f"line {node.lineno}"
