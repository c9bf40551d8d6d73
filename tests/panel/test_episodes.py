"""Treatments of a person: nothing goes from one to the next, and persons stay what they are."""

import datetime as dt
import pickle

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.checks import check
from sessionwise.models import MLM
from sessionwise.panel import numbered

FIRST = dt.date(2021, 1, 4)


def table(persons: int = 30, *, again: int = 10, sessions: int = 5) -> pl.DataFrame:
    """Weekly sessions; the first `again` persons had a second treatment, 600 days later. Rows in no order."""
    rng = np.random.default_rng(4)
    rows = []
    for person in range(persons):
        for episode in range(1, 3 if person < again else 2):
            for s in range(1, sessions + 1):
                date = FIRST + dt.timedelta(days=600 * (episode - 1) + 7 * s + person)
                rows.append((100 + person, episode, s, date, *rng.standard_normal(2).tolist()))
    made = pl.DataFrame(rows, schema=["client", "episode", "session", "date", "y", "x"], orient="row")
    return made.sample(fraction=1.0, shuffle=True, seed=1)


ROLES = {"person": "client", "session": "session", "episode": "episode"}
MAKERS = {
    "polars": lambda d: d,
    "lazy": lambda d: d.lazy(),
    "pandas": lambda d: pd.DataFrame(d.to_dict(as_series=False)),
    "pyarrow": lambda d: d.to_arrow(),
    "duckdb": lambda d: duckdb.connect().from_arrow(d.to_arrow()),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_each_treatment_is_a_unit_and_persons_stay_a_column(make):
    panel = sw.Panel(make(table()), **ROLES)
    assert (panel.n_persons, panel.series("client").n_unique(), len(panel)) == (40, 30, 200)
    assert panel.roles.person == "client_episode"
    assert panel.persons[:2].tolist() == ["100:1", "100:2"]
    assert panel.roles.named() == ROLES
    labels = panel.series("client_episode").to_list()
    assert labels == panel.persons[panel.codes].tolist()
    pairs = zip(panel.series("client"), panel.series("episode"), strict=True)
    assert labels == [f"{c}:{e}" for c, e in pairs]
    assert "40 treatments of 30 persons" in repr(panel)
    assert not panel.is_one_treatment_each
    assert sw.Panel(panel, **ROLES) == panel == pickle.loads(pickle.dumps(panel))


def test_lags_means_and_trends_do_not_cross():
    panel = sw.Panel(table(), **ROLES)
    split = table().with_columns(unit=pl.concat_str("client", "episode", separator=":"))
    other = sw.Panel(split, person="unit", session="session")
    formula = "y ~ lag(within(x)) + between(x) + session + (1 | {})"
    one, two = MLM(formula.format("client_episode")).fit(panel), MLM(formula.format("unit")).fit(other)
    assert one.fixef == two.fixef
    assert one.nobs == 40 * 4


def test_persons_are_a_level_above():
    panel = sw.Panel(table(), **ROLES, cluster="client")
    assert panel.clusters is not None
    assert len(panel.clusters) == 30
    fit = MLM("y ~ x + (1 | client_episode) + (1 | client)").fit(panel)
    assert fit.nclusters == {"client_episode": 40, "client": 30}
    clusters = fit.robust(panel)
    assert clusters["se"].to_list() == fit.robust(panel, by="client")["se"].to_list()


def test_the_note_says_what_counts_and_how_persons_are_a_level():
    (note,) = [f for f in sw.Panel(table(), **ROLES).findings if f.code == "episodes"]
    assert note.what.startswith("40 treatments of 30 persons: ")
    assert "(1 | client)" in note.remedy
    assert note.remedy.for_command_line().endswith("--cluster client.")
    assert sw.Panel(table(again=0), **ROLES).is_one_treatment_each


def test_sessions_are_numbered_within_treatments():
    dated = sw.number_sessions(table().drop("session"), person="client", by="date", episode="episode")
    assert sw.Panel(dated, **ROLES).sessions.tolist() == [1, 2, 3, 4, 5] * 40


def test_a_numbered_panel_tells_no_label():
    panel = sw.Panel(table(), **ROLES)
    made = numbered(panel, ["y", "x"])
    assert "client" not in made
    assert "episode" not in made
    assert sorted(made.persons.tolist()) == list(range(1, 41))
    clustered = numbered(sw.Panel(table(), **ROLES, cluster="client"), ["y", "x"])
    assert sorted(clustered.clusters.tolist()) == list(range(1, 31))


def test_labels_that_would_run_together_are_refused():
    data = pl.DataFrame({"p": ["a:b", "a"], "e": ["c", "b:c"], "s": [1, 1]})
    with pytest.raises(sw.PanelError, match="colons"):
        sw.Panel(data, person="p", session="s", episode="e")
    with pytest.raises(sw.PanelError, match="'p_e' already"):
        sw.Panel(data.with_columns(p_e=pl.lit("x"), e=pl.lit("1")), person="p", session="s", episode="e")
    with pytest.raises(sw.PanelError, match=r"'e' \(episode\) is empty in 1 row"):
        sw.Panel(data.with_columns(e=pl.Series(["1", None])), person="p", session="s", episode="e")


def test_repeated_sessions_and_long_gaps_name_the_column_to_use():
    data = table()
    (double,) = check(data, person="client", session="session").errors
    assert double.code == "duplicate-session"
    assert double.remedy.endswith("episode='episode'.")
    assert double.remedy.for_command_line().endswith("--episode episode.")
    dated = sw.number_sessions(data, person="client", by="date", into="n")
    (gap,) = check(dated, person="client", session="n", time="date").warnings
    assert (gap.code, gap.count) == ("long-gap", 10)
    assert "10 sessions of 10 persons come 572 days or more" in gap.what
    assert "client 100, n 6" in gap.where
    assert "episode='episode'" in gap.remedy
    found = check(data, **ROLES, time="date")
    assert [f.code for f in found] == ["episodes"]


def test_treatments_that_lie_in_each_other_are_named():
    inside = pl.lit(FIRST + dt.timedelta(days=20))
    data = table(again=1).with_columns(date=pl.when(pl.col("episode") == 2).then(inside).otherwise("date"))
    (hit,) = [f for f in check(data, **ROLES, time="date") if f.code == "episodes-overlap"]
    assert hit.count == 1
    assert "100:" in hit.where


def test_numbers_of_sessions_may_be_the_times():
    data = table(again=0)
    panel = sw.Panel(data, person="client", session="session", time="session")
    assert panel.times.tolist() == panel.sessions.tolist()
    assert not check(data, person="client", session="session", time="session").warnings
    fit = MLM("y ~ x + (1 | client)", residual="car1").fit(panel)
    assert 0 < fit.residual["phi"] < 1


def test_a_study_of_treatments_says_treatments():
    data = table(60, again=20)
    panel = sw.Panel(data, **ROLES, cluster="client")
    result = sw.Study("y", "x", dynamic=False).run(panel)
    assert result.person == "treatment"
    assert result.flow[0].persons == 80
    assert any(f.code == "episodes" for f in result.findings)
