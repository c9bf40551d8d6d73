"""errors: what, where, remedy; pickling; hints."""

import pickle

import pytest

from sessionwise import errors
from sessionwise.errors import PanelError, SessionwiseError, nearest, some

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
