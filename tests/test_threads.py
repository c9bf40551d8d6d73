"""Linear algebra takes one thread, whichever public name was called, and the user's own setting is back afterwards.

Every public function, method and property is called once, and each function of the package that multiplies or factors
matrices is looked into as it is entered. A public name that is new must be told how it is called, or that it computes
nothing.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import ThreadpoolController, threadpool_limits

import sessionwise as sw
from sessionwise.descriptions import variance_components
from sessionwise.mixed import evaluate, optimise, problem, summed
from sessionwise.mixed.inference import satterthwaite
from sessionwise.threads import one_thread

ROOT = Path(sw.__file__).parent
BLAS = ThreadpoolController().select(user_api="blas").lib_controllers
assert scipy.linalg  # loaded before BLAS was looked for


def threads() -> list[int]:
    """Of each library."""
    return [library.num_threads for library in BLAS]


@contextmanager
def allowed(number: int) -> Iterator[None]:
    """So many threads, as a user has set who is no longer inside threadpoolctl."""
    with threadpool_limits(number, "blas"):
        for library in BLAS:
            getattr(library, "clear_controlling_thread", lambda force: None)(force=True)
        yield


# --- what is looked at ------------------------------------------------------------------------------

#: Functions of NumPy, SciPy that end in BLAS or LAPACK; einsum does if it may choose the order.
ALGEBRA = {"linalg", "blas", "lapack", "dot", "vdot", "matmul", "tensordot", "solve_discrete_lyapunov"}


def does_algebra(function: ast.AST) -> bool:
    """Whether a function's own lines do linear algebra, those of functions within it left aside."""
    for node in _own(function):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Call):
            called = {n.attr for n in ast.walk(node.func) if isinstance(n, ast.Attribute)}
            called |= {n.id for n in ast.walk(node.func) if isinstance(n, ast.Name)}
            if called & ALGEBRA or ("einsum" in called and any(k.arg == "optimize" for k in node.keywords)):
                return True
    return False


def _own(function: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            yield from _own(node)


@cache
def algebra() -> set[tuple[str, int]]:
    """File and first line of every function that does linear algebra."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.Lambda) and does_algebra(node):
                first = node.decorator_list[0] if isinstance(node, ast.FunctionDef) and node.decorator_list else node
                found.add((str(path), first.lineno))
    return found


class Watch:
    """Functions entered with more than one thread, and how many with one."""

    def __init__(self) -> None:
        self.wrong: set[str] = set()
        self.right = 0

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (frame.f_code.co_filename, frame.f_code.co_firstlineno) in algebra():
            if max(threads()) > 1:
                self.wrong.add(f"{Path(frame.f_code.co_filename).relative_to(ROOT)}: {frame.f_code.co_name}")
            else:
                self.right += 1


@contextmanager
def watched() -> Iterator[Watch]:
    """Two threads allowed from outside, as a user has it; which must be what is allowed at the end."""
    watch = Watch()
    with allowed(2):
        sys.setprofile(watch)
        threading.setprofile(watch)
        try:
            yield watch
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]
        assert threads() == [2] * len(BLAS)


# --- every public name ------------------------------------------------------------------------------

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
    def study(self) -> sw.StudyResult:
        return sw.Study("core_om", "wai_sr", moderators=["pd"]).run(self.panel)

    @cached_property
    def design(self) -> sw.Design:
        return sw.design(self.panel, FORMULA)

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
            sw.SEMFit: lambda: replace(self.sem, solution=replace(self.sem.solution)),
            sw.Difference: lambda: self.sem.stationarity(self.panel),
            sw.ModelComparison: lambda: sw.compare(self.mlm, self.sem),
            sw.Study: lambda: self.study.study,
            sw.StudyResult: lambda: self.study,
            sw.Design: lambda: self.design,
            sw.Gram: lambda: self.gram,
            sw.Description: lambda: self.description,
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
    "plot.alt_text": lambda w: sw.plot.alt_text(w.chart),
    "plot.caterpillar": lambda w: sw.plot.caterpillar(w.mlm, "therapist"),
    "plot.draw_effects": lambda w: sw.plot.draw_effects(
        sw.plot.level_effects(w.mlm, "therapist"), "therapist", "level", "core_om"
    ),
    "plot.draw_slopes": lambda w: sw.plot.simple_slopes(w.mlm, "lag(within(wai_sr))", "pd"),
    "plot.dropout": lambda w: sw.plot.dropout(w.panel),
    "plot.embed": lambda w: sw.plot.embed(w.chart),
    "plot.figure_parts": lambda w: sw.plot.figure_parts(w.chart),
    "plot.figure_table": lambda w: sw.plot.figure_table(w.chart),
    "plot.forest": lambda w: sw.plot.forest(sw.compare(w.mlm, w.sem).estimates),
    "plot.level_effects": lambda w: sw.plot.level_effects(w.mlm, "therapist"),
    "plot.missing": lambda w: sw.plot.missing(w.items),
    "plot.path_diagram": lambda w: sw.plot.path_diagram(w.sem),
    "plot.paths": lambda w: sw.plot.paths(w.sem),
    "plot.scatter": lambda w: sw.plot.scatter(w.panel, "core_om", "wai_sr"),
    "plot.simple_slopes": lambda w: sw.plot.simple_slopes(w.mlm, "lag(within(wai_sr))", "pd"),
    "plot.trajectories": lambda w: sw.plot.trajectories(w.panel, "core_om"),
    "plot.write_figures": lambda w: sw.plot.write_figures(w.panel, w.folder, ["core_om"]),
    # functions of the engine that have uses of their own
    "descriptions.variance_components": lambda w: variance_components(w.panel, "core_om"),
    "mixed.problem": lambda w: problem(summed(w.design, w.mlm.solution.problem.residual)),
    "MLM.fit, of Grams": lambda w: w.mlm.model.fit([w.half(0), w.half(1)]),
    "mixed.optimise": lambda w: optimise(w.crossed.solution.problem, reml=True),
    "mixed.evaluate": lambda w: evaluate(w.mlm.solution.problem, w.mlm.theta, reml=True),
    "mixed.inference.satterthwaite": lambda w: satterthwaite(w.crossed.solution),
}

METHODS: dict[str, Call] = {
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
    "SEMFit.lags_given": lambda w: w.sem.lags_given("core_om"),
    "SEMFit.lrt": lambda w: w.sem.lrt(sw.CLPM("core_om", "wai_sr", waves=4, lags="equal").fit(w.panel)),
    "SEMFit.same_over_groups": lambda w: (
        sw.CLPM("core_om", "wai_sr", waves=3, group="gender").fit(w.panel).same_over_groups(w.panel)
    ),
    "SEMFit.simulate": lambda w: w.sem.simulate(seed=1),
    "SEMFit.stationarity": lambda w: w.sem.stationarity(w.panel),
    "Study.run": lambda w: sw.Study("core_om", "wai_sr", moderators=["pd"]).run(w.panel),
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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("threads"))


def test_every_public_name_is_called() -> None:
    """A name that fails here is to be added to FUNCTIONS or METHODS, or to OTHERS if it computes nothing."""
    functions = {name for name in sw.__all__ if name not in OTHERS and inspect.isfunction(getattr(sw, name))}
    plots = {
        f"plot.{name}"
        for name in sw.plot.__all__
        if inspect.isfunction(getattr(sw.plot, name)) and name not in PLOT_OTHERS
    }
    assert functions | plots <= set(FUNCTIONS)
    assert set(members()) <= set(CALLS)
    inherited = {f"{cls.__name__}.{name}" for cls in public_classes() for name in dir(cls)}
    assert {name for name in METHODS if "__" not in name} <= inherited
    assert set(sw.__all__) >= OTHERS


#: To draw figures takes long where every call is looked into; the figures themselves are called one by one.
LONG = {"report", "StudyResult.report"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in CALLS])
def test_one_thread_within_and_the_users_own_afterwards(name: str, world: World) -> None:
    with watched() as watch:
        CALLS[name](world)
    assert not watch.wrong


def test_the_watch_sees(world: World) -> None:
    """That the test above can fail."""
    assert world.mlm.verdict
    with watched() as watch:
        evaluate(world.mlm.solution.problem, world.mlm.theta, reml=True).beta()
    assert watch.wrong == {"mixed/criterion.py: beta"}


# --- the setting ------------------------------------------------------------------------------------


def test_the_setting_is_back_after_an_error() -> None:
    def fails() -> None:
        with one_thread():
            assert threads() == [1] * len(BLAS)
            raise ValueError

    with allowed(2):
        with pytest.raises(ValueError):  # noqa: PT011
            fails()
        assert threads() == [2] * len(BLAS)
        with pytest.raises(sw.ModelError):
            sw.MLM("x ~ 1").fit("no panel")
        assert threads() == [2] * len(BLAS)


def test_a_setting_of_one_is_left() -> None:
    with allowed(1):
        with one_thread():
            assert threads() == [1] * len(BLAS)
        assert threads() == [1] * len(BLAS)


def test_the_last_to_go_puts_it_back() -> None:
    """Calls of several Python threads that overlap in any way: one thread as long as any of them works."""
    late: list[int] = []
    start = threading.Barrier(4)

    def works(number: int) -> None:
        start.wait()
        for i in range(50):
            with one_thread():
                with one_thread():
                    pass
                time.sleep(1e-5 * (1 + (number + i) % 3))
                late.append(max(threads()))

    with allowed(2):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(works, range(4)))
        assert set(late) == {1}
        assert threads() == [2] * len(BLAS)


def test_a_library_that_comes_within_is_held_from_the_next_call_on() -> None:
    """In a process of its own, where SciPy's library is loaded by a fit of crossed factors."""
    code = """
import numpy, sys
from threadpoolctl import threadpool_info, threadpool_limits
threadpool_limits(2, "blas")
import sessionwise as sw
from sessionwise.mixed import criterion
seen = []
inner = criterion._crossed
def outer(*given):
    seen.append({(one["filepath"], one["num_threads"]) for one in threadpool_info() if one["user_api"] == "blas"})
    return inner(*given)
criterion._crossed = outer
panel = sw.Panel(sw.datasets.demo(persons=30, scale_scores=True), person="patient", session="session")
assert "scipy.linalg" not in sys.modules
sw.MLM("core_om ~ 1 + (1 | patient) + (1 | session)").fit(panel)
assert seen and all(threads == 1 for calls in seen for _, threads in calls), seen
after = {one["filepath"]: one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}
assert len(after) == len({path for path, _ in seen[0]})
print(*after.values())
"""
    free = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=free)
    assert done.stdout.split()[0] == "2"
