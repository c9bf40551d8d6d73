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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
import scipy.linalg
from threadpoolctl import ThreadpoolController, threadpool_limits

import sessionwise as sw
from helpers.public_calls import CALLS, FUNCTIONS, METHODS, OTHERS, PLOT_OTHERS, World, members, public_classes
from sessionwise.mixed import evaluate
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
