"""write_files: contents to files, together.

All contents are written beside the files, under other names, and brought to the disk; then they take their names, one
right after the other (rename(2) puts the whole new file in the place of the old one). Whenever the program is stopped,
each file is the old or the new one. Until a file has its name, nothing of an earlier one is lost.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from .manifest import NAME, Manifest, digest, read_manifest
from .places import Place, check_places, writing

_PIECE = 1 << 20


def write_files(contents: Mapping[Place, bytes], inputs: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Write all of them, or none; what was written is recorded in each folder.

    contents : each place and what the file will hold. inputs : files that are read, over which nothing is written.

    Returns
    -------
    tuple of Path : as they were named, in their order.

    Raises
    ------
    SessionwiseError : see `check_places`; or the disk is full, say. Then every file is as it was.
    """
    check_places(contents, inputs)
    waiting: dict[Place, Path] = {}
    try:
        for place, content in contents.items():
            if place.folder:
                with writing(place.path):
                    place.target.parent.mkdir(parents=True, exist_ok=True)
            with writing(place.path):
                waiting[place] = _beside(place.target, content, private=place.private)
        new = {place: digest(content) for place, content in contents.items()}
        _record(new, lambda old, digests: (*old, *digests))  # before they are there: a stop must not orphan them
        for place, temporary in waiting.items():
            with writing(place.path):
                os.replace(temporary, place.target)
        for folder in {place.target.parent for place in contents}:
            _to_disk(folder)
        _record(new, lambda old, digests: digests)
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)
    return tuple(place.path for place in contents)


def _beside(target: Path, content: bytes, *, private: bool = False) -> Path:
    """The content in a file of another name in the target's folder, with the target's permissions, on the disk."""
    path = target.parent / f".sessionwise-{secrets.token_hex(8)}.tmp"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600 if private else 0o666)
    try:
        try:
            if not private and target.exists():
                os.chmod(path, stat.S_IMODE(target.stat().st_mode))
            view = memoryview(content)
            while view:
                view = view[os.write(file, view[:_PIECE]) :]
            os.fsync(file)
        finally:
            os.close(file)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _record(new: Mapping[Place, str], merged: Callable[[tuple[str, ...], tuple[str, ...]], tuple[str, ...]]) -> None:
    """Put digests into the record of each folder. merged : those of before and the new ones -> those to keep."""
    for folder in {place.target.parent for place in new}:
        with writing(folder / NAME), _alone(folder):
            files = dict(read_manifest(folder).files)
            for place, content in new.items():
                if place.target.parent == folder:
                    files[place.target.name] = merged(files.get(place.target.name, ()), (content,))
            temporary = _beside(folder / NAME, Manifest(files).to_bytes())
            try:
                os.replace(temporary, folder / NAME)
            finally:
                temporary.unlink(missing_ok=True)
            _to_disk(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No two programs change a folder's record at once, where the system can lock a folder."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # a folder that may be written to and not be read
        yield
        return
    try:
        with suppress(OSError):  # some network drives have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _to_disk(folder: Path) -> None:
    """The names in a folder, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        with suppress(OSError):  # some network drives cannot
            os.fsync(handle)
    finally:
        os.close(handle)
