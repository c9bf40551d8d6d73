"""MLMGram: what `MLM.fit` takes of a Panel: cross-products by person, how the columns were made, and no session row.

Of other persons' Grams they are added: batches of a file that is larger than memory, clinics that keep their rows. What
only all persons together tell is decided then: which fixed columns are combinations of others, whether there are rows
and levels enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from ...designs import Design, design, partial_design
from ...designs.design import without
from ...designs.fittable import identified, left_out, no_variation, none_left, rows_enough
from ...errors import GramError, ModelError, some
from ...findings import Findings
from ...mixed import MixedGram, Residual, added, summed
from ...mixed.dependence import combinations, varies_within
from ...panel import Panel
from ...show import Part, Shown
from ...threads import one_thread
from ...words import counted, num
from .cautions import Slope, constant_slopes
from .kept_design import KeptDesign, Means, coded_alike, together
from .residual import correlation_can_be_told, residual_of, strata_can_be_told
from .show import RESIDUALS, of_whom

if TYPE_CHECKING:
    from .model import MLM

_MAKE_PANEL = "Make one of it first: sw.Panel(table, person=..., session=...)"


@dataclass(frozen=True, eq=False)
class MLMGram(Shown):
    """Cross-products of a model's columns for each person; `MLM.gram` makes it, `+` puts other persons beside.

    model : whose columns they are; its method does not matter. recipe : how they were made, and of how much.
    gram : the cross-products, and how persons lie in groups. constant : random slopes of variables that are the same in
    all rows of each level. only_value : the response where all rows have the same one.

    It holds sums over each person's sessions, and labels of persons and clusters: data about persons, and no session.
    It can be pickled, and loaded where the same version of the package is installed.
    """

    model: MLM
    recipe: KeptDesign
    gram: MixedGram
    constant: tuple[Slope, ...]
    only_value: float | None

    @property
    def n_persons(self) -> int:
        """Persons with a session that is used."""
        return self.recipe.n_persons

    @property
    def n_rows(self) -> int:
        """Sessions used."""
        return self.recipe.n_rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The model's columns, the response first."""
        return self.gram.terms.names

    @property
    def findings(self) -> Findings:
        """Rows and persons left out, by reason, and what was odd about terms."""
        return self.recipe.design.findings

    @property
    def nbytes(self) -> int:
        """Size of the cross-products."""
        return sum(part.gram.packed.nbytes for part in self.gram.parts)

    def __add__(self, other: MLMGram) -> MLMGram:
        """Of the persons of both, who must differ; see `MLM.fit` for adding many.

        Raises
        ------
        GramError : no Gram, another model or other columns, a person in both.
        """
        return joined([self, is_gram(other)])

    def __radd__(self, other: object) -> MLMGram:
        """So that `sum` adds them: it begins with 0."""
        return self if isinstance(other, int) and other == 0 else joined([is_gram(other), self])

    def parts(self) -> list[Part]:
        """What is shown of it: whose it is, the model, columns and size, what was left out."""
        residuals = [RESIDUALS[self.model.residual]] if self.model.residual in RESIDUALS else []
        residuals += [f"variance by {self.model.variance_by}"] if self.model.variance_by else []
        return [
            f"Cross-products for a multilevel model: {of_whom(self.recipe)}",
            self.model.formula.strip(),
            *([f"residuals: {', '.join(residuals)}"] if residuals else []),
            f"columns: {', '.join(self.columns)}",
            f"sums for each person, {_size(self.nbytes)}; no session is in it",
            *self.findings.lines(),
        ]

    def __repr__(self) -> str:
        return (
            f"<MLMGram {self.model.formula.strip()}; {counted(self.n_rows, 'session')} of "
            f"{counted(self.n_persons, 'person')}, {_size(self.nbytes)}>"
        )

    def __reduce__(self) -> tuple[object, ...]:
        # The version is looked at before anything else is loaded, which another version may not be able to read.
        return _of_version, (version("sessionwise"),), vars(self)


def _of_version(made_by: str) -> MLMGram:
    here = version("sessionwise")
    if made_by != here:
        raise GramError(
            f"the Gram was made by sessionwise {made_by}, and this is {here}.",
            remedy="Make it anew with the version that fits the model, or fit the model with the version that made it.",
        )
    return object.__new__(MLMGram)


def _size(n: int) -> str:
    """Of so many bytes: '812 bytes', '12.3 kB', '1.20 MB'."""
    power = next((p for p in (3, 2, 1) if n >= 1000**p), 0)
    return f"{num(n / 1000**power)} {('bytes', 'kB', 'MB', 'GB')[power]}"


# --- of a Panel -------------------------------------------------------------------------------------


@one_thread()
def of_design(
    model: MLM,
    panel: Panel,
    design: Design,
    residual: Residual,
    means: Means,
    *,
    aliased: tuple[str, ...] | None = None,
    like: MLMGram | None = None,
) -> MLMGram:
    """From a Design. aliased : if it is one of some of the persons, its fixed columns that follow from others in their
    rows. like : a Gram of other persons whose basis of nearly dependent columns is to be used."""
    partial = aliased is not None
    basis = None if like is None else like.gram.basis
    gram = summed(design, residual, partial=partial, aliased=aliased or (), basis=basis)
    y = design.matrix[:, 0]
    only = float(y[0]) if partial and len(y) and y.min() == y.max() else None
    return MLMGram(model, KeptDesign.of(design, panel, means), gram, constant_slopes(design), only)


def of_panel(model: MLM, panel: object, means: Means, like: object) -> MLMGram:
    """See `MLM.gram`."""
    if not isinstance(panel, Panel):
        raise _no_panel(panel, "gram", f"{_MAKE_PANEL}.")
    if like is not None:
        _same_model(model, is_gram(like).model)
    known = is_gram(like) if like is not None else None
    made = partial_design(panel, model.formula, means=means, like=None if known is None else known.recipe.design)
    residual = residual_of(model, panel, made.design, partial=True)
    found = of_design(model, panel, made.design, residual, means, aliased=made.aliased, like=known)
    if found.gram.rows is not None:
        if model.residual == "car1":
            why, instead = "in continuous time every gap between sessions is different", "ar1"
        else:
            why = "sessions lie so many different gaps apart that their cross-products would take too much memory"
            instead = "independent"
        raise ModelError(
            f"a Gram of this model would have to hold the sessions: {why}.",
            where=f"residual={model.residual!r}",
            remedy=f'Fit the Panel itself, or use residual="{instead}".',
        )
    return found


# --- of several -------------------------------------------------------------------------------------


@one_thread()
def joined(grams: Sequence[MLMGram]) -> MLMGram:
    """Of the persons of all.

    Raises
    ------
    GramError : no Gram, another model or other columns, a person in two of them.
    """
    if not grams:
        raise GramError("there is no Gram to fit.", remedy="Make them first: model.gram(panel).")
    if len(grams) == 1:
        return grams[0]
    first = grams[0]
    for other in grams[1:]:
        _same_model(first.model, other.model)
    coded_alike([g.recipe for g in grams])
    gram = added([g.gram for g in grams])
    filled = [g for g in grams if g.n_rows]
    values = {g.only_value for g in filled}
    constant = [slope for slope in first.constant if all(slope in g.constant for g in filled)]
    return MLMGram(
        first.model,
        together([g.recipe for g in grams], gram.groups),
        gram,
        tuple(slope for slope in constant if not varies_within(gram, *slope)),
        values.pop() if len(values) == 1 else None,
    )


def _same_model(one: MLM, other: MLM) -> None:
    for what, a, b in (
        ("formula", one.formula.strip(), other.formula.strip()),
        ("residual", one.residual, other.residual),
        ("variance_by", one.variance_by, other.variance_by),
    ):
        if a != b:
            raise GramError(
                f"a Gram belongs to another model: its {what} is {b!r}, not {a!r}.",
                remedy="Make all Grams from one model; only its method may differ.",
            )


# --- what a fit takes -------------------------------------------------------------------------------


def given(model: MLM, data: object, means: Means | None) -> tuple[MLMGram, Residual | None]:
    """What `MLM.fit` was given as the Gram that is fitted, and of a Panel the residuals with their rows.

    Raises
    ------
    As `MLM.fit`.
    """
    if isinstance(data, Panel):
        made = design(data, model.formula, means=means)
        residual = residual_of(model, data, made)
        return fitted_model(model, of_design(model, data, made, residual, means or {})), residual
    gram = _one_gram(data)
    if means is not None:
        raise ModelError(
            "means are given for Grams, whose columns were made already.",
            where="MLM(...).fit",
            remedy="Give them where a Gram is made: model.gram(panel, means=...).",
        )
    return fitted_model(model, gram), None


def fitted_model(model: MLM, gram: MLMGram) -> MLMGram:
    """The Gram that is fitted: of `model`, without fixed columns that are combinations of others.

    Raises
    ------
    GramError : of another model.
    DesignError : no model can be fitted: no row, constant response, fewer rows than columns, too few levels.
    ModelError : residuals that cannot be told.
    """
    _same_model(model, gram.model)
    recipe, design = gram.recipe, gram.recipe.design
    if not gram.n_rows:
        raise none_left(design.formula, recipe.why)
    if gram.only_value is not None:
        assert design.formula.response is not None
        raise no_variation(design.formula.response, gram.only_value, gram.n_rows, recipe.n_given, recipe.why)
    rows_enough(gram.n_rows, len(design.fixed), recipe.why)
    found = combinations(gram.gram)
    if found:
        said = Findings([*(left_out(one.column, one.of) for one in found), *design.findings])
        learned = replace(design.learned, aliased=(*design.learned.aliased, *found))
        design = replace(without(design, tuple(one.column for one in found)), findings=said, learned=learned)
        recipe = replace(recipe, design=design)
    made = gram.gram.without(design)
    levels = {g.name: g.labels for g in made.groups}
    identified(design.random, design.names, levels, gram.n_rows)
    sizes = np.array([p.gram.n_rows for p in made.parts if p.role == "all"])
    if made.rows is None:
        strata_can_be_told(model.variance_by, made.residual.labels, sizes)
    if model.residual != "independent":
        correlation_can_be_told(model.residual, made.n, any(g.is_person for g in made.groups))
    return replace(gram, model=model, recipe=recipe, gram=made)


def is_gram(given: object) -> MLMGram:
    """A Gram as it is.

    Raises
    ------
    GramError : something else.
    """
    if isinstance(given, MLMGram):
        return given
    raise GramError(f"a {type(given).__name__} is no Gram of a model.", remedy="Make one: model.gram(panel).")


def _one_gram(data: object) -> MLMGram:
    """A Gram, or several, which are added.

    Raises
    ------
    GramError : none, or they do not belong together. ModelError : something else.
    """
    if isinstance(data, MLMGram):
        return data
    if not isinstance(data, list | tuple) or (data and not any(isinstance(g, MLMGram | Panel) for g in data)):
        raise _no_panel(data, "fit", f"{_MAKE_PANEL}; or give Grams in a list, each from model.gram(panel).")
    odd = [g for g in data if not isinstance(g, MLMGram)]
    if not odd:
        return joined(data)
    raise ModelError(
        f"a list to be fitted holds Grams only, and here is a {some(sorted({type(g).__name__ for g in odd}))}.",
        where="MLM(...).fit",
        remedy="Make a Gram of each Panel first: model.gram(panel).",
    )


def _no_panel(given: object, method: str, remedy: str) -> ModelError:
    return ModelError(f"a {type(given).__name__} is no Panel.", where=f"MLM(...).{method}", remedy=remedy)
