"""Formula text to terms: lme4's grammar, ours on top, and every way to get it wrong."""

from __future__ import annotations

import contextlib
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import demo
from helpers.places import DOCS
from sessionwise.designs import design
from sessionwise.errors import FormulaError
from sessionwise.formula import Name, Op, RandomTerm, Term, parse_formula
from sessionwise.formula.functions import CONTRASTS, ELEMENTWISE, PERSON, SHIFT, TRANSFORMS
from sessionwise.formula.syntax import show, tree

MEANS = {
    # as R's terms() and lme4's findbars() read them
    "y ~ a*b": "y ~ 1 + a + b + a:b",
    "y ~ x + a*x": "y ~ 1 + x + a + x:a",
    "y ~ a:b": "y ~ 1 + a:b",
    "y ~ a:b + a + b": "y ~ 1 + a + b + a:b",
    "y ~ b:a + a*b": "y ~ 1 + a + b + b:a",
    "y ~ a*b*c": "y ~ 1 + a + b + c + a:b + a:c + b:c + a:b:c",
    "y ~ (a+b+c)^2": "y ~ 1 + a + b + c + a:b + a:c + b:c",
    "y ~ (a+b+c)**2 - a:b": "y ~ 1 + a + b + c + a:c + b:c",
    "y ~ a/b": "y ~ 1 + a + a:b",
    "y ~ (a+b)/c": "y ~ 1 + a + b + a:b:c",
    "y ~ a:(b+c)": "y ~ 1 + a:b + a:c",
    "y ~ a + a + a:a": "y ~ 1 + a",
    "y ~ 0 + a": "y ~ 0 + a",
    "y ~ a - 1": "y ~ 0 + a",
    "y ~ -1 + a": "y ~ 0 + a",
    "y ~ a + b - a": "y ~ 1 + b",
    "y ~ a - 1 + 1": "y ~ 1 + a",
    "y ~ 1": "y ~ 1",
    "y ~ 0": "y ~ 0",
    "log(y) ~ I(x^2)": "log(y) ~ 1 + I(x^2)",
    "y ~ I(x > 3) + I(g == 'a b')": 'y ~ 1 + I(x > 3) + I(g == "a b")',
    "y ~ `my col` + a.b": "y ~ 1 + `my col` + a.b",
    "y ~ lag( x ,1) + lag(x, k = 2) + lead(x, 1, 'row')": 'y ~ 1 + lag(x) + lag(x, k=2) + lead(x, by="row")',
    "y ~ lag(within(x)) * within(lag(x))": "y ~ 1 + lag(within(x)) + within(lag(x)) + lag(within(x)):within(lag(x))",
    "y ~ bs(detrend(x), df=4) + C(g, contr.sum)": "y ~ 1 + bs(detrend(x), df=4) + C(g, contr.sum)",
    "y ~ (1|g)": "y ~ 1 + (1 | g)",
    "y ~ (x|g)": "y ~ 1 + (1 + x | g)",
    "y ~ (0 + x|g)": "y ~ 1 + (0 + x | g)",
    "y ~ (x - 1|g)": "y ~ 1 + (0 + x | g)",
    "y ~ (1 + lag(x)*z || g) + x": "y ~ 1 + x + (1 + lag(x) + z + lag(x):z || g)",
    "y ~ (1|a/b/c)": "y ~ 1 + (1 | a) + (1 | a:b) + (1 | a:b:c)",
    "y ~ (x||a/b)": "y ~ 1 + (1 + x || a) + (1 + x || a:b)",
    "y ~ (1|a:b) + (0+x|a:b)": "y ~ 1 + (1 | a:b) + (0 + x | a:b)",
    "y ~ ((1|g))": "y ~ 1 + (1 | g)",
}


@pytest.mark.parametrize(("text", "meaning"), MEANS.items())
def test_meaning(text, meaning):
    assert str(parse_formula(text)) == meaning


@pytest.mark.parametrize("text", MEANS)
def test_what_is_printed_means_the_same(text):
    once = parse_formula(text)
    again = parse_formula(str(once))
    assert again.response == once.response
    assert [t.key for t in again.fixed] == [t.key for t in once.fixed]
    assert [(t.group, t.correlated, {u.key for u in t.terms}) for t in again.random] == [
        (t.group, t.correlated, {u.key for u in t.terms}) for t in once.random
    ]


def test_the_parts():
    f = parse_formula("y ~ a + lag(x) + (1 + a || g:h)")
    assert show(f.response) == "y"
    assert [str(t) for t in f.fixed] == ["1", "a", "lag(x)"]
    (r,) = f.random
    assert isinstance(r, RandomTerm)
    assert not r.correlated
    assert str(r.group) == "g:h"
    assert f.columns == ("y", "a", "x", "g", "h")
    assert [show(v) for v in f.variables] == ["y", "a", "lag(x)"]
    assert pickle.loads(pickle.dumps(f)) == f
    with pytest.raises(AttributeError):
        f.text = "z"  # type: ignore[misc]


def test_precedence_is_R_s():
    assert show(tree("-x^2")) == "-x^2"
    minus = tree("-x^2")
    assert minus.operand == tree("x^2")  # -(x^2)
    power = tree("a^b^c")
    assert isinstance(power, Op)
    assert show(power.right) == "b^c"  # groups from the right
    assert tree("a + b:c*d") == tree("a + ((b:c)*d)").__class__("+", tree("a"), tree("b:c*d"), tree("a").at)
    times = tree("b:c*d")
    assert times.sign == "*"


def test_terms_do_not_depend_on_order_of_factors():
    a, b = Name("a", tree("a").at), Name("b", tree("b").at)
    assert Term((a, b)).key == Term((b, a)).key


def test_one_sided():
    assert str(parse_formula("~ pd", response=False)) == "~ 1 + pd"
    with pytest.raises(FormulaError, match="none is expected"):
        parse_formula("y ~ pd", response=False)


WRONG = {
    # text: what, where or remedy must say
    "": "empty",
    "   ": "empty",
    "x": "no ~",
    "~ x": "no response",
    "1 ~ x": "no response",
    "y ~": "ends where",
    "y ~ x +": r"ends where(.|\n)*character 8",
    "y ~ (x": r"never closed(.|\n)*character 5 of the formula: y ~ >>\(<<x",
    "y ~ x)": r"closes nothing(.|\n)*character 6",
    "y ~ lag(x": "never closed",
    "y ~ lag(x]": "never closed",
    "y ~ (1 + x patient)": r"'patient' cannot stand here(.|\n)*\(1 \+ x \| group\)",
    "y ~ x + (1 + x)": "without its bar",
    "y ~ (1, x)": "',' cannot stand here",
    "y ~ x + 1 | g": r"cannot stand here(.|\n)*in parentheses",
    "y ~ x * (1|g)": "random term cannot stand here",
    "y ~ x - (1|g)": "cannot be subtracted",
    "y ~ (0|g)": "without any random effect",
    "y ~ (1|g+h)": r"g \+ h is no grouping factor",
    "y ~ (1|C(g))": "no grouping factor",
    "y ~ (1|g) + (1+x|g)": "give g the same effect, 1",
    "y ~ wthin(x)": r"no function 'wthin'. Did you mean 'within'(.|\n)*term wthin\(x\), character 5",
    "y ~ factor(x)": r"no function 'factor'(.|\n)*C\(x\)",
    "y ~ __import__('os').system('ls')": "has no meaning",
    "y ~ __import__('os')": "no function '__import__'",
    "y ~ lag(eval(x))": "no function 'eval'",
    "y ~ 2*x": r"2 is no column(.|\n)*I\(2 \* x\)",
    "y ~ x:0": "0 is no column",
    "y ~ x > 3": r"I\(x > 3\)",
    "y ~ 'x'": "no column and no term",
    "y ~ x ~ z": "no column and no term",
    "y ~ .": "not supported",
    "y ~ a %in% b": "a:b",
    "y ~ a; b": "';' has no meaning",
    "y ~ `a": "Close the backtick",
    'y ~ I(g == "a)': "Close the quotation mark",
    "y ~ y": "right-hand side too",
    "y ~ (y|g)": "right-hand side too",
    "y ~ lag(x, 0)": r"k of lag is 0(.|\n)*lead\(x, k\)",
    "y ~ lag(x, -1)": "k of lag is -1",
    "y ~ lag(x, 1.5)": "k of lag is 1.5",
    "y ~ lag(x, by='day')": "by of lag",
    "y ~ lag(x, j=1)": "do not fit",
    "y ~ lag()": "do not fit",
    "y ~ lag(x, 1, k=1)": "do not fit",
    "y ~ lag(k=1, x)": "without a name follows",
    "y ~ within(x, z)": "do not fit",
    "y ~ lag(scale(x))": r"learns from the rows used(.|\n)*scale\(lag\(x\)\)",
    "y ~ lag(a:b)": "cannot stand inside a function",
    "y ~ C(a, contr.smu)": "Did you mean 'contr.sum'",
    "y ~ C(a, contr.sum(1))": "do not fit",
    "y ~ C(a, levels=3)": "do not fit",
    "y ~ C()": "do not fit",
    "y ~ bs(x, df=n)": "must be written out",
    "y ~ ()": "cannot stand here",
    "y ~ [x]": "no column and no term",
    "y ~ I([k=1])": "cannot stand here",
    "y ~ " + "(" * 5000 + "x" + ")" * 5000: "too deeply nested",
}


@pytest.mark.parametrize(("text", "says"), WRONG.items(), ids=[t[:40] for t in WRONG])
def test_wrong(text, says):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert re.search(says, str(caught.value)), str(caught.value)
    assert caught.value.remedy
    assert pickle.loads(pickle.dumps(caught.value)).what == caught.value.what


@given(st.text(alphabet="yxab01 +-*/:^()|~,=.<'\"`lagwithin[]C", max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(FormulaError):
        parse_formula(text)


FACTORS = st.sampled_from(["x", "a", "b", "lag(x)", "within(x)", "lag(between(a), k=2)", "I(x^2)", "`a b`", "C(b)"])
TERMS = FACTORS | st.builds("{}{}{}".format, FACTORS, st.sampled_from("*:"), FACTORS)
TERMS |= st.builds("{}:({} + {}*{})".format, FACTORS, FACTORS, FACTORS, FACTORS)
SUMS = st.lists(TERMS, min_size=1, max_size=4).map(" + ".join)
GROUPS = st.builds("(1 + {} {} {})".format, SUMS, st.sampled_from(["|", "||"]), st.sampled_from(["g", "g:h"]))


@given(SUMS, st.sampled_from(["", " + 0", " - 1", " - x"]), GROUPS | st.just(""))
def test_what_any_formula_prints_means_the_same(fixed, less, random):
    formula = parse_formula(f"y ~ {fixed}{less}{' + ' * bool(random)}{random}")
    again = parse_formula(str(formula))
    assert [t.key for t in again.fixed] == [t.key for t in formula.fixed]
    one, other = ([(r.correlated, [t.key for t in r.terms]) for r in f.random] for f in (formula, again))
    assert one == other


@given(st.text(max_size=30))
def test_any_unicode_is_read_or_refused(text):
    with contextlib.suppress(FormulaError):
        parse_formula("y ~ " + text)


# --- docs/formula.md ----------------------------------------------------------------------------

PAGE = (DOCS / "formula.md").read_text(encoding="utf-8")
ON_PAGE = [line for block in re.findall(r"```formula\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("text", ON_PAGE)
def test_formulas_of_the_page(text):
    d = design(demo.panel(demo.frame(120)), text)
    assert len(d.rows) > 100
    assert not d.aliased


def test_code_of_the_page():
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "formula.md", "exec"), names)
    (said,) = re.findall(r"d\.names  # (.*)", PAGE)
    assert repr(names["d"].names) == said


def test_pieces_of_the_page():
    """Everything in the first column of its tables is read; every code is in it."""
    cells = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    pieces = [piece for cell in cells for piece in re.findall(r"`([^`]+)`", cell)]
    formulas = [p.replace("\\|", "|") for p in pieces if re.search(r"[(:*]", p)]
    assert len(formulas) > 15
    for piece in formulas:
        parse_formula(f"y ~ {piece}")
    for name in (*PERSON, *SHIFT, *ELEMENTWISE, *TRANSFORMS, *CONTRASTS):
        assert re.search(rf"`[^`]*\b{name}\b", PAGE), name
