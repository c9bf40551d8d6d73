"""Files that are written: whole or not at all, all of a command together, and over nothing of somebody else's.

The rule, which every output follows:

- A file that this package wrote, and nobody has changed since, is written over. It is known by its content, which a
  record in its folder has the digest of (manifest.py), not by its name.
- Any other file is left alone, unless the user named it and said that it may be written over.
- What a command reads is never written over, however it is reached: by a link, another name, another path.
- New contents are made beside the old ones, brought to the disk, and take their names at the very end (files.py).
"""

from __future__ import annotations

from .files import write_files
from .places import Place, check_folder, check_name, check_places, writing

__all__ = ["Place", "check_folder", "check_name", "check_places", "write_files", "writing"]
