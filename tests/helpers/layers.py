"""The order of the package's parts, from the bottom to the top, and what may stand against it, each with its reason.

A part is a module or package directly under sessionwise. It may import the parts of the layers below its own.
"""

from __future__ import annotations

LAYERS: tuple[tuple[str, ...], ...] = (
    # the ground: what knows no session
    ("errors", "threads", "_core"),
    ("show",),
    ("findings",),
    # from a file to the columns of a model
    ("panel",),
    ("readers", "scoring", "formula", "datasets"),
    ("checks",),
    ("designs",),
    ("grams",),
    # models and what is made of them
    ("mixed", "sem"),
    ("models",),
    ("descriptions",),
    ("study",),
    ("plot",),
    ("reports",),
    ("__init__",),
    ("cli",),
)
LEVELS = {part: level for level, parts in enumerate(LAYERS) for part in parts}

#: A method of a record hands its work to the module that does it, which needs the record's type: imports inside that
#: method, and of types, (importer, imported) -> why.
FACADES: dict[tuple[str, str], str] = {
    ("designs.design", "designs.build"): "Design.apply makes another Design",
    ("models.mlm.model", "models.mlm.simulate"): "MLM.simulate",
    ("models.mlm.residual", "models.mlm.model"): "the kind of residuals is an option of MLM",
    ("models.mlm.fit", "models.mlm.model"): "MLMFit.model",
    ("models.mlm.fit", "models.mlm.tests_and_intervals"): "MLMFit.confint, contrast, joint, anova, robust",
    ("models.mlm.fit", "models.mlm.slopes"): "MLMFit.slopes",
    ("models.mlm.fit", "models.mlm.lagged"): "MLMFit.lagged_effects",
    ("models.mlm.fit", "models.mlm.simulate"): "MLMFit.simulate",
    ("models.mlm.fit", "models.mlm.predict"): "MLMFit.predict",
    ("models.mlm.fit", "models.mlm.show"): "MLMFit prints itself",
    ("models.panel_sem.model", "models.panel_sem.estimate"): "the models' fit",
    ("models.panel_sem.model", "models.panel_sem.fit"): "the models' fit gives a SEMFit",
    ("models.panel_sem.model", "models.panel_sem.simulate"): "the models' simulate",
    ("models.panel_sem.fit", "models.panel_sem.lag_tests"): "SEMFit.lag_tests",
    ("models.panel_sem.fit", "models.panel_sem.lagged_effects"): "SEMFit.lagged_effects",
    ("models.panel_sem.fit", "models.panel_sem.likelihood_ratio"): "SEMFit.lrt, stationarity, same_over_groups",
    ("models.panel_sem.fit", "models.panel_sem.same_wave_effects"): "SEMFit.lags_given",
    ("models.panel_sem.fit", "models.panel_sem.show"): "SEMFit prints itself",
    ("models.panel_sem.tables", "models.panel_sem.fit"): "tables of a SEMFit, which SEMFit imports while loading",
    ("descriptions.description", "descriptions.exported"): "Description.tables",
    ("descriptions.description", "descriptions.printed"): "Description prints itself",
    ("descriptions.reliability", "descriptions.printed"): "Reliability prints itself",
    ("study.study", "study.run"): "Study.run",
    ("study.study", "study.result"): "Study.run gives a StudyResult",
    ("study.result", "study.tables"): "StudyResult.tables",
    ("study.result", "study.words.printed"): "StudyResult prints itself",
    ("study.result", "reports"): "StudyResult.report writes it as a page",
}
