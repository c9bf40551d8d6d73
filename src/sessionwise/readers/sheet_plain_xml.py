"""An .xlsx sheet's XML, or that of shared texts, rewritten as Excel would write it, for `sheet_cells` to cut up.

Slower by far, and right for any XML: prefixes, other quotes and encodings, comments, cells that do not say where they
stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.parsers import expat
from xml.sax.saxutils import escape

from .workbook import MAIN


class NotXML(Exception):
    """The part is no XML, or none of a workbook."""


def plain_sheet(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The sheet's rows and cells as plain XML; NotXML if there is none in it."""
    writer = _Sheet()
    yield b"<worksheet><sheetData>"
    yield from _through(writer, pieces)
    yield b"</sheetData>"


def plain_texts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The shared texts as plain XML."""
    yield b"<sst>"
    yield from _through(_Texts(), pieces)
    yield b"</sst>"


def _through(writer: _Sheet | _Texts, pieces: Iterable[bytes]) -> Iterator[bytes]:
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.buffer_text = True
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.EntityDeclHandler = _refuse
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield writer.taken()
        parser.Parse(b"", True)
        yield writer.taken()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotXML(str(error)) from error


def _refuse(*declared: object) -> None:
    raise ValueError("entities are defined in it")


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.words: list[str] | None = None
        self.skip = 0

    def taken(self) -> bytes:
        data = "".join(self.out).encode()
        self.out.clear()
        return data

    def text(self, data: str) -> None:
        if self.words is not None and not self.skip:
            self.words.append(data)

    def gather(self) -> str:
        """What was gathered since the element began, written for XML."""
        text = escape("".join(self.words or ()))
        self.words = None
        return text


class _Texts(_Writer):
    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition("\n")
        if space not in MAIN:
            return
        if tag == "si":
            self.words = []
            self.skip = 1
        elif tag == "t" and self.words is not None:
            self.skip -= 1
        elif tag == "rPh":
            self.skip += 1

    def end(self, name: str) -> None:
        space, _, tag = name.rpartition("\n")
        if space not in MAIN:
            return
        if tag == "t" and self.words is not None:
            self.skip += 1
        elif tag == "rPh":
            self.skip -= 1
        elif tag == "si":
            self.out.append(f"<si><t>{self.gather()}</t></si>")


class _Sheet(_Writer):
    def __init__(self) -> None:
        super().__init__()
        self.row, self.column = 0, 0
        self.cell: dict[str, str] | None = None
        self.value: str | None = None
        self.runs: list[str] = []
        self.formula = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition("\n")
        if space not in MAIN:
            return
        if tag == "row":
            given = attributes.get("r", "")
            self.row = int(given) if given.isdigit() and len(given) < 8 else self.row + 1
            self.column = 0
            self.out.append(f'<row r="{self.row}">')
        elif tag == "c":
            self._place(attributes.get("r", ""))
            self.cell, self.value, self.runs, self.formula = attributes, None, [], False
        elif self.cell is not None and tag in ("v", "t"):
            self.words = []
        elif tag == "rPh":
            self.skip += 1
        elif tag == "f":
            self.formula = True

    def end(self, name: str) -> None:
        space, _, tag = name.rpartition("\n")
        if space not in MAIN:
            return
        if tag == "v":
            self.value = self.gather()
        elif tag == "t" and self.words is not None:
            self.runs.append(self.gather())
        elif tag == "rPh":
            self.skip -= 1
        elif tag == "c" and self.cell is not None:
            self._write(self.cell)
            self.cell = None
        elif tag == "row":
            self.out.append("</row>")

    def _place(self, address: str) -> None:
        """The cell's row and column: by its address, or else behind the one before."""
        letters = address.rstrip("0123456789").upper()
        digits = address[len(letters) :]
        if letters.isascii() and letters.isalpha() and digits and len(address) <= 10:
            self.column = 0
            for letter in letters:
                self.column = self.column * 26 + ord(letter) - 64
            self.row = int(digits)
        else:
            self.column += 1

    def _write(self, cell: dict[str, str]) -> None:
        letters, rest = "", self.column
        while rest:
            rest, last = divmod(rest - 1, 26)
            letters = chr(65 + last) + letters
        style = f' s="{cell["s"]}"' if cell.get("s", "").isdigit() else ""
        kind = f' t="{escape(cell["t"])}"' if cell.get("t", "").isalpha() else ""
        inside = "<f/>" if self.formula else ""
        inside += f"<v>{self.value}</v>" if self.value is not None else ""
        inside += f"<is><t>{''.join(self.runs)}</t></is>" if self.runs else ""
        self.out.append(f'<c r="{letters}{max(self.row, 1)}"{style}{kind}>{inside}</c>')
