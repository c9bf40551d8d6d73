"""errors: what, where, remedy; pickling; hints; wordings for Python and the command line."""

import json
import pickle
import shlex
from copy import deepcopy

import pytest

from sessionwise import errors
from sessionwise.errors import (
    READ,
    Argument,
    PanelError,
    SessionwiseError,
    Wording,
    missing_codes,
    nearest,
    read_option,
    some,
)

KINDS = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, SessionwiseError)]


def test_message_has_what_where_and_remedy_on_their_own_lines():
    error = PanelError("It broke.", where="line 3", remedy="Mend it.")
    assert str(error).splitlines() == ["It broke.", "  where:  line 3", "  remedy: Mend it."]


def test_empty_parts_are_left_out():
    assert str(PanelError("It broke.")) == "It broke."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_pickling(kind):
    back = pickle.loads(pickle.dumps(kind("a", where="b", remedy="c")))
    assert type(back) is kind
    assert (back.what, back.where, back.remedy, str(back)) == ("a", "b", "c", str(kind("a", where="b", remedy="c")))


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("pateint", ["patient", "session"], " Did you mean 'patient'?"),
        ("PATIENT", ["Patient"], " Did you mean 'Patient'?"),
        ("xyz", ["patient"], ""),
        ("a", [], ""),
    ],
)
def test_nearest(name, known, hint):
    assert nearest(name, known) == hint


def test_some_counts_the_rest():
    assert some([1, 2]) == "1, 2"
    assert some(range(7)) == "0, 1, 2, 3, 4 and 2 more"
    assert some(range(4), 2) == "0, 1 and 2 more"
    assert some([]) == ""


# --- wordings -----------------------------------------------------------------------------------

LAG = Argument("lag=1", ("--lag", "1"))


def test_a_wording_is_its_text_for_python_and_has_options_for_the_command_line():
    said = Wording("Use ", LAG, ", or ", Wording("less: ", missing_codes({"PHQ-9 Summe": [-9.0]})), ".")
    assert said == "Use lag=1, or less: sessionwise.read(path, missing={'PHQ-9 Summe': [-9]})."
    assert said.for_command_line() == "Use --lag 1, or less: --missing 'PHQ-9 Summe=-9'."
    assert json.dumps(said) == json.dumps(str(said))


@pytest.mark.parametrize("copy", [lambda w: pickle.loads(pickle.dumps(w)), deepcopy, lambda w: Wording(w)])
def test_a_wording_survives_copies(copy):
    made = copy(Wording("Use ", LAG, "."))
    assert type(made) is Wording
    assert made.for_command_line() == "Use --lag 1."


def test_an_error_keeps_the_wording_of_its_remedy_when_pickled():
    back = pickle.loads(pickle.dumps(PanelError("It broke.", remedy=Wording("Use ", LAG, "."))))
    assert str(back) == "It broke.\n  remedy: Use lag=1."
    assert back.remedy.for_command_line() == "Use --lag 1."


@pytest.mark.parametrize(
    ("argument", "python", "option"),
    [
        (
            missing_codes({"a": [-9, 99.0], "b": ["n/a"]}),
            "sessionwise.read(path, missing={'a': [-9, 99], 'b': ['n/a']})",
            "--missing a=-9 --missing a=99 --missing b=n/a",
        ),
        (missing_codes({"a": [-9]}, more=True, call="{}"), "missing={'a': [-9], ...}", "--missing a=-9 ..."),
        (missing_codes({"a": ["x", ...]}, call="{}"), "missing={'a': ['x', ...]}", "--missing a=x ..."),
        (missing_codes({"it's": [0.5]}, call="{}"), 'missing={"it\'s": [0.5]}', "--missing 'it'\"'\"'s=0.5'"),
        (missing_codes({"a": [1e300, 1234567.0]}, call="{}"), "missing={'a': [1e+300, 1234567]}", None),
        (read_option("types", {"x y": "text"}), "types={'x y': 'text'}", "--read 'types.x y=text'"),
        (read_option("decimal", ",", call=READ), "sessionwise.read(path, decimal=',')", "--read decimal=,"),
        (read_option("redcap", False), "redcap=False", "--read redcap=False"),
        (read_option("sheet"), "sheet=", "--read sheet="),
    ],
)
def test_arguments_of_read(argument, python, option):
    assert argument.python == python
    if option is not None:
        assert shlex.join(argument.option) == option
