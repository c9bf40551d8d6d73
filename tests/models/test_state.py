"""The state of a verdict goes with what it says of convergence and admissibility."""

import json
from dataclasses import replace

import pytest

from sessionwise.models.contract import State, Verdict


@pytest.mark.parametrize("state", State)
def test_a_state_says_whether_a_fit_can_be_relied_on(state):
    made = Verdict.of(state, "What happened.", "What to try.")
    assert made.state is state
    assert bool(made) == (state in (State.CONVERGED, State.SINGULAR, State.BOUNDARY))
    assert json.loads(json.dumps(made.to_dict())) == {
        "converged": made.converged,
        "message": "What happened.",
        "remedy": "What to try.",
        "admissible": made.admissible,
        "state": str(state),
    }


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"admissible": False}, "inadmissible"),
        ({"converged": False}, "not-converged"),
        ({"converged": False, "admissible": False}, "not-converged"),
        ({"message": "Another."}, "singular"),
    ],
)
def test_a_verdict_never_contradicts_its_state(changes, state):
    assert replace(Verdict.of(State.SINGULAR, "What happened."), **changes).state == state


def test_the_usual_state():
    assert Verdict(True, "x").state == "converged"
    assert Verdict(False, "x").state == "not-converged"
    assert Verdict(True, "x", admissible=False).state == "inadmissible"
