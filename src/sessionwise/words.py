"""Words: every number, count and list as text. Whatever prints a number takes it from here.

Three styles, told apart by the reader they are for:

- tables (`num`, `percent`, `p_value`): three significant digits, a hyphen for minus, '–' for unknown;
- figures (`figure_number`, `alike`, `with_decimals`, `coefficient_label`, `figure_interval`): a true minus, short;
- sentences (`apa_number`, `p_words`, `counted`, `listed`): as APA prints them, a true minus.

`errors.some` is the list that is cut short ('1, 2 and 3 more'); it stands with the errors, which nearly all use it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from .errors import some

#: Decimals of a p-value, and of what cannot exceed 1.
P_DECIMALS = 3
#: What is printed for a number that is not known.
UNKNOWN = "–"


_BREAKS = re.compile("\\s*[\\t\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]\\s*")
_UNSHOWN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff]")


def printable(text: str) -> str:
    """Text from outside as one line of signs that XML, and so pictures and Word, can hold.

    Control characters become '�', line breaks spaces.

    >>> printable("CORE-OM\\n total\\x01")
    'CORE-OM total�'
    """
    return _UNSHOWN.sub("\ufffd", _BREAKS.sub(" ", text))


# --- numbers ------------------------------------------------------------------------------------


def num(value: float | None) -> str:
    """Three significant digits, for tables: '-0.0123', '1,234', '1.20e-05'; '–' for unknown or not finite."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"  # also of -0.0
    digits = decimals(value)
    return f"{value:.2e}" if digits is None else f"{value:,.{digits}f}"


def decimals(value: float | None) -> int | None:
    """How many `num` prints; None where it prints no decimal number: unknown, or with an exponent."""
    if value is None or not math.isfinite(value) or abs(value) >= 1e6 or 0 < abs(value) < 1e-4:
        return None
    return 0 if value == 0 else _decimals(value)


def figure_number(value: float | None) -> str:
    """As `num`, for figures: a true minus, no zeros at the end: '−0.5'."""
    text = num(value)
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def alike(*values: float) -> list[str]:
    """Numbers of one figure with as many decimals as the largest needs for three digits: '0.430', '0.497'."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if not 1e-4 <= largest < 1e6:
        return [figure_number(v) for v in values]
    decimals = _decimals(largest)
    texts = [f"{v:,.{decimals}f}" for v in values]
    while decimals and all(text.endswith("0") for text in texts):
        texts, decimals = [text[:-1] for text in texts], decimals - 1
    return [("−" if float(t.replace(",", "")) < 0 else "") + t.lstrip("-").removesuffix(".") for t in texts]


def with_decimals(value: float, decimals: int) -> str:
    """One row of a figure's table: '−0.283', '−0.000', where the sign tells on which side of zero an interval ends."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def coefficient_label(value: float) -> str:
    """A coefficient on the arrow of a path diagram, as short as it can be: '−.12', '1.04', '12.3', '0'."""
    text = f"{value:.3g}" if abs(value) >= 10 else f"{value:.2f}"
    text = text.replace("-0.", "-.").removeprefix("0") if abs(value) < 0.995 else text
    return ("0" if text in (".00", "-.00") else text).replace("-", "−")


def apa_number(value: float, scale: float | None = None) -> str:
    """In a sentence: two decimals, or as many as give two significant digits of `scale` (if None, of the value)."""
    size = abs(value if scale is None else scale)
    digits = 2 if size >= 0.1 or size == 0 or not math.isfinite(size) else 1 - math.floor(math.log10(size))
    return signed(f"{value:,.{min(digits, 8)}f}")


def all_digits(value: float) -> str:
    """With all its digits and no exponent, as a file has it: '9999999', '-0.5'."""
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    return f"{Decimal(repr(float(value))):f}"


def signed(text: str) -> str:
    """The text of a number with a true minus, and none before zero: '−0.5', '0.00'."""
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def _decimals(value: float) -> int:
    """How many give three significant digits, after rounding to three: 9.996 has two, as 10.0 has one."""
    return max(0, 2 - math.floor(math.log10(abs(float(f"{value:.3g}")))))


# --- shares and probabilities -------------------------------------------------------------------


def percent(share: float, decimals: int | None = None, *, sign: str = " %") -> str:
    """Whole percents, one decimal below ten, or as many decimals as asked for; '–' for what is not finite."""
    if not math.isfinite(share):
        return UNKNOWN
    value = 100 * share
    if decimals is None:
        decimals = 1 if 0 < value < 9.95 else 0
    return f"{value:.{decimals}f}{sign}"


def percent_words(share: float) -> str:
    """Beginning of a figure's title: 'None', 'Under 0.1 %', '2.5 %', '40 %'."""
    if share == 0:
        return "None"
    return "Under 0.1 %" if share < 0.001 else percent(share)


def below_one(value: float) -> str:
    """As journals print what cannot exceed 1, such as a reliability or a fit index: '.750'."""
    return f"{value:.{P_DECIMALS}f}".removeprefix("0")


def p_value(p: float) -> str:
    """Alone, as in a table: '.034', '<.001'; '–' for what is not finite."""
    if not math.isfinite(p):
        return UNKNOWN
    return "<.001" if p < 0.0005 else below_one(p)


def p_words(p: float, what: str = "p", *, close: bool = False) -> str:
    """With its name: 'p = .034', 'p < .001'; `close`, as printed beside tables, has 'p <.001'."""
    text = p_value(p)
    if not text.startswith("<"):
        return f"{what} = {text}"
    return f"{what} {text}" if close else f"{what} < {text[1:]}"


# --- ranges and intervals -----------------------------------------------------------------------


def value_range(low: float | None, high: float | None) -> str:
    """Smallest and largest value of a column: '0 to 3.5'; '–' for unknown."""
    if low is None or high is None:
        return UNKNOWN
    return f"{low:.3g} to {high:.3g}" if max(abs(low), abs(high)) < 1000 else f"{low:.4g} to {high:.4g}"


def level_percent(level: float) -> str:
    """A level of confidence: '95 %', '99.9 %'."""
    return f"{100 * level:g} %"


def figure_interval(low: float, high: float, level: float = 0.95) -> str:
    """In a figure: '95 % interval −0.5 to −0.1'."""
    return f"{level_percent(level)} interval {' to '.join(alike(low, high))}"


# --- counts -------------------------------------------------------------------------------------


def counted(n: int, one: str, many: str = "") -> str:
    """'1 person', '1,200 persons', '2 studies'; `many`: another plural than that of `plural_of`."""
    return f"{n:,} {agree(n, one, many)}"


def agree(n: int, one: str, many: str = "") -> str:
    """The word that goes with n things, without the number: agree(n, 'row'), agree(n, 'was', 'were')."""
    return one if n == 1 else many or plural_of(one)


def plural_of(word: str) -> str:
    """'patients', 'studies'."""
    return f"{word[:-1]}ies" if word.endswith("dy") else f"{word}s"


# --- lists --------------------------------------------------------------------------------------


def listed(things: Sequence[str]) -> str:
    """All of them: 'a', 'a and b', 'a, b and c'; '' for none."""
    return " and ".join([", ".join(things[:-1]), things[-1]]) if len(things) > 1 else "".join(things)


def numbered(word: str, things: Iterable[object], most: int = 5) -> str:
    """A word with the numbers or names of its things: 'line 5', 'lines 5, 8 and 3 more', "columns 'a', 'b'"."""
    things = list(things)
    return f"{agree(len(things), word)} {some(things, most)}"


def capital(text: str) -> str:
    """First letter large; the rest, which may be column names, as it is."""
    return text[:1].upper() + text[1:]
