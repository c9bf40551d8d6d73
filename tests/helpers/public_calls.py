"""How each public function, method and property is called with arguments that it takes, on one small data set.

A public name that is new is added to FUNCTIONS or METHODS, or to OTHERS if it computes nothing; a test sees to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import sessionwise as sw
from sessionwise.descriptions import variance_components
from sessionwise.events.series import rated
from sessionwise.mixed import evaluate, optimise, problem, summed
from sessionwise.mixed.inference import satterthwaite

FORMULA = "core_om ~ lag(core_om) + lag(within(wai_sr)) * pd + (1 + session | patient) + (1 | therapist)"


class World:
    """Data and what was made of them, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def table(self) -> sw.Table:
        return sw.datasets.demo(persons=60, scale_scores=True)

    @cached_property
    def panel(self) -> sw.Panel:
        return sw.Panel(self.table, person="patient", session="session", cluster="therapist", time="date")

    @cached_property
    def items(self) -> sw.Panel:
        return sw.Panel(sw.datasets.demo(persons=30), person="patient", session="session", cluster="therapist")

    @cached_property
    def mlm(self) -> sw.MLMFit:
        return sw.MLM(FORMULA).fit(self.panel)

    def half(self, number: int) -> sw.MLMGram:
        return sw.MLM(FORMULA).gram(self.panel.subset(self.panel.persons[number::2]))

    @cached_property
    def smaller(self) -> sw.MLMFit:
        return sw.MLM(FORMULA.replace(" + (1 | therapist)", "")).fit(self.panel)

    @cached_property
    def crossed(self) -> sw.MLMFit:
        return sw.MLM("core_om ~ session + (1 | patient) + (1 | session)", residual="ar1").fit(self.panel)

    @cached_property
    def sem(self) -> sw.SEMFit:
        return sw.RICLPM("core_om", "wai_sr", waves=4, lags="equal").fit(self.panel)

    @cached_property
    def dsem(self) -> sw.DSEMFit:
        model = sw.DSEM.reciprocal("core_om", "wai_sr", random="none", course=None)
        return model.fit(self.panel, size=20, most=100, chains=2)

    @cached_property
    def study(self) -> sw.StudyResult:
        return sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(self.panel)

    @cached_property
    def design(self) -> sw.Design:
        return sw.design(self.panel, FORMULA)

    @cached_property
    def episodes(self) -> sw.Episodes:
        return sw.detect(self.panel, sw.SuddenGain("core_om"), patients=50)

    @cached_property
    def course(self) -> sw.LearnedCourse:
        return sw.ExpectedCourse("core_om").fit(self.panel)

    @cached_property
    def gram(self) -> sw.Gram:
        return sw.gram({"x": self.panel["session"]}, self.panel.starts, self.panel.persons)

    @cached_property
    def description(self) -> sw.Description:
        return sw.describe(self.panel)

    @cached_property
    def chart(self) -> Any:
        return sw.plot.dropout(self.panel)

    def sample(self, cls: type) -> Any:
        """An object of a public class."""
        made: dict[type, Callable[[], Any]] = {
            sw.Table: lambda: self.table,
            sw.Panel: lambda: self.panel,
            sw.MLM: lambda: self.mlm.model,
            sw.MLMFit: lambda: replace(self.mlm, solution=replace(self.mlm.solution)),  # nothing remembered
            sw.MLMGram: lambda: self.half(0),
            sw.VarCorr: lambda: self.mlm.varcorr["patient"],
            sw.RICLPM: lambda: self.sem.model,
            sw.CLPM: lambda: sw.CLPM("core_om", "wai_sr", waves=4),
            sw.DPM: lambda: sw.DPM("core_om ~ lag(core_om) + pre(lag(wai_sr))", waves=5),
            sw.DSEM: lambda: self.dsem.model,
            sw.DSEMFit: lambda: replace(self.dsem),
            sw.SEMFit: lambda: replace(self.sem, solution=replace(self.sem.solution)),
            sw.Difference: lambda: self.sem.stationarity(self.panel),
            sw.ModelComparison: lambda: sw.compare(self.mlm, self.sem),
            sw.Study: lambda: self.study.study,
            sw.StudyResult: lambda: self.study,
            sw.Design: lambda: self.design,
            sw.Gram: lambda: self.gram,
            sw.Description: lambda: self.description,
            sw.ControlChart: lambda: sw.ControlChart("wai_sr"),
            sw.RuptureRepair: lambda: sw.RuptureRepair("wai_sr"),
            sw.ModelRupture: lambda: sw.ModelRupture("wai_sr"),
            sw.SuddenGain: lambda: sw.SuddenGain("core_om"),
            sw.ReliableChange: lambda: sw.ReliableChange("core_om"),
            sw.Setting: lambda: sw.Setting(),
            sw.Episodes: lambda: self.episodes,
            sw.ExpectedCourse: lambda: self.course.described,
            sw.LearnedCourse: lambda: self.course,
            sw.TrackedCourse: lambda: self.course.track(self.panel),
            sw.ValidatedCourse: lambda: self.course.described.validate(self.panel, folds=4),
            sw.FalseAlarms: lambda: self.episodes.false_alarms,
            sw.Reliability: lambda: sw.reliability(self.items, "wai-sr"),
        }
        return made[cls]()


#: Public names that hold, read or say something and do no linear algebra.
OTHERS = {
    "Finding", "Findings", "Formula", "Instrument", "Verdict", "instrument", "instruments", "long_to_wide",
    "number_sessions", "parse_formula", "read", "wide_to_long",
}  # fmt: skip
PLOT_OTHERS = {"style"}

Call = Callable[[World], object]


def exported(world: World) -> None:
    """ArviZ is an extra, which may not be there."""
    with suppress(sw.ModelError):
        world.dsem.to_arviz(world.panel, draws=50)


FUNCTIONS: dict[str, Call] = {
    "check": lambda w: sw.check(w.panel),
    "compare": lambda w: sw.compare(w.mlm, w.sem),
    "datasets.demo": lambda w: sw.datasets.demo(persons=20),
    "describe": lambda w: sw.describe(w.panel),
    "design": lambda w: sw.design(w.panel, FORMULA),
    "gram": lambda w: sw.gram({"x": w.panel["session"]}, w.panel.starts, w.panel.persons),
    "reliability": lambda w: sw.reliability(w.items, "wai-sr"),
    "report": lambda w: sw.report(w.study, w.folder / "report.html", w.panel),
    "score": lambda w: sw.score(w.items, "wai-sr"),
    "detect": lambda w: sw.detect(w.panel, sw.ReliableChange("core_om", "hierarchical-linear"), patients=50),
    "false_alarms": lambda w: sw.false_alarms(sw.RuptureRepair("wai_sr"), w.panel, patients=50),
    "error_rates": lambda w: sw.error_rates(sw.SuddenGain("y", cutoff=1.0), sw.Setting(), size=-2.0, patients=50),
    "read_course": lambda w: sw.read_course(w.course.save(w.folder / "course.json")),
    "plot.alt_text": lambda w: sw.plot.alt_text(w.chart),
    "plot.caterpillar": lambda w: sw.plot.caterpillar(w.mlm, "therapist"),
    "plot.draw_effects": lambda w: sw.plot.draw_effects(
        sw.plot.level_effects(w.mlm, "therapist"), "therapist", "level", "core_om"
    ),
    "plot.draw_slopes": lambda w: sw.plot.simple_slopes(w.mlm, "lag(within(wai_sr))", "pd"),
    "plot.chains": lambda w: sw.plot.chains(w.dsem),
    "plot.dropout": lambda w: sw.plot.dropout(w.panel),
    "plot.embed": lambda w: sw.plot.embed(w.chart),
    "plot.episodes": lambda w: sw.plot.episodes(w.panel, w.episodes),
    "plot.expected_course": lambda w: sw.plot.expected_course(
        w.course.track(w.panel), persons=w.panel.persons[:3].tolist()
    ),
    "plot.write_expected_course": lambda w: sw.plot.write_expected_course(
        w.course.track(w.panel), w.folder, w.panel.persons[:3].tolist()
    ),
    "plot.figure_parts": lambda w: sw.plot.figure_parts(w.chart),
    "plot.figure_table": lambda w: sw.plot.figure_table(w.chart),
    "plot.forest": lambda w: sw.plot.forest(sw.compare(w.mlm, w.sem).estimates),
    "plot.impulse_responses": lambda w: sw.plot.impulse_responses(w.dsem),
    "plot.level_effects": lambda w: sw.plot.level_effects(w.mlm, "therapist"),
    "plot.missing": lambda w: sw.plot.missing(w.items),
    "plot.path_diagram": lambda w: sw.plot.path_diagram(w.sem),
    "plot.paths": lambda w: sw.plot.paths(w.sem),
    "plot.prior_posterior": lambda w: sw.plot.prior_posterior(w.dsem),
    "plot.scatter": lambda w: sw.plot.scatter(w.panel, "core_om", "wai_sr"),
    "plot.simple_slopes": lambda w: sw.plot.simple_slopes(w.mlm, "lag(within(wai_sr))", "pd"),
    "plot.trajectories": lambda w: sw.plot.trajectories(w.panel, "core_om"),
    "plot.write_episodes": lambda w: sw.plot.write_episodes(w.panel, w.episodes, w.folder),
    "plot.write_figures": lambda w: sw.plot.write_figures(w.panel, w.folder, ["core_om"]),
    # functions of the engine that have uses of their own
    "descriptions.variance_components": lambda w: variance_components(w.panel, "core_om"),
    "mixed.problem": lambda w: problem(summed(w.design, w.mlm.solution.problem.residual)),
    "MLM.fit, of Grams": lambda w: w.mlm.model.fit([w.half(0), w.half(1)]),
    "mixed.optimise": lambda w: optimise(w.crossed.solution.problem, reml=True),
    "mixed.evaluate": lambda w: evaluate(w.mlm.solution.problem, w.mlm.theta, reml=True),
    "mixed.inference.satterthwaite": lambda w: satterthwaite(w.crossed.solution),
}


def _settled(world: World, detector: Any) -> Any:
    return detector.settled(world.panel, rated(world.panel, detector.column))


def _found(world: World, detector: Any) -> Any:
    return _settled(world, detector).find(rated(world.panel, detector.column))


METHODS: dict[str, Call] = {
    "ControlChart.find": lambda w: _found(w, sw.ControlChart("wai_sr")),
    "ControlChart.limits": lambda w: sw.ControlChart("wai_sr").limits(rated(w.panel, "wai_sr")),
    "ControlChart.chart": lambda w: sw.ControlChart("wai_sr").chart(w.panel),
    "ControlChart.settled": lambda w: _settled(w, sw.ControlChart("wai_sr")),
    "FalseAlarms.__getitem__": lambda w: w.episodes.false_alarms["flat"],
    "ModelRupture.find": lambda w: _found(w, sw.ModelRupture("wai_sr")),
    "ModelRupture.settled": lambda w: _settled(w, sw.ModelRupture("wai_sr")),
    "ModelRupture.refitted": lambda w: _settled(w, sw.ModelRupture("wai_sr")).refitted(rated(w.panel, "wai_sr")),
    "ReliableChange.changes": lambda w: sw.ReliableChange("core_om", "hierarchical-linear").changes(w.panel),
    "ReliableChange.find": lambda w: _found(w, sw.ReliableChange("core_om", "hierarchical-linear")),
    "ReliableChange.refitted": lambda w: _settled(w, sw.ReliableChange("core_om", "hierarchical-linear")).refitted(
        rated(w.panel, "core_om")
    ),
    "ReliableChange.settled": lambda w: _settled(w, sw.ReliableChange("core_om", "hierarchical-linear")),
    "RuptureRepair.find": lambda w: _found(w, sw.RuptureRepair("wai_sr")),
    "RuptureRepair.settled": lambda w: _settled(w, sw.RuptureRepair("wai_sr")),
    "SuddenGain.find": lambda w: _found(w, sw.SuddenGain("core_om")),
    "SuddenGain.settled": lambda w: _settled(w, sw.SuddenGain("core_om")),
    "ExpectedCourse.fit": lambda w: sw.ExpectedCourse("core_om", covariates=("pd",), shape="free").fit(w.panel),
    "ExpectedCourse.validate": lambda w: sw.ExpectedCourse("core_om").validate(w.panel, folds=4),
    "LearnedCourse.save": lambda w: w.course.save(w.folder / "saved.json"),
    "LearnedCourse.track": lambda w: w.course.track(w.panel),
    "Description.__getitem__": lambda w: w.description["core_om"],
    "Design.apply": lambda w: w.design.apply(w.panel),
    "Design.grouping": lambda w: w.design.grouping("patient"),
    "Gram.recenter": lambda w: w.gram.recenter(np.zeros(1), np.full(1, 2.0)),
    "Gram.select": lambda w: w.gram.select(["x"]),
    "Gram.subset": lambda w: w.gram.subset(np.arange(w.gram.n_persons) < 3),
    "Gram.__add__": lambda w: w.gram.subset(w.gram.n > 5) + w.gram.subset(w.gram.n <= 5),
    "MLM.fit": lambda w: [
        model.fit(w.panel)
        for model in (sw.MLM(FORMULA), w.crossed.model, sw.MLM("wai_sr ~ session + I(session + 1e-5 * pd)", "ML"))
    ],
    "MLM.simulate": lambda w: sw.MLM("y ~ session + (1 | patient)").simulate(
        w.panel, fixef={"(Intercept)": 1, "session": 0}, varcorr={"patient": 1.0}, sigma=1, seed=1
    ),
    "MLM.gram": lambda w: w.half(0),
    "MLMGram.__add__": lambda w: w.half(0) + w.half(1),
    "MLMGram.__radd__": lambda w: sum([w.half(0), w.half(1)]),
    "MLMFit.of": lambda w: None,  # part of MLM.fit
    "MLMFit.confint": lambda w: [
        w.mlm.confint(),
        w.smaller.confint("profile", which=["sigma"]),
        w.smaller.confint("bootstrap", panel=w.panel, n=3, seed=1, threads=2),
    ],
    "MLMFit.contrast": lambda w: w.mlm.contrast({"pd": 1}),
    "MLMFit.explained": lambda w: w.mlm.explained(w.panel),
    "MLMFit.fitted": lambda w: w.mlm.fitted(w.panel),
    "MLMFit.forecast": lambda w: w.crossed.forecast(w.panel, "next"),
    "MLMFit.joint": lambda w: w.mlm.joint(["pd"]),
    "MLMFit.lrt": lambda w: w.mlm.lrt(w.smaller),
    "MLMFit.predict": lambda w: [w.mlm.predict(w.panel), w.crossed.predict(w.panel, "population")],
    "MLMFit.ranef": lambda w: [w.mlm.ranef("patient"), w.crossed.ranef("session")],
    "MLMFit.residuals": lambda w: w.mlm.residuals(w.panel),
    "MLMFit.robust": lambda w: [w.smaller.robust(w.panel), w.smaller.robust(w.panel, kind="CR0")],
    "MLMFit.simulate": lambda w: w.mlm.simulate(w.panel, seed=1),
    "MLMFit.slopes": lambda w: w.mlm.slopes("lag(within(wai_sr))"),
    "MLMFit.summary": lambda w: w.mlm.summary("kenward-roger"),
    "MLMFit.tests_with": lambda w: [w.smaller.tests_with("kenward-roger"), w.crossed.tests_with("residual")],
    "Panel.series": lambda w: w.panel.series("pd"),
    "Panel.labels": lambda w: w.panel.labels("gender"),
    "Panel.is_constant": lambda w: w.panel.is_constant("pd"),
    "Panel.per_person": lambda w: w.panel.per_person("pd"),
    "Panel.is_numeric": lambda w: w.panel.is_numeric("pd"),
    "Panel.subset": lambda w: w.panel.subset(w.panel.persons[:3]),
    "Panel.where": lambda w: w.panel.where([1]),
    "Panel.with_columns": lambda w: w.panel.with_columns({"z": w.panel["pd"]}),
    "RICLPM.blueprint": lambda w: w.sem.model.blueprint((1, 2, 3)),
    "CLPM.blueprint": lambda w: w.sample(sw.CLPM).blueprint((1, 2, 3)),
    "DPM.blueprint": lambda w: w.sample(sw.DPM).blueprint((1, 2, 3)),
    "RICLPM.fit": lambda w: sw.RICLPM("core_om", "wai_sr", waves=3, errors="robust").fit(w.panel),
    "CLPM.fit": lambda w: w.sample(sw.CLPM).fit(w.panel),
    "DPM.cautions": lambda w: w.sample(sw.DPM).cautions(w.sample(sw.DPM).fit(w.panel).solution),
    "DPM.fit": lambda w: w.sample(sw.DPM).fit(w.panel),
    "RICLPM.simulate": lambda w: w.sem.model.simulate(w.sem.estimates, persons=20, seed=1),
    "CLPM.simulate": lambda w: w.sample(sw.CLPM).simulate(w.sample(sw.CLPM).fit(w.panel).estimates, persons=9, seed=1),
    "DPM.simulate": lambda w: w.sample(sw.DPM).simulate(w.sample(sw.DPM).fit(w.panel).estimates, persons=9, seed=1),
    "DSEM.fit": lambda w: w.dsem.model.fit(w.panel, size=20, most=100, chains=1),
    "DSEM.reciprocal": lambda w: sw.DSEM.reciprocal("core_om", "wai_sr"),
    "DSEM.simulate": lambda w: w.dsem.model.simulate({"core_om": 1.0}, persons=9, seed=1),
    "DSEMFit.draws": lambda w: w.dsem.draws("core_om"),
    "DSEMFit.indirect": lambda w: w.dsem.indirect("wai_sr", "core_om"),
    "DSEMFit.prior_sensitivity": lambda w: (
        sw.DSEM.reciprocal("core_om", "wai_sr", course=None)
        .fit(w.panel, size=20, most=100, chains=1)
        .prior_sensitivity(w.panel, size=20, most=100, chains=1)
    ),
    "DSEMFit.loo": lambda w: w.dsem.loo(w.panel, draws=50),
    "DSEMFit.one_step_ahead": lambda w: w.dsem.one_step_ahead(w.panel, draws=20),
    "DSEMFit.predictive_checks": lambda w: w.dsem.predictive_checks(w.panel, replicates=20),
    "DSEMFit.to_arviz": lambda w: exported(w),
    "SEMFit.lags_given": lambda w: w.sem.lags_given("core_om"),
    "SEMFit.lrt": lambda w: w.sem.lrt(sw.CLPM("core_om", "wai_sr", waves=4, lags="equal").fit(w.panel)),
    "SEMFit.same_over_groups": lambda w: (
        sw.CLPM("core_om", "wai_sr", waves=3, group="gender").fit(w.panel).same_over_groups(w.panel)
    ),
    "SEMFit.simulate": lambda w: w.sem.simulate(seed=1),
    "SEMFit.stationarity": lambda w: w.sem.stationarity(w.panel),
    "Study.run": lambda w: sw.Study("core_om", "wai_sr", moderators=["pd"], dynamic=False).run(w.panel),
    "StudyResult.arrow": lambda w: w.study.arrow("forward"),
    "StudyResult.following": lambda w: w.study.following("forward"),
    "StudyResult.report": lambda w: w.study.report(w.folder / "again.html"),
    "Table.__getitem__": lambda w: w.table["pd"],
    "Table.to_pandas": lambda w: None,  # of the dataframe library
}


def public_classes() -> list[type]:
    """Those that are not errors, nor among OTHERS."""
    found = [getattr(sw, name) for name in sw.__all__ if name not in OTHERS]
    return [c for c in found if inspect.isclass(c) and not issubclass(c, Exception | Warning)]


def members() -> dict[str, bool]:
    """Class and name of every public method and property, and whether it can be called without arguments."""
    found = {}
    for cls in public_classes():
        for name, value in vars(cls).items():
            value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if name.startswith("_") or not (callable(value) or isinstance(value, property | cached_property)):
                continue
            needed = []
            if callable(value):
                parameters = list(inspect.signature(value).parameters.values())[1:]
                needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
            found[f"{cls.__name__}.{name}"] = not needed
    return found


def of_object(name: str) -> Call:
    """Reads a property, or calls a method that needs no arguments."""
    cls, _, member = name.partition(".")

    def call(world: World) -> object:
        found = getattr(world.sample(getattr(sw, cls)), member)
        return found() if callable(found) else found

    return call


CALLS = FUNCTIONS | {name: of_object(name) for name, bare in members().items() if bare} | METHODS
