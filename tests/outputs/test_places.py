"""The rule: nothing that this package did not write is written over, unless its user says so by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise.outputs import Place, check_folder, check_name, check_places, write_files
from sessionwise.outputs.manifest import NAME

posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX systems")


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A file that this package wrote."""
    write_files({Place(tmp_path / "ours.csv"): b"written"})
    return tmp_path / "ours.csv"


def refused(place: Place, *inputs: Path) -> sw.SessionwiseError:
    """The error, and that writing gives it too and changes nothing."""
    before = place.path.read_bytes()
    with pytest.raises(sw.SessionwiseError) as raised:
        check_places([place], inputs)
    with pytest.raises(sw.SessionwiseError):
        write_files({place: b"new"}, inputs)
    assert place.path.read_bytes() == before
    return raised.value


def test_what_we_wrote_is_written_over_and_nothing_else(ours: Path) -> None:
    check_places([Place(ours)])
    ours.write_bytes(b"edited")
    assert "not written by sessionwise, or was changed" in refused(Place(ours)).what
    other = ours.with_name("other.csv")
    other.write_bytes(b"written ")
    refused(Place(other))
    write_files({Place(ours, overwrite=True): b"asked for"})
    assert ours.read_bytes() == b"asked for"
    check_places([Place(ours)])


def test_it_is_known_by_its_content_under_another_name(ours: Path) -> None:
    moved = ours.rename(ours.with_name("moved.csv"))
    write_files({Place(moved): b"again"})
    assert moved.read_bytes() == b"again"


def test_the_remedy_is_for_files_that_were_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    remedy = refused(Place(tmp_path / "a")).remedy
    assert "overwrite=True" in remedy
    assert "--overwrite" in remedy.for_command_line()
    assert "verwrite" not in refused(Place(tmp_path / "a", named=False)).remedy


def _linked(kind: str, file: Path) -> Path:
    other = file.with_name("other.csv")
    match kind:
        case "itself":
            return file
        case "path":
            return file.parent / "." / "folder" / ".." / file.name
        case "symbolic":
            other.symlink_to(file.name)
        case "chain":
            file.with_name("one.csv").symlink_to(file.name)
            other.symlink_to("one.csv")
        case "hard":
            other.hardlink_to(file)
        case "folder":
            file.parent.joinpath("there").symlink_to(".")
            return file.parent / "there" / file.name
    return other


@posix
@pytest.mark.parametrize("kind", ["itself", "path", "symbolic", "chain", "hard", "folder"])
@pytest.mark.parametrize("reads_link", [False, True])
def test_the_input_is_known_through_links(kind: str, reads_link: bool, ours: Path) -> None:
    """Even one that this package wrote, even where its overwriting was asked for."""
    (ours.parent / "folder").mkdir()
    other = _linked(kind, ours)
    written, read = (ours, other) if reads_link else (other, ours)
    assert "the input file" in refused(Place(written, overwrite=True), read).what


@posix
def test_pipes_devices_and_circles_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "full").symlink_to("/dev/full")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("pipe", "full", "circle"):
        with pytest.raises(sw.SessionwiseError, match="not a file"):
            check_places([Place(tmp_path / name, overwrite=True)])
    with pytest.raises(sw.SessionwiseError, match="a folder, not a file"):
        check_places([Place(tmp_path)])


def test_a_trial_leaves_what_is_there(ours: Path) -> None:
    before = sorted((path, path.read_bytes()) for path in ours.parent.iterdir())
    check_places([Place(ours), Place(ours.with_name("new")), Place(ours.parent / "x" / "y" / "new", folder=True)])
    assert sorted((path, path.read_bytes()) for path in ours.parent.iterdir()) == before


def test_folders(ours: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match="no such folder"):
        check_folder(ours.parent / "x")
    with pytest.raises(sw.SessionwiseError, match="this is a file"):
        check_folder(ours / "x", made=True)
    check_folder(ours.parent / "x" / "y", made=True)
    assert not (ours.parent / "x").exists()


def test_one_file_is_not_for_two_things(tmp_path: Path) -> None:
    with pytest.raises(sw.SessionwiseError, match="two things"):
        check_places([Place(tmp_path / "a"), Place(tmp_path / "." / "a")])


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"sha256": {}}', b"\xff"])
def test_a_foreign_record_is_left_alone(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(sw.SessionwiseError, match="not the record"):
        write_files({Place(tmp_path / "a"): b"1"})
    assert (tmp_path / NAME).read_bytes() == content
    assert not (tmp_path / "a").exists()


@posix
def test_a_name_that_is_no_text_is_refused_and_can_be_told() -> None:
    with pytest.raises(sw.SessionwiseError, match="not UTF-8") as raised:
        check_name(Path(os.fsdecode(b"caf\xe9.csv")))
    assert str(raised.value).encode()
    assert raised.value.where == "caf\\xe9.csv"
