"""Files are written whole or not at all, together, and with the permissions that a user expects."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.outputs import Place, write_files
from sessionwise.outputs.manifest import NAME

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX systems")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def killed(folder: Path, *how: object) -> dict[str, list[str] | int]:
    program = Path(__file__).parent / "killed_writer.py"
    done = subprocess.run(
        [sys.executable, program, folder, *map(str, how)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str] | int] = json.loads(done.stdout)
    return found


def test_what_was_written_is_there_and_recorded(tmp_path: Path) -> None:
    places = [Place(tmp_path / "a.csv"), Place(tmp_path / "new" / "b.csv", folder=True)]
    assert write_files(dict(zip(places, (b"1", b""), strict=True))) == (places[0].path, places[1].path)
    assert names(tmp_path) == [NAME, "a.csv", "new"]
    assert names(tmp_path / "new") == [NAME, "b.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"1"
    assert (tmp_path / "new" / "b.csv").read_bytes() == b""
    record = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    assert list(record["sha256"]) == ["a.csv"]
    assert len(record["sha256"]["a.csv"]) == 1  # that of the content of before is gone


@posix
def test_killed_at_every_call_it_leaves_old_or_new(tmp_path: Path) -> None:
    found = killed(tmp_path, "calls")
    assert found["through"] == 1
    assert found["killed"] >= 4 * 2 + 3 + 4  # writes and fsyncs of four files, records, names
    assert set("".join(found["states"])) == {"o", "n"}
    assert {"oooo", "nnnn"} <= set(found["states"])


@posix
def test_killed_at_random_it_leaves_old_or_new(tmp_path: Path) -> None:
    assert set("".join(killed(tmp_path, "times", 25, 1)["states"])) <= {"o", "n"}


@posix
@pytest.mark.slow
def test_killed_at_random_300_times(tmp_path: Path) -> None:
    found = killed(tmp_path, "times", 300, 2)
    assert found["killed"] > 50
    assert set("".join(found["states"])) == {"o", "n"}


@posix
def test_an_analysis_that_is_killed_leaves_old_or_new(tmp_path: Path) -> None:
    """Killed when the report has its name and the tables have not; the next run comes through."""
    sw.datasets.demo(persons=45, scale_scores=True).frame.write_csv(tmp_path / "data.csv")
    arguments = "analyze data.csv --person patient --session session --outcome core_om --process wai_sr --results out"
    program = """
import os, signal, sys
from sessionwise.cli.app import main
real, limit, calls = os.replace, int(sys.argv.pop(1)), 0
def replace(*given):
    global calls
    calls += 1
    if calls == limit:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
os.replace = replace
main()
"""

    def run(limit: int) -> int:
        command = [sys.executable, "-c", program, str(limit), *arguments.split()]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False).returncode

    assert run(4) == -9  # two records and the report were replaced
    assert (tmp_path / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert not list((tmp_path / "out").glob("*.csv"))
    assert run(10_000) == 0
    assert len(list((tmp_path / "out").glob("*.csv"))) > 5


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_failure_leaves_everything_as_it_was(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [Place(tmp_path / "a"), Place(tmp_path / "b")]
    write_files(dict.fromkeys(places, b"old"))

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(sw.SessionwiseError, match="cannot write: No space left") as raised:
        write_files(dict.fromkeys(places, b"new"))
    assert raised.value.remedy
    monkeypatch.undo()
    assert [place.path.read_bytes() for place in places] == [b"old", b"old"]
    assert names(tmp_path) == [NAME, "a", "b"]


@posix
def test_permissions_are_those_of_the_umask_or_of_the_file_that_was_there(tmp_path: Path) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    before = os.umask(0o027)
    try:
        write_files({Place(tmp_path / "new"): b"1", Place(tmp_path / "secret", private=True): b"1"})
        assert (mode("new"), mode("secret")) == (0o640, 0o600)
        (tmp_path / "new").chmod(0o664)
        (tmp_path / "secret").chmod(0o644)
        write_files({Place(tmp_path / "new"): b"2", Place(tmp_path / "secret", private=True): b"2"})
        assert (mode("new"), mode("secret")) == (0o664, 0o600)
    finally:
        os.umask(before)


@posix
def test_a_link_stays_and_what_is_behind_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "behind").mkdir()
    link = tmp_path / "link.html"
    link.symlink_to("behind/report.html")
    write_files({Place(link): b"1"})
    write_files({Place(link): b"2"})
    assert link.is_symlink()
    assert (tmp_path / "behind" / "report.html").read_bytes() == b"2"
    assert names(tmp_path) == ["behind", "link.html"]


@posix
def test_two_programs_in_one_folder_lose_no_record(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sessionwise.outputs import Place, write_files\n"
        "for i in range(20): write_files({Place(Path(sys.argv[1]) / f'{sys.argv[2]}{i}'): b'1'})"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, tmp_path, sign]) for sign in "ab"]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    record = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    assert len(record["sha256"]) == 40
