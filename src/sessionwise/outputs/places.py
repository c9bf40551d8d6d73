"""places: where a file may be written, found out before any work and with nothing left of the trial."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from ..errors import Argument, SessionwiseError, Wording
from .manifest import digest_of_file, read_manifest

#: The argument that lets a file be written over which the user named and this package did not write.
OVERWRITE = Argument("overwrite=True", ("--overwrite",))


@dataclass(frozen=True, slots=True)
class Place:
    """A file to be written.

    path : where. A link is followed, and stays.
    named : whether it was the user who named this very file; only then can `overwrite` be said of it.
    overwrite : whether it may be written over, whatever it is.
    private : whether its owner alone may read it.
    folder : whether its folder is made if need be.
    """

    path: Path
    named: bool = True
    overwrite: bool = False
    private: bool = False
    folder: bool = False

    @property
    def target(self) -> Path:
        """The file itself, behind all links."""
        return Path(os.path.realpath(self.path))


def check_places(places: Iterable[Place], inputs: Iterable[Path] = ()) -> None:
    """Refuse what cannot or should not be written.

    inputs : files that are read, over which nothing is written.

    Raises
    ------
    SessionwiseError : a folder, a pipe, a place where nothing can be written; an input, a file that this package did
        not write; or one file for two things.
    """
    read, targets = list(inputs), dict[str, Path]()
    for place in places:
        check_name(place.path)
        _refuse_other_kinds(place)
        _refuse_inputs(place, read)
        check_folder(place.target.parent, made=place.folder)
        if place.target.exists():
            _refuse_foreign(place)
        same = targets.setdefault(os.path.normcase(place.target), place.path)
        if same is not place.path:
            raise SessionwiseError(
                "two things would be written to one file.", where=str(place.path), remedy="Give each a name of its own."
            )


def check_name(path: Path) -> None:
    """Refuse a name that is no text: it could not be told in a report, in JSON, or on a terminal.

    Raises
    ------
    SessionwiseError : bytes that are not UTF-8.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise SessionwiseError(
            "the name of this file or folder is not UTF-8.",
            where=shown,
            remedy="Rename it with letters that this system can show, and name it anew.",
        ) from None


def check_folder(folder: Path, *, made: bool = False) -> None:
    """Refuse a folder in which no file can be written. made : whether it will be made if it is not there.

    Raises
    ------
    SessionwiseError : no such folder, or nothing can be written in it.
    """
    check_name(folder)
    there = folder
    with writing(folder):
        while made and not os.path.lexists(there) and there != there.parent:
            there = there.parent
        if made and there.exists() and not there.is_dir():
            raise SessionwiseError("this is a file, so no folder can be here.", where=str(there), remedy=_ELSEWHERE)
        if not there.is_dir():
            raise SessionwiseError(
                "there is no such folder.", where=str(folder), remedy="Make it first, or name another."
            )
        with TemporaryFile(dir=there):
            pass
    read_manifest(there)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A file that cannot be written is an error with a remedy."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SessionwiseError(f"cannot write: {why}.", where=str(path), remedy=_ELSEWHERE) from error


_ELSEWHERE = "Name another place."


def _refuse_other_kinds(place: Place) -> None:
    with writing(place.path):
        target = place.target
        if target.is_dir():
            raise SessionwiseError("this is a folder, not a file.", where=str(place.path), remedy="Name a file in it.")
        if os.path.lexists(target) and not target.is_file():
            raise SessionwiseError(
                "this is a pipe, a device or a link in a circle, not a file.",
                where=str(place.path),
                remedy="Name a file.",
            )


def _refuse_inputs(place: Place, inputs: Iterable[Path]) -> None:
    for file in inputs:
        with writing(place.path):
            same = file.exists() and place.target.exists() and place.target.samefile(file)
        if same:
            raise SessionwiseError(
                "this is the input file: that would overwrite your data.",
                where=str(place.path),
                remedy="Name another file." if place.named else "Name another folder.",
            )


def _refuse_foreign(place: Place) -> None:
    """What is there must be ours, or be given up by name."""
    target = place.target
    with writing(place.path):
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "the file is read-only")
        if place.overwrite or read_manifest(target.parent).holds(digest_of_file(target)):
            return
    what = "this file was not written by sessionwise, or was changed since, so it is left alone."
    if place.named:
        raise SessionwiseError(
            what,
            where=str(place.path),
            remedy=Wording("Name another file, or add ", OVERWRITE, " to write over it."),
        )
    raise SessionwiseError(what, where=str(place.path), remedy="Rename or move it, or name another place.")
