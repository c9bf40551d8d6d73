"""MLMGram: what `MLM.fit` takes of a Panel: cross-products by person, how the columns were made, and no session row.

Of other persons' Grams they are added: batches of a file that is larger than memory, clinics that keep their rows. What
only all persons together tell is decided then: which fixed columns are combinations of others, whether there are rows
and levels enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...designs import Design, partial_design
from ...designs.design import without
from ...designs.fittable import identified, left_out, no_variation, none_left, rows_enough
from ...errors import GramError, ModelError, some
from ...findings import Findings
from ...mixed import MixedGram, Residual, added, summed
from ...mixed.dependence import combinations, varies_within
from ...threads import one_thread
from .cautions import Slope, constant_slopes
from .kept_design import KeptDesign, Means, together
from .residual import correlation_can_be_told, residual_of, strata_can_be_told

if TYPE_CHECKING:
    from ...panel import Panel
    from .model import MLM


@dataclass(frozen=True, eq=False)
class MLMGram:
    """Cross-products of a model's columns for each person; `MLM.gram` makes it, `+` puts other persons beside.

    model : whose columns they are; its method does not matter. recipe : how they were made, and of how much.
    gram : the cross-products, and how persons lie in groups. constant : random slopes of variables that are the same in
    all rows of each level. only_value : the response where all rows have the same one.

    It holds sums over each person's sessions, and labels of persons and clusters: data about persons, and no session.
    """

    model: MLM
    recipe: KeptDesign
    gram: MixedGram
    constant: tuple[Slope, ...]
    only_value: float | None

    @property
    def n_persons(self) -> int:
        return self.recipe.n_persons

    @property
    def n_rows(self) -> int:
        """Sessions used."""
        return self.recipe.n_rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The model's columns, the response first."""
        return self.gram.terms.names

    def __add__(self, other: MLMGram) -> MLMGram:
        """Of the persons of both, who must differ; see `MLM.fit` for adding many.

        Raises
        ------
        GramError : another model or other columns, a person in both.
        """
        return joined([self, other]) if isinstance(other, MLMGram) else NotImplemented

    def __repr__(self) -> str:
        return f"<MLMGram {self.model.formula.strip()}; {self.n_persons:,} persons, {self.n_rows:,} sessions>"


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


def of_panel(model: MLM, panel: Panel, means: Means, like: MLMGram | None) -> MLMGram:
    """See `MLM.gram`."""
    if like is not None:
        _same_model(model, like.model)
    made = partial_design(panel, model.formula, means=means, like=None if like is None else like.recipe.design)
    residual = residual_of(model, panel, made.design, partial=True)
    found = of_design(model, panel, made.design, residual, means, aliased=made.aliased, like=like)
    if found.gram.rows is not None:
        why = (
            "in continuous time every gap between sessions is different"
            if model.residual == "car1"
            else "sessions lie so many different gaps apart that their cross-products would take too much memory"
        )
        raise ModelError(
            f"a Gram of this model would have to hold the sessions: {why}.",
            where=f"residual={model.residual!r}",
            remedy='Fit the Panel itself, or use residual="ar1" or "independent".',
        )
    return found


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
        said = Findings([*(left_out(name, of) for name, of in found.items()), *design.findings])
        design = replace(without(design, tuple(found)), findings=said)
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


def one_gram(data: object) -> MLMGram:
    """What `fit` was given, if that is no Panel: a Gram, or several, which are added.

    Raises
    ------
    ModelError : something else.
    """
    if isinstance(data, MLMGram):
        return data
    if isinstance(data, list | tuple) and all(isinstance(g, MLMGram) for g in data):
        return joined(data)
    kind = some(sorted({type(g).__name__ for g in data})) if isinstance(data, list | tuple) else type(data).__name__
    raise ModelError(
        f"a {kind} is no Panel.",
        where="MLM(...).fit",
        remedy="Make one of it first: sw.Panel(table, person=..., session=...); or give Grams, model.gram(panel).",
    )
