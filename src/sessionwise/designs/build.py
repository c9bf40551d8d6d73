"""Building a Design: variables, rows, codes, matrix, checks, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DesignError, FormulaError, nearest, some
from ..findings import Finding, Findings
from ..formula import Call, Expression, Formula, label, names, parse_formula, show
from ..formula.functions import LEARNING
from ..formula.syntax import parts
from ..options import A_DICT, A_FORMULA, PANEL, an_object, takes
from ..panel import Panel
from ..panel.few_values import few_values, instead, meaning
from ..panel.panel import Labels
from ..panel.same_labels import positions
from ..threads import one_thread
from .coded_values import coded_findings
from .coding import INTERCEPT, Coded, Columns, Encoder, Factor, code, learn
from .combination import Combination, must_hold
from .design import Design, Grouping, Learned, PartialDesign, RandomColumns, TermColumns
from .fittable import identified, left_out, no_variation, rows_enough
from .rank import aliases
from .rows_used import Codes, Kept, dropped_findings, group_codes, grouping, keep, some_left
from .values import Source, must_have_columns, value


@takes(DesignError, panel=PANEL, formula=A_FORMULA | an_object("Formula"), means=A_DICT)
@one_thread()
def design(
    panel: Panel, formula: str | Formula, *, means: Mapping[str, Mapping[object, float]] | None = None
) -> Design:
    """The columns of `formula` for `panel`.

    Parameters
    ----------
    panel : a Panel.
    formula : text or a Formula, with a response.
    means : expression -> person -> mean, used by `within` and `between` in place of the mean over the person's
        sessions in `panel`.

    Raises
    ------
    FormulaError : the formula cannot be read, or names a column that is not there.
    DesignError : no model can be fitted: no row left, constant response, infinite values, fewer rows than
        columns, a grouping factor with one level, as many random effects as rows.

    >>> import sessionwise as sw
    >>> table = sw.datasets.demo(persons=50, scale_scores=True)
    >>> panel = sw.Panel(table, person="patient", session="session", cluster="therapist")
    >>> d = design(panel, "core_om ~ lag(within(wai_sr)) * pd + (1 | patient)")
    >>> d.names
    ('core_om', '(Intercept)', 'lag(within(wai_sr))', 'pd', 'lag(within(wai_sr)):pd')
    """
    means_of_somebody(means or {}, panel)
    rows = _usable(panel, formula, means, partial=False)
    some_left(rows.kept, rows.formula, panel)
    if not rows.y.min() < rows.y.max():
        raise no_variation(rows.response, float(rows.y[0]), len(rows.y), len(panel), rows.kept.why)
    encoders = rows.learned()
    coded = _coded(rows.formula, encoders, rows.source, rows.kept.rows)
    matrix, found = _full_rank(rows.y, coded, rows.kept)
    said = [*found.findings, *_random_findings(rows.formula, coded, encoders, matrix, found.aliased)]
    said += [*coded_findings(rows.formula, panel), *_few_values(rows.response, rows.y)]
    made = rows.finished(encoders, coded, matrix, found.combinations, said)
    levels = {g.name: g.levels for g in made.groupings}
    identified(made.random, made.names, levels, len(made.rows))
    return made


@one_thread()
def partial_design(
    panel: Panel,
    formula: str | Formula,
    *,
    means: Mapping[str, Mapping[object, float]] | None = None,
    like: Design | None = None,
) -> PartialDesign:
    """The columns of `formula` for some of a study's persons, of whom the others are elsewhere.

    What only all persons together tell is not judged: whether the response varies, columns follow from others, there
    are levels and rows enough. There may be no row at all.

    like : a design of the same formula for other persons, whose levels, knots and centring are to be used.

    Raises
    ------
    FormulaError : the formula cannot be read, or names a column that is not there.
    DesignError : infinite values; without `like`, a category with one value only, or no row to learn a transform from;
        with it, a category with a value that was not there then.
    """
    rows = _usable(panel, formula, means, partial=True)
    encoders = rows.learned() if like is None else like.learned.encoders
    coded = _coded(rows.formula, encoders, rows.source, rows.kept.rows)
    matrix = _matrix(rows.y, coded, ())
    fixed = tuple(coded.fixed.columns)
    aliased = fixed
    if len(rows.y):
        constant = fixed.index(INTERCEPT) if INTERCEPT in fixed else None
        aliased = tuple(fixed[a.column] for a in aliases(matrix.numbers[:, 1 : 1 + len(fixed)], constant))
    said = _random_findings(rows.formula, coded, encoders, matrix, aliased) if len(rows.y) else []
    return PartialDesign(rows.finished(encoders, coded, matrix, (), said), aliased)


@one_thread()
def applied(learned_from: Design, panel: Panel, response: bool, means: Mapping[str, Mapping[object, float]]) -> Design:
    """`Design.apply`."""
    formula, learned = learned_from.formula, learned_from.learned
    assert formula.response is not None
    source = replace(_source(formula, panel, means), learned=True)
    terms = _terms_of(formula)
    there = all(name in panel for name in _columns(formula.response))
    if not response:
        del terms[formula.response]
    must_have_columns(terms, panel)
    groups = {r.group.label: group_codes(r.group, r, panel, not response) for r in formula.random}
    needed = formula.variables if response else formula.variables[1:]
    kept = keep(needed, formula.response, groups if response else {}, source)
    if response:
        some_left(kept, formula, panel)
    y = kept.of(_response(formula.response, source)) if there else np.full(len(kept.rows), np.nan)
    coded = _coded(formula, learned.encoders, source, kept.rows)
    must_hold(learned.aliased, coded.fixed.columns, kept.rows, panel)
    aliased = tuple(one.column for one in learned.aliased)
    matrix = _matrix(y, coded, aliased)
    skeleton = _Skeleton(formula, matrix.names, matrix.numbers, coded, aliased)
    return _finished(skeleton, panel, kept, groups, learned, [])


@dataclass(frozen=True, slots=True, eq=False)
class _Usable:
    """The rows of a Panel that have everything, and their response."""

    panel: Panel
    formula: Formula
    response: Expression
    source: Source
    groups: Mapping[str, Codes]
    kept: Kept
    y: np.ndarray

    def learned(self) -> dict[str, Encoder]:
        """What is learned about each variable."""
        return {show(v): learn(v, self.source, self.kept.rows) for v in self.formula.variables[1:]}

    def finished(
        self,
        encoders: Mapping[str, Encoder],
        coded: _AllCoded,
        matrix: _Matrix,
        aliased: tuple[Combination, ...],
        said: list[Finding],
    ) -> Design:
        learned = Learned(encoders, aliased, self.panel.persons, dict(self.source.means))
        left = tuple(one.column for one in aliased)
        skeleton = _Skeleton(self.formula, matrix.names, matrix.numbers, coded, left)
        return _finished(skeleton, self.panel, self.kept, self.groups, learned, said)


def _usable(
    panel: Panel, formula: str | Formula, means: Mapping[str, Mapping[object, float]] | None, *, partial: bool
) -> _Usable:
    formula = parse_formula(formula) if isinstance(formula, str) else formula
    if formula.response is None:
        raise DesignError("the formula has no response.", where=f"formula {formula.text!r}", remedy="Write y ~ ...")
    source = _source(formula, panel, means or {}, partial)
    must_have_columns(_terms_of(formula), panel)
    groups = {r.group.label: group_codes(r.group, r, panel) for r in formula.random}
    kept = keep(formula.variables, formula.response, groups, source)
    y = kept.of(_response(formula.response, source))
    return _Usable(panel, formula, formula.response, source, groups, kept, y)


@dataclass(frozen=True, slots=True, eq=False)
class _AllCoded:
    fixed: Coded
    random: tuple[Coded, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Matrix:
    names: tuple[str, ...]
    numbers: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Aliased:
    combinations: tuple[Combination, ...]
    findings: list[Finding]

    @property
    def aliased(self) -> tuple[str, ...]:
        return tuple(one.column for one in self.combinations)


@dataclass(frozen=True, slots=True, eq=False)
class _Skeleton:
    formula: Formula
    names: tuple[str, ...]
    matrix: np.ndarray
    coded: _AllCoded
    aliased: tuple[str, ...]


def _source(
    formula: Formula, panel: Panel, means: Mapping[str, Mapping[object, float]], partial: bool = False
) -> Source:
    """The Panel to compute from; means must be of expressions that the formula takes means of."""

    def centred(e: Expression) -> list[str]:
        own = [show(e.args[0])] if isinstance(e, Call) and e.function in ("within", "between") else []
        return own + [text for part in parts(e) for text in centred(part)]

    if not len(panel):
        raise DesignError("the Panel has no rows.", remedy="Check which persons were chosen.")
    known = {text for v in formula.variables for text in centred(v)} if means else set()
    for text in means:
        if text not in known:
            raise DesignError(
                f"means are given for {text!r}, and the formula takes no person means of it.{nearest(text, known)}",
                where=f"formula {formula.text!r}",
                remedy=f"Give means for: {some(sorted(known)) or 'nothing'}.",
            )
    return Source(panel, means, partial)


def means_of_somebody(means: Mapping[str, Mapping[object, float]], panel: Panel) -> None:
    """Stop at person means of which none is of a person of the Panel: they would be passed over.

    Raises
    ------
    DesignError : whose they are.
    """
    for text, given in means.items():
        if (positions(list(given), panel.persons, "a person of means=") < 0).all():
            raise DesignError(
                f"the means of {text} are of no person of the Panel: {some(list(given), 6) or 'there are none'}.",
                where=f"persons {some(panel.persons.tolist(), 6)}",
                remedy=f"Give them by the labels of column {panel.roles.person!r}.",
            )


def _terms_of(formula: Formula) -> dict[Expression, object]:
    """Variable -> the term in which it is used first."""
    found: dict[Expression, object] = {}
    for term in (*formula.fixed, *(t for r in formula.random for t in r.terms)):
        for factor in term.factors:
            found.setdefault(factor, term)
    assert formula.response is not None
    return {formula.response: f"{show(formula.response)} (the response)", **found}


def _columns(e: Expression) -> list[str]:
    return [name.name for name in names(e)]


def _response(e: Expression, source: Source) -> np.ndarray:
    values = value(e, source)
    if isinstance(values, Labels) or (isinstance(e, Call) and e.function in LEARNING):
        raise FormulaError(
            f"the response {show(e)} is not one column of numbers.",
            where=str(e.at),
            remedy='Use a numeric column, or a comparison for two values: I(x == "label").',
        )
    return values


def _coded(formula: Formula, encoders: Mapping[str, Encoder], source: Source, rows: np.ndarray) -> _AllCoded:
    fixed = code(formula.fixed, encoders, source, rows, {})
    known = dict(fixed.columns)
    random = []
    for term in formula.random:
        random.append(code(term.terms, encoders, source, rows, known))
        known |= random[-1].columns
    for name, column in known.items():
        if not np.isfinite(column).all():
            raise DesignError(
                f"{name} is infinite in {np.count_nonzero(~np.isfinite(column)):,} rows.",
                where=source.panel.where(rows[~np.isfinite(column)]),
                remedy="Its numbers are too large to be multiplied; divide them first.",
            )
    return _AllCoded(fixed, tuple(random))


def _matrix(y: np.ndarray, coded: _AllCoded, aliased: Sequence[str]) -> _Matrix:
    """Response, fixed columns without those aliased, columns of random terms alone."""
    used: Columns = {name: x for name, x in coded.fixed.columns.items() if name not in aliased}
    for term in coded.random:
        used |= {name: x for name, x in term.columns.items() if name not in used}
    numbers = np.empty((len(y), 1 + len(used)), order="F")
    numbers[:, 0] = y
    for j, column in enumerate(used.values(), 1):
        numbers[:, j] = column
    return _Matrix(("", *used), numbers)


def _full_rank(y: np.ndarray, coded: _AllCoded, kept: Kept) -> tuple[_Matrix, _Aliased]:
    """The matrix without the fixed columns that are combinations of others, and Findings that name them."""
    columns = tuple(coded.fixed.columns)
    p = len(columns)
    rows_enough(len(y), p, kept.why)
    matrix = _matrix(y, coded, ())
    constant = columns.index(INTERCEPT) if INTERCEPT in columns else None
    found = aliases(matrix.numbers[:, 1 : 1 + p], constant)
    if not found:
        return matrix, _Aliased((), [])
    combinations = tuple(
        Combination(columns[a.column], tuple(columns[c] for c in a.of), a.weights, a.spread) for a in found
    )
    aliased = _Aliased(combinations, [left_out(one.column, one.of) for one in combinations])
    return _matrix(y, coded, aliased.aliased), aliased


def _finished(
    s: _Skeleton, panel: Panel, kept: Kept, groups: Mapping[str, Codes], learned: Learned, found: list[Finding]
) -> Design:
    assert s.formula.response is not None
    columns = (label(s.formula.response), *s.names[1:])
    at = {name: j for j, name in enumerate(columns) if j}
    counts, starts = panel.sessions_per_person, panel.starts
    if kept.dropped:
        counts = np.diff(np.searchsorted(kept.rows, starts))
        starts = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int64)
    lost = panel.persons[counts == 0]
    made: list[Grouping] = []
    for name, codes in groups.items():
        made.append(grouping(name, codes, kept, starts))
    made.sort(key=lambda g: not g.is_person)
    arrays = (s.matrix, starts, sessions := kept.of(panel.sessions), kept.rows, *(d.rows for d in kept.dropped))
    for array in arrays:
        array.flags.writeable = False
    fixed = [name for name in s.coded.fixed.columns if name not in s.aliased]
    terms = tuple(
        TermColumns(term, tuple(at[c] for c in made_of if c in fixed)) for term, made_of in s.coded.fixed.terms.items()
    )
    random = tuple(
        RandomColumns(r.group.label, tuple(at[c] for c in coded.columns), r.correlated)
        for r, coded in zip(s.formula.random, s.coded.random, strict=True)
    )
    factors: dict[str, tuple[Factor, ...]] = {}
    for coded in (s.coded.fixed, *s.coded.random):
        factors |= {name: own for name, own in coded.factors.items() if name in at}
    findings = Findings([*found, *dropped_findings(kept, panel, lost)])
    return Design(
        s.formula,
        columns,
        s.matrix,
        tuple(at[name] for name in fixed),
        terms,
        random,
        tuple(made),
        panel.persons[counts > 0],
        starts,
        kept.rows,
        sessions,
        kept.dropped,
        lost,
        s.aliased,
        factors,
        findings,
        learned,
    )


def _few_values(response: Expression, y: np.ndarray) -> list[Finding]:
    """That the response is hardly a score."""
    few = few_values(y)
    if not few:
        return []
    name = show(response)
    return [Finding("warning", "few-values", meaning(name, few), f"response {name}", len(few), instead(few))]


def _random_findings(
    formula: Formula, coded: _AllCoded, encoders: Mapping[str, Encoder], matrix: _Matrix, aliased: Sequence[str]
) -> list[Finding]:
    """What is odd in random terms: columns that are combinations of others, categories without correlations."""
    findings = []
    for term, own in zip(formula.random, coded.random, strict=True):
        columns = tuple(own.columns)
        if not set(columns) <= coded.fixed.columns.keys() - set(aliased):  # those are independent already
            x = matrix.numbers[:, [matrix.names.index(c) for c in columns]]
            for alias in aliases(x, columns.index(INTERCEPT) if INTERCEPT in columns else None):
                of = some([columns[c] for c in alias.of], 6)
                what = f"Random effect {columns[alias.column]} in {term} is a combination of {of or 'nothing'}."
                remedy = "Its variance cannot be told from theirs; leave it out."
                findings.append(Finding("warning", "random-deficient", what, f"random term {term}", 1, remedy))
        of_labels = [f for t in term.terms for f in t.factors if encoders[show(f)].kind == "categorical"]
        if of_labels and not term.correlated:
            what = f"The columns of {show(of_labels[0])} in {term} are uncorrelated too."
            remedy = "lme4 keeps those of one categorical variable correlated; what is estimated depends on its coding."
            findings.append(Finding("note", "uncorrelated-categories", what, f"random term {term}", 0, remedy))
    return findings
