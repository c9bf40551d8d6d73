"""Remedies on the command line say options where Python says arguments."""

from __future__ import annotations

import sessionwise as sw
from sessionwise.cli.remedies import in_options
from sessionwise.errors import Argument, Wording
from sessionwise.findings import Finding, Findings
from sessionwise.study.records import NotAnswered

LAG = Wording("Use ", Argument("lag=1", ("--lag", "1")), ".")


def test_what_is_not_answered_names_options() -> None:
    open_question = (NotAnswered("a", "b", LAG), 3, ("x",))
    assert in_options(open_question) == (NotAnswered("a", "b", "Use --lag 1."), 3, ("x",))
    assert open_question[0].needed == "Use lag=1."
    assert in_options(open_question[0].words) == "Not answered: a. b Use --lag 1."
    unchanged = (3, ("x",), ["y"], {"z": 1})
    assert in_options(unchanged) is unchanged


def test_findings_dicts_and_errors_name_options() -> None:
    findings = Findings([Finding("note", "c", "what", remedy=LAG), Finding("note", "d", "what", remedy="Mend it.")])
    assert [f.remedy for f in in_options(findings)] == ["Use --lag 1.", "Mend it."]
    assert in_options(findings.to_dicts()) == in_options(findings).to_dicts()
    assert in_options(findings).items[1] is findings.items[1]
    error = sw.StudyError(Wording(Argument("lag", ("--lag",)), " is 0."), where="here", remedy=LAG)
    assert str(error) == "lag is 0.\n  where:  here\n  remedy: Use lag=1."
    shown = in_options(error)
    assert type(shown) is sw.StudyError
    assert str(shown) == "--lag is 0.\n  where:  here\n  remedy: Use --lag 1."
    plain = sw.StudyError("what.", remedy="Mend it.")
    assert in_options(plain) is plain
