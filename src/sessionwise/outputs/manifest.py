"""manifest: the record, in a folder, of what this package wrote there: names and SHA-256 of contents."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SessionwiseError

#: The record's name in each folder.
NAME = ".sessionwise-written.json"
_ABOUT = (
    "SHA-256 of the files that sessionwise wrote into this folder. It writes over a file with such a content, "
    "and over no other."
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """files : name -> digests that a file of this name may have; two while it is being replaced."""

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, content: str) -> bool:
        """Whether a file with this digest was written here, under whatever name it stands now."""
        return any(content in digests for digests in self.files.values())

    def to_bytes(self) -> bytes:
        files = {name: list(digests) for name, digests in sorted(self.files.items())}
        text = json.dumps({"about": _ABOUT, "sha256": files}, indent=1, ensure_ascii=False)
        return f"{text}\n".encode()


def read_manifest(folder: Path) -> Manifest:
    """The folder's record; an empty one if there is none.

    Raises
    ------
    SessionwiseError : a file of this name that is no such record.
    """
    path = folder / NAME
    try:
        if path.is_symlink() or not path.is_file():
            if path.is_symlink() or path.exists():
                raise _foreign(path)
            return Manifest()
        found = json.loads(path.read_bytes())
    except ValueError:
        raise _foreign(path) from None
    files = found.get("sha256") if isinstance(found, dict) and found.get("about") == _ABOUT else None
    if not isinstance(files, dict) or not all(isinstance(digests, list) for digests in files.values()):
        raise _foreign(path)
    return Manifest({name: tuple(map(str, digests)) for name, digests in files.items()})


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: Path) -> str:
    """That of what the file holds."""
    with open(path, "rb", opener=_plain) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _plain(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # what has become a pipe does not hold us


def _foreign(path: Path) -> SessionwiseError:
    return SessionwiseError(
        "this is not the record of written files that sessionwise keeps under this name.",
        where=str(path),
        remedy="Rename or move it, or name another folder.",
    )
