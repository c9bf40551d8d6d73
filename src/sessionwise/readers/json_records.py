"""JSON -> Table: an array of records, or one record a line (NDJSON); FHIR QuestionnaireResponses by their answers.

Records within a record become columns 'outer.inner'. Lists are refused, but for the items of a QuestionnaireResponse,
each of which becomes a column by its linkId.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ReadError
from ..findings import Finding, Findings
from ..panel.table import Table
from .columns import Wishes, type_columns
from .headers import check_names
from .limits import Limit
from .places import placer
from .redcap_eav import is_eav, turned
from .sniff import decode

if TYPE_CHECKING:
    import polars as pl

_DEEPEST = 50
_EXACT = 2**63


def read_json(raw: bytes, source: str, *, encoding: str | None, wishes: Wishes, limit: Limit) -> Table:
    """The records of `raw` as a Table; ReadError with the record's number if it holds none."""
    import numpy as np
    import polars as pl

    data, findings = decode(raw, encoding, source)
    records = _records(data.decode("utf-8"), source)
    if not records:
        raise ReadError("The file has no records.", where=source, remedy="Export it again, with the data.")
    word = "record"
    if isinstance(records[0], dict) and records[0].get("resourceType") == "QuestionnaireResponse":
        findings.append(Finding("note", "fhir", "Read as FHIR QuestionnaireResponses, a column for each item.", source))
        records = [_response(record) for record in records]
    columns: dict[str, list[Any]] = {}
    for i, record in enumerate(records):
        for name, value in _flat(record, f"{source}, {word} {i + 1}"):
            column = columns.setdefault(name, [])
            column.extend([None] * (i - len(column)))
            column.append(value)
        limit.check_cells(i + 1, len(columns), source)
    check_names([name.strip() for name in columns], source, "record")
    frame = pl.DataFrame(
        [_series(name, cells + [None] * (len(records) - len(cells))) for name, cells in columns.items()]
    )
    numbers = np.arange(1, len(records) + 1, dtype=np.int64)
    if is_eav(frame.columns) and not wishes.as_rows:
        made = turned(frame, word, numbers, source, limit)
        frame, numbers = made.frame, numbers[made.first]
        findings.append(made.note)
    frame, typed = type_columns(frame, wishes, source, placer(word, numbers))
    return Table(frame, source=source, findings=Findings([*findings, *typed]), row_word=word, row_numbers=numbers)


def _records(text: str, source: str) -> list[Any]:
    """The objects of an array, of a FHIR bundle, or one a line."""
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    try:
        whole = json.loads(text)
    except RecursionError as error:
        raise ReadError("The JSON is nested too deeply.", where=source, remedy="Export it as a table.") from error
    except ValueError as error:
        if len(lines) < 2 or not lines[0][1].rstrip().endswith("}"):
            raise _no_json(error, source) from error
        return [_line(line, f"{source}, line {i}") for i, line in lines]
    if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
        whole = [e.get("resource") for e in whole.get("entry", []) if isinstance(e, dict)]
    return whole if isinstance(whole, list) else [whole]


def _line(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _no_json(error, where) from error


def _no_json(error: Exception, where: str) -> ReadError:
    return ReadError(f"This is not JSON: {error}.", where=where, remedy="It may be cut off: fetch or export it again.")


def _flat(record: Any, where: str, before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Column and value of everything in a record."""
    if not isinstance(record, dict) or depth > _DEEPEST:
        raise ReadError(
            "Each record must be an object with names and values.",
            where=where,
            remedy="Export a list of records, or a CSV file.",
        )
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, where, f"{before}{name}.", depth + 1)
        elif isinstance(value, list):
            raise ReadError(
                f"{before + name!r} is a list, not a value.",
                where=where,
                remedy="Take it out, or give each of its values a name.",
            )
        else:
            yield before + name, value


def _series(name: str, cells: list[Any]) -> pl.Series:
    """A column: numbers if all are, otherwise text, with numbers as JSON writes them."""
    import polars as pl

    kinds = {type(c) for c in cells if c is not None}
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    if kinds == {int} and all(-_EXACT <= c < _EXACT for c in cells if c is not None):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds and kinds <= {int, float} and all(abs(c) < 2**53 or c != c for c in cells if c is not None):
        return pl.Series(name, [None if c is None else float(c) for c in cells], dtype=pl.Float64).fill_nan(None)
    words = [c if c is None or isinstance(c, str) else json.dumps(c) for c in cells]
    try:
        return pl.Series(name, words, dtype=pl.String)
    except UnicodeEncodeError:  # half of a character, which JSON can write
        return pl.Series(name, [w and w.encode("utf-8", "replace").decode() for w in words], dtype=pl.String)


def _response(record: Any) -> dict[str, Any]:
    """A QuestionnaireResponse: who, when, which questionnaire, and each item's answer by its linkId."""
    if not isinstance(record, dict):
        return {}
    subject = record.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    flat = {"id": record.get("id"), "subject": reference, "authored": record.get("authored")}
    flat |= {"questionnaire": record.get("questionnaire"), "status": record.get("status")}
    _answers(record, flat, 0)
    return flat


def _answers(node: dict[str, Any], flat: dict[str, Any], depth: int) -> None:
    for item in node.get("item") or ():
        if not isinstance(item, dict) or depth > _DEEPEST:
            continue
        answers = [a for a in item.get("answer") or () if isinstance(a, dict)]
        values = [_answer(a) for a in answers]
        if values:
            name = str(item.get("linkId"))
            flat[name] = values[0] if len(values) == 1 else ";".join(map(str, values))
        for inner in (item, *answers):
            _answers(inner, flat, depth + 1)


def _answer(answer: dict[str, Any]) -> Any:
    """valueInteger, valueDecimal, valueString, ...; of a coding its code, of a quantity its value."""
    for name, value in answer.items():
        if name.startswith("value"):
            if isinstance(value, dict):
                return value.get("code", value.get("value", value.get("display")))
            return value
    return None
