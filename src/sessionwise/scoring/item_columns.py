"""Which column of a table holds which item. Names only; no data is read.

Found by pattern: one of the instrument's prefixes, an optional link (separators, or a word such as 'item'
or 'q'), the item number. All items must be found under one form, the *form* being everything before the
number, so that a score column or another instrument's items are not mistaken for items. LimeSurvey's
subquestions, 'phq9[SQ001]', are such names too; 'G01Q02[SQ001]' tells no instrument, and is offered as a
mapping. A form whose numbers go on is that of a longer questionnaire (PHQ-15, the WAI's long form), and is not
taken for this one unless the user says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ..errors import Argument, ScoreError, Wording, nearest, some
from .instrument import Instrument

ItemMapping = Mapping[int, str] | Sequence[str] | str

_SEPARATOR = r"[ _.\-]"
_LINK = rf"{_SEPARATOR}*(?:(?:item|i|q|sq|\[sq|\[){_SEPARATOR}*)?"
_SUBQUESTION = re.compile(r"(.+?\[SQ|.+?_SQ)([0-9]+)(\]?)")


def item_columns(instrument: Instrument, columns: Sequence[str], mapping: ItemMapping | None = None) -> dict[int, str]:
    """Item number -> column name, for every item, in item order.

    instrument : whose items are looked for.
    columns : the table's column names.
    mapping : None to find them by pattern; or a dict item number -> column; or the column names in item
        order; or a text with ``{}`` or ``{item}`` for the item number, such as ``"Q{}_core"``
        (``{:02}`` writes 01, 02, ...).

    Raises ScoreError if an item has no column, or more than one is possible, or the mapping does not fit.
    """
    if mapping is None:
        return _found(instrument, columns)
    if isinstance(mapping, str):
        chosen = _from_pattern(instrument, mapping)
    elif isinstance(mapping, Mapping):
        chosen = _from_dict(instrument, mapping)
    else:
        chosen = _from_list(instrument, mapping)
    return _checked(instrument, columns, chosen)


def may_be_there(instrument: Instrument, columns: Sequence[str]) -> bool:
    """Whether every item has a column under one form, so that `item_columns` is worth its errors' search for hints."""
    forms = _forms(instrument, columns)
    return any(len(_items(instrument, found)) == len(instrument.items) for found in forms.values())


def _found(instrument: Instrument, columns: Sequence[str]) -> dict[int, str]:
    every = _forms(instrument, columns)
    forms = {form: _items(instrument, found) for form, found in every.items()}
    complete = {form: found for form, found in forms.items() if len(found) == len(instrument.items)}
    longer = {form for form in complete if len(_further(instrument, every[form])) > 1}
    if complete and longer == set(complete):
        _raise_longer(instrument, {form: every[form] for form in longer})
    complete = {form: found for form, found in complete.items() if form not in longer}
    if len(complete) > 1:
        raise ScoreError(
            f"the items of {instrument.name} could be any of {len(complete)} sets of columns",
            where="; ".join(f"{_span(found)}" for found in complete.values()),
            remedy=f"say which: give a mapping such as {_example(complete)!r}",
        )
    if not complete:
        _raise_incomplete(instrument, columns, forms)
    ((_, found),) = complete.items()
    twice = {item: names for item, names in found.items() if len(names) > 1}
    if twice:
        item, names = next(iter(sorted(twice.items())))
        raise ScoreError(
            f"item {item} of {instrument.name} could be any of the columns {', '.join(map(repr, names))}",
            where=some(name for names in twice.values() for name in names),
            remedy="give a mapping of item numbers to columns, or drop the columns that are not items",
        )
    return {item: found[item][0] for item in instrument.items}


def _forms(instrument: Instrument, columns: Sequence[str]) -> dict[str, dict[int, list[str]]]:
    """Form (all before the number, lower case) -> number -> columns, numbers beyond the last item too."""
    prefixes = dict.fromkeys((instrument.name.replace("-", "_"), *instrument.prefixes))
    patterns = [
        re.compile(rf"({f'{_SEPARATOR}?'.join(map(re.escape, prefix.split('_')))}{_LINK})([0-9]+)\]?", re.IGNORECASE)
        for prefix in prefixes
    ]
    forms: dict[str, dict[int, list[str]]] = {}
    for column in dict.fromkeys(columns):
        # Two prefixes may read one name alike; the same form and number count once.
        hits = {(m[1].lower(), int(m[2])) for p in patterns if (m := p.fullmatch(column))}
        for form, number in sorted(hits):
            if number >= 1:
                forms.setdefault(form, {}).setdefault(number, []).append(column)
    return {form: found for form, found in forms.items() if _items(instrument, found)}


def _items(instrument: Instrument, found: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Those of the numbers that are items."""
    return {number: names for number, names in found.items() if number <= len(instrument.items)}


def _further(instrument: Instrument, found: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Those of the numbers that go on behind the last item."""
    last = len(instrument.items)
    if last + 1 not in found and last + 2 not in found:
        return {}  # numbers far off, such as 101 to 110, belong to another form of name
    return {number: names for number, names in found.items() if number > last}


def further_column(instrument: Instrument, columns: Sequence[str], chosen: Mapping[int, str]) -> str | None:
    """The one column whose number follows on those of the items that were found by their names: a question that is not
    scored, or a sign that this is another form; None if there is none."""
    for found in _forms(instrument, columns).values():
        further = _further(instrument, found)
        if further and all(name in found.get(item, ()) for item, name in chosen.items()):
            return next(iter(further.values()))[0]
    return None


def _raise_longer(instrument: Instrument, forms: Mapping[str, Mapping[int, list[str]]]) -> None:
    form, found = next(iter(forms.items()))
    n, last = len(instrument.items), max(_further(instrument, found))
    mapping = _as_mapping(found[1][0], len(form))
    raise ScoreError(
        f"{instrument.name} has {n} items, but the columns go on to {found[last][0]!r}: this seems to be another form",
        where=_span(found),
        remedy=Wording(
            f"if the first {n} are the items of {instrument.name}, say so with a mapping: ",
            Argument(repr(mapping), ("--items", f"{instrument.name}={mapping}")),
        ),
    )


def _raise_incomplete(
    instrument: Instrument, columns: Sequence[str], forms: Mapping[str, Mapping[int, list[str]]]
) -> None:
    mapping = "a mapping: a dict of item numbers to columns, a list of columns in item order, or a pattern"
    pattern = ("--items", f"{instrument.name}=Q{{}}_core")
    default = f"{instrument.name.replace('-', '_')}_{instrument.items[0]}"
    likely = _likely_pattern(instrument, columns)
    if likely is not None:
        option = Argument(f"items={likely!r}", ("--items", f"{instrument.name}={likely}"))
        raise ScoreError(
            f"no item columns of {instrument.name} were found, such as {default!r}.",
            where=f"columns {some(columns)}",
            remedy=Wording(f"if those like {likely.format(1)!r} are its items, give the mapping ", option),
        )
    if not forms:
        question = _question(instrument, columns)
        pattern = ("--items", f"{instrument.name}={question or 'Q{}_core'}")
        raise ScoreError(
            f"no item columns of {instrument.name} were found, such as {default!r}.{nearest(default, columns)}",
            where=f"columns {some(columns)}" if columns else "a table without columns",
            remedy=Wording(
                "give " if not question else "if its subquestions are the items, give ",
                Argument(f"{mapping} such as {question or 'Q{}_core'!r}", pattern),
            ),
        )
    form, found = max(forms.items(), key=lambda pair: len(pair[1]))
    missing = [item for item in instrument.items if item not in found]
    seen = [name for names in found.values() for name in names]
    spelling = seen[0][: len(form)]  # the user's own, so that the hint looks like the table
    hint = nearest(f"{spelling}{missing[0]}", [c for c in columns if c not in seen])
    raise ScoreError(
        f"{len(missing)} of the {len(instrument.items)} items of {instrument.name} have no column: "
        f"item {some(missing)}.{hint}",
        where=f"columns that begin with {spelling!r}",
        remedy=Wording(
            "add the missing columns (empty if the item was not asked), or give ", Argument(mapping, pattern)
        ),
    )


def _likely_pattern(instrument: Instrument, columns: Sequence[str]) -> str | None:
    """The pattern of columns numbered from 1 to the last item, or one further, whose names begin like the instrument's:
    'PHQ9_{}' for the PHQ-8, 'bdi{:02}' for the BDI-II. None if there is none or several."""
    root = instrument.name.partition("-")[0].rstrip("0123456789")
    own = [column for column in columns if column.lower().startswith(root) and column[-1:].isdecimal()]
    forms = Counter(re.sub("[0-9]+$", "", column) for column in own if not set(column) & set("{}"))
    found = [
        pattern
        for form, numbers in forms.items()
        if len(instrument.items) <= numbers <= len(instrument.items) + 1
        for pattern in (f"{form}{{}}", f"{form}{{:02}}", f"{form}{{:03}}")
        if set(own).issuperset(map(pattern.format, instrument.items))
    ]
    return found[0] if len(found) == 1 else None


def _question(instrument: Instrument, columns: Sequence[str]) -> str:
    """The pattern of a LimeSurvey question with as many subquestions as there are items; '' if none has."""
    groups: dict[tuple[str, int, str], list[int]] = {}
    for column in columns:
        found = _SUBQUESTION.fullmatch(column)
        if found and not set("{}") & set(column):
            groups.setdefault((found[1], len(found[2]), found[3]), []).append(int(found[2]))
    items = list(instrument.items)
    return next((f"{a}{{:0{width}}}{z}" for (a, width, z), numbers in groups.items() if sorted(numbers) == items), "")


def _from_pattern(instrument: Instrument, pattern: str) -> dict[int, str]:
    try:
        chosen = {item: pattern.format(item, item=item) for item in instrument.items}
    except (LookupError, ValueError, AttributeError, TypeError):
        chosen = {}
    if len(set(chosen.values())) < len(instrument.items):
        raise ScoreError(
            f"the pattern {pattern!r} does not say where the item number goes",
            where=f"mapping for {instrument.name}",
            remedy="write {} where the number goes, such as 'Q{}_core'",
        )
    return chosen


def _from_list(instrument: Instrument, names: Sequence[str]) -> dict[int, str]:
    n = len(instrument.items)
    if len(names) != n:
        raise ScoreError(
            f"{instrument.name} has {n} items, the list has {len(names)} columns",
            where=f"mapping for {instrument.name}",
            remedy=f"list {n} columns in item order, or give a dict of item numbers to columns",
        )
    return dict(zip(instrument.items, names, strict=True))


def _from_dict(instrument: Instrument, mapping: Mapping[int, str]) -> dict[int, str]:
    unknown = [item for item in mapping if item not in instrument.items]
    if unknown:
        raise ScoreError(
            f"{instrument.name} has no item {some(map(repr, unknown))}",
            where=f"mapping for {instrument.name}",
            remedy=f"use the whole numbers 1 to {len(instrument.items)}",
        )
    missing = [item for item in instrument.items if item not in mapping]
    if missing:
        raise ScoreError(
            f"the mapping has no column for item {some(missing)} of {instrument.name}",
            where=f"mapping for {instrument.name}",
            remedy=f"name a column for each of the items 1 to {len(instrument.items)}",
        )
    return {item: mapping[item] for item in instrument.items}


def _checked(instrument: Instrument, columns: Sequence[str], chosen: dict[int, str]) -> dict[int, str]:
    known = set(columns)
    for item, column in chosen.items():
        if column not in known:
            raise ScoreError(
                f"there is no column {column!r} for item {item} of {instrument.name}.{nearest(str(column), columns)}",
                where=f"mapping for {instrument.name}",
                remedy="name a column of the table",
            )
    items: dict[str, list[int]] = {}
    for item, column in chosen.items():
        items.setdefault(column, []).append(item)
    for column, used in items.items():
        if len(used) > 1:
            raise ScoreError(
                f"the column {column!r} stands for the items {some(used)} of {instrument.name}",
                where=f"mapping for {instrument.name}",
                remedy="give every item its own column",
            )
    return chosen


def _span(found: Mapping[int, list[str]]) -> str:
    numbers = sorted(found)
    return f"{found[numbers[0]][0]!r} to {found[numbers[-1]][0]!r}"


def _example(complete: Mapping[str, Mapping[int, list[str]]]) -> str:
    form, found = next(iter(complete.items()))
    return _as_mapping(found[1][0], len(form))


def _as_mapping(first: str, before: int) -> str:
    """The pattern of which `first` is item 1: 'phq9[SQ001]' -> 'phq9[SQ{:03}]'. before : letters before the number."""
    digits = re.match(r"[0-9]+", first[before:])
    width = digits.end() if digits else 1
    return f"{first[:before]}{{{f':0{width}' if width > 1 else ''}}}{first[before + width :]}"
