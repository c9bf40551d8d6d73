"""A sentence is never read back: what a program needs of it stands in a record beside it, and words are made last.

Two readers of the source, one of them follows names: what holds a sentence of this package (an attribute such as `what`
or `remedy`, a name such as `term`), is made of one, or runs over several, is not searched, cut or matched, anywhere.
The other wants a reason from every file outside those that read what users wrote (formulas, files, options, settings)
that reads any text at all.

Then the options that sentences name: each is one of the command line, and is taken as it is written.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer

import sessionwise as sw
from sessionwise.cli.app import app
from sessionwise.cli.files import missing_codes as declared
from sessionwise.cli.files import read_options
from sessionwise.cli.remedies import in_options
from sessionwise.errors import Argument, Wording, missing_codes, read_option

ROOT = Path(__file__).parent.parent / "src" / "sessionwise"
MODULES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}

#: What holds a sentence, label or name that this package has made, and what holds several.
SENTENCES = {
    "call", "fact", "fault", "label", "message", "needed", "note", "question", "reason", "reference", "remedy",
    "sentence", "term", "title", "verdict", "what", "where", "why", "words",
}  # fmt: skip
SEVERAL = {"answer", "facts", "faults", "notes", "sentences", "terms", "unverified"}
#: What reads a text.
READING = {
    "endswith", "find", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rpartition", "rsplit",
    "split", "splitlines", "startswith",
}  # fmt: skip
MATCHING = {"findall", "finditer", "fullmatch", "literal_eval", "match", "search", "split", "sub", "subn"}

#: Sentences that are read all the same, and why.
READ_BACK = {
    "models/compare.py": "a model's name is the first word of its title",
    "readers/spss_stata_sas.py": "the sentence is another library's",
    "reports/figures.py": "a reason is cut to its first sentence where there is no room; nothing is made of its words",
}
#: Files that read what users wrote.
OF_USERS = (
    "cli/", "formula/", "panel/labels.py", "readers/", "scoring/item_columns.py", "scoring/key_file.py",
    "scoring/registry.py", "study/refusals.py",
)  # fmt: skip
#: Others that read text, and why.
TEXT = {
    "events/contract.py": "`find` is a detector's own, and looks at ratings",
    "reports/cells.py": "cells of the data, which a spreadsheet reads",
    "datasets/truth.py": "names of fields of a dataclass",
    "designs/coding.py": "numbers that a file stores as text",
    "options.py": "a module's own name",
    "descriptions/printed.py": "a number's text without its zero",
    "models/compare.py": READ_BACK["models/compare.py"],
    "models/dsem/given_priors.py": "names of parameters, which users write",
    "models/dsem/truth.py": "names of parameters, which users write",
    "models/dsem/paths.py": "the formula of `between`, which users write",
    "models/panel_sem/score_test.py": "the text of a p-value",
    "models/panel_sem/show.py": "the text of a p-value",
    "mixed/added_grams.py": "numbers in the labels of strata, which sort them",
    "panel/frames.py": "the version of a library",
    "plot/figure.py": "keys of rows that are not shown; the full stop at the end of a caller's text",
    "plot/path_layout.py": "what the caller's labels of waves begin with; a number's text without its zero",
    "plot/words.py": "zeros at the end of numbers",
    "reports/figures.py": READ_BACK["reports/figures.py"],
    "reports/page.py": "options in a fact that the caller gave are not divided",
    "reports/pictures.py": "pictures that a library drew",
    "reports/printed_tables.py": "names as anchors; a true minus",
    "reports/word.py": "lines of a cell",
    "show.py": "a number's text without its zero",
    "study/methods/panel_models.py": "a number's text without its zero",
    "study/parts/equation.py": "which names of columns a formula quotes",
    "study/words/estimates.py": "the text of a p-value",
    "study/words/phrases.py": "how a word ends, for its plural",
    "words.py": "numbers and plurals as text",
}


# --- the two readers ----------------------------------------------------------------------------


def reads_text(text: str) -> Iterator[tuple[int, str]]:
    """Line and source of each call that reads a text, whosever it is."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(ast.Attribute(ast.Name("np"), _)):
                continue
            case ast.Call(ast.Attribute(ast.Name("re"), _)):
                yield node.lineno, ast.unparse(node)
            case ast.Call(ast.Attribute(_, method)) if method in READING - {"replace", "splitlines"}:
                yield node.lineno, ast.unparse(node)


def reads_sentences(text: str) -> Iterator[tuple[int, str]]:
    """Line and source of each place that reads a sentence of this package."""
    tree = ast.parse(text)
    outermost = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    nested = {id(inner) for outer in outermost for inner in ast.walk(outer) if inner is not outer}
    for scope in [tree, *(f for f in outermost if id(f) not in nested)]:
        names = _names(scope)
        for node in ast.walk(scope):
            if (scope is not tree or id(node) not in nested) and _reads(node, names):
                yield node.lineno, ast.unparse(node)


def _reads(node: ast.AST, names: set[str]) -> bool:
    match node:
        case ast.Call(ast.Attribute(text, method), given):
            matched = method in MATCHING and any(_holds(one, names) for one in given)
            return matched or (method in READING and _holds(text, names))
        case ast.Compare(ast.Constant(str()), [ast.In() | ast.NotIn()], [text]):
            return _holds(text, names)
    return False


def _holds(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression is a sentence or has one in it."""
    match node:
        case ast.Attribute(_, name):
            return name in SENTENCES
        case ast.Name(name):
            return name in names
        case ast.Subscript(inner, _):
            return _holds(inner, names) or _hold(inner, names)
        case ast.Call(ast.Name("str"), [inner]) | ast.Call(ast.Attribute(inner, _)):
            return _holds(inner, names)
        case ast.JoinedStr(values):
            return any(_holds(value.value, names) for value in values if isinstance(value, ast.FormattedValue))
        case ast.BinOp(left, _, right):
            return _holds(left, names) or _holds(right, names)
    return False


def _hold(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression is several sentences."""
    match node:
        case ast.Attribute(_, name):
            return name in SEVERAL
        case ast.Name(name):
            return name in SEVERAL or f"{name}[]" in names
        case ast.ListComp(element) | ast.GeneratorExp(element) | ast.SetComp(element):
            return _holds(element, names)
        case ast.Tuple(elements) | ast.List(elements):
            return any(_holds(one, names) for one in elements)
    return False


def _names(scope: ast.AST) -> set[str]:
    """Names of a scope that hold sentences ('name'), or several ('name[]')."""
    names = set(SENTENCES)
    for _ in range(3):  # names that are made of names
        for node in ast.walk(scope):
            match node:
                case ast.Assign([ast.Name(name)], value) | ast.NamedExpr(ast.Name(name), value):
                    names |= {name} if _holds(value, names) else {f"{name}[]"} if _hold(value, names) else set()
                case ast.For(ast.Name(name), value) | ast.comprehension(ast.Name(name), value) if _hold(value, names):
                    names.add(name)
    return names


@pytest.mark.parametrize("file", MODULES)
def test_no_sentence_is_read_back(file: str) -> None:
    places = list(reads_sentences(MODULES[file]))
    assert not places or file in READ_BACK


@pytest.mark.parametrize("file", [file for file in MODULES if not file.startswith(OF_USERS)])
def test_text_that_is_read_has_a_reason(file: str) -> None:
    places = list(reads_text(MODULES[file]))
    assert not places or file in TEXT


@pytest.mark.parametrize(
    "text",
    [
        "few = error.remedy.startswith('Correct')",
        "name, _, told = finding.what.partition(': ')",
        "study, _, rest = result.call.partition('.run(')",
        "notes = [step.label for step in steps if 'singular' in step.verdict]",
        "notes = [note for note in table.notes if not note.startswith(own)]",
        "one = all(fault.startswith('the correlations of') for fault in faults)",
        "facts = '; '.join(sentence.removeprefix(name) for sentence in key.unverified)",
        "terms = [t for t in fit.terms if t.startswith(f'{within}:')]",
        "def f(c):\n    term = c.term.split(':', 1)[1]\n    return re.fullmatch(r'.*\\[(.+)\\]', term)",
        "def f(d):\n    return d.what.replace('core_om', 'CORE-OM')",
        "def f(one):\n    said = f'{one.why} More.'\n    return said.rsplit('.')",
        "def f(v):\n    texts = [x.label for x in v]\n    return any(text.endswith('trend') for text in texts)",
        "shown = _SAID.sub('--lag', error.remedy)",
        "codes = ast.literal_eval(remedy)",
        "why = f'{name} is {what}.'.replace('is no', 'has no')",
    ],
)
def test_the_reader_finds(text: str) -> None:
    assert list(reads_sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "at = fit.terms.index(name)",
        "there = name in fit.terms",
        "def f(path):\n    name = path.name\n    return name.endswith('.toml')",
        "text = line.split(',')",
        "label = f'{name}: {value}'",
        "same = a.label == b.label",
    ],
)
def test_the_reader_lets_pass(text: str) -> None:
    assert not list(reads_sentences(text))


# --- options ------------------------------------------------------------------------------------

VERBS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = {option for verb in VERBS.values() for one in verb.params for option in one.opts}


def named_options() -> Iterator[tuple[str, int, str]]:
    """File, line and name of every option that stands in an Argument."""
    for file, text in MODULES.items():
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(ast.Name("Argument"), [_, *_]):
                    texts = [str(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant)]
                    yield from ((file, node.lineno, text) for text in texts if text.startswith("-") and text != "-")


def test_options_that_sentences_name_are_options() -> None:
    named = list(named_options())
    assert {"--lag", "--missing", "--number-by", "--first-sessions", "--answers", "-i"} <= {word for *_, word in named}
    assert [place for place in named if place[2] not in OPTIONS] == []
    for argument in (missing_codes({"a": [1]}), read_option("sheet", "b")):
        assert set(argument.option[::2]) <= OPTIONS


def given(verb: str, *words: str) -> dict[str, object]:
    """Options as the verb takes them."""
    context = VERBS[verb].make_context(verb, ["file.csv", "--person", "p", *words], resilient_parsing=False)
    return dict(context.params)


def arguments(text: str) -> list[Argument]:
    assert isinstance(text, Wording), text
    return [part for part in text.parts if isinstance(part, Argument)]


@pytest.mark.parametrize("column", ["bdi", "PHQ-9 Summe", "it's", 'a "b" c', "$x", "a=b", "größe;", "-x"])
@pytest.mark.parametrize("code", [-9, 99, 0.5, "n/a", "k. A."])
def test_codes_are_declared_as_a_shell_takes_them(column: str, code: object) -> None:
    said = Wording("Declare them: ", missing_codes({column: [code]}), "").for_command_line()
    words = shlex.split(said.removeprefix("Declare them: "))
    assert declared(given("check", *words)["missing"]) == {column: [code]}


@pytest.mark.parametrize("column", ["code", "Kode der Person", "it's"])
def test_options_of_read_are_taken_as_they_are_written(column: str) -> None:
    option = read_option("types", {column: "text"}).option
    assert read_options(given("check", *shlex.split(shlex.join(option)))["read"]) == {"types": {column: "text"}}


# --- remedies where they arise ------------------------------------------------------------------

ROLES = {"person": "p", "session": "s"}


def rows(**columns: object) -> pl.DataFrame:
    n = 60
    base = {"p": np.repeat(np.arange(n // 6), 6), "s": np.tile(np.arange(1, 7), n // 6)}
    return pl.DataFrame(base | columns, strict=False)


def raised(make: object) -> sw.SessionwiseError:
    with pytest.raises(sw.SessionwiseError) as caught:
        make()  # type: ignore[operator]
    return caught.value


def coded(name: str) -> pl.DataFrame:
    values = np.where(np.arange(60) % 7 == 3, -9, np.arange(60) % 5)
    return rows(**{name: values, "y": np.arange(60) % 4})


def finding(data: pl.DataFrame, code: str, **roles: str) -> str:
    return next(f.remedy for f in sw.check(data, **(ROLES | roles)) if f.code == code)


def dated() -> pl.DataFrame:
    days = pl.Series(np.tile([0, 8, 4, 12, 16, 20], 10)).cast(pl.Int32)
    return rows(y=np.arange(60) % 4).with_columns(
        (pl.lit("2020-01-01").str.to_date() + pl.duration(days=days)).alias("d")
    )


def wai(high: int) -> pl.DataFrame:
    answers = np.random.default_rng(0).integers(1, high + 1, (60, 12))
    return rows(**{f"wai_sr_{i + 1}": answers[:, i] for i in range(12)})


CASES = {
    "a code in a column with a space": (
        lambda: finding(coded("PHQ-9 Summe"), "missing-code"),
        "If so, declare them: sessionwise.read(path, missing={'PHQ-9 Summe': [-9]}).",
        "If so, declare them: --missing 'PHQ-9 Summe=-9'.",
    ),
    "a code that stands as a score": (
        lambda: (
            raised(
                lambda: sw.Study("PHQ-9 Summe", "y", dynamic=False).run(sw.Panel(coded("PHQ-9 Summe"), **ROLES))
            ).remedy
        ),
        "Correct these cells, or declare them missing, since with them no question can be answered: "
        "sessionwise.read(path, missing={'PHQ-9 Summe': [-9]}). If they are scores, say so: as_scored=['PHQ-9 Summe'].",
        "Correct these cells, or declare them missing, since with them no question can be answered: "
        "--missing 'PHQ-9 Summe=-9'. If they are scores, say so: --as-scored 'PHQ-9 Summe'.",
    ),
    "answers of another form": (
        lambda: finding(wai(7), "answer-out-of-range"),
        "If the form has answers from 1 to 7, score it with answers=(1, 7).",
        "If the form has answers from 1 to 7, score it with --answers wai-sr=1-7.",
    ),
    "sessions against their dates": (
        lambda: finding(dated(), "sessions-out-of-order", time="d"),
        "Correct the dates or the session numbers, or number the sessions by date: "
        "number_sessions(table, person='p', by='d', into='session_by_date').",
        "Correct the dates or the session numbers, or number the sessions by date: "
        "--number-by d --session session_by_date.",
    ),
    "dates as sessions": (
        lambda: raised(lambda: sw.Panel(dated(), person="p", session="d")).remedy,
        "Number the sessions by them: number_sessions(table, person=..., by='d', into='number').",
        "Number the sessions by them: --number-by d --session number.",
    ),
    "an instrument that is not named": (
        lambda: raised(lambda: sw.score(sw.Panel(wai(5), **ROLES))).remedy,
        "For example score(panel, 'core-om', 'wai-sr').",
        "For example -i core-om -i wai-sr.",
    ),
    "too few first sessions": (
        lambda: raised(lambda: sw.Study("a", "b", first_sessions=1, dynamic=False)).what,
        "first_sessions is 1.",
        "--first-sessions is 1.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_interface_has_its_words(case: str) -> None:
    make, python, options = CASES[case]
    text = make()
    assert text == python
    assert in_options(text) == options
    for argument in arguments(text):
        verb = "analyze" if {"--as-scored", "--first-sessions"} & set(argument.option) else "score"
        if argument.option != ("--first-sessions",):  # it stands for the option itself
            given(verb, *argument.option)
