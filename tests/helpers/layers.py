"""The order of the package's parts, from the bottom to the top, and what may stand against it, each with its reason.

A part is a module or package directly under sessionwise. It may import the parts of the layers below its own.
"""

from __future__ import annotations

LAYERS: tuple[tuple[str, ...], ...] = (
    # the ground: what knows no session
    ("errors", "threads", "_core"),
    ("words", "options", "outputs", "forked"),
    ("show",),
    ("findings",),
    # from a file to the columns of a model
    ("panel",),
    ("readers", "scoring", "formula", "datasets"),
    ("checks",),
    ("designs",),
    ("grams",),
    # models and what is made of them
    ("mixed", "sem", "gibbs"),
    ("models",),
    ("descriptions",),
    ("events",),
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
    ("models.mlm.model", "models.mlm.fit"): "MLM.fit gives an MLMFit",
    ("models.mlm.model", "models.mlm.gram"): "MLM.gram gives an MLMGram",
    ("models.mlm.model", "models.mlm.simulate"): "MLM.simulate",
    ("models.panel_sem.model", "models.panel_sem.estimate"): "the panel models' fit",
    ("models.panel_sem.model", "models.panel_sem.fit"): "the panel models' fit gives a SEMFit",
    ("models.dsem.model", "models.dsem.estimate"): "DSEM.fit",
    ("models.dsem.model", "models.dsem.fit"): "DSEM.fit gives a DSEMFit",
    ("models.dsem.model", "models.dsem.simulate"): "DSEM.simulate",
    ("models.dsem.fit", "models.dsem.arviz_export"): "DSEMFit.to_arviz",
    ("models.dsem.fit", "models.dsem.explained"): "DSEMFit.r_squared and standardised effects of persons",
    ("models.dsem.fit", "models.dsem.loo"): "DSEMFit.loo",
    ("models.dsem.fit", "models.dsem.one_step_ahead"): "DSEMFit.one_step_ahead",
    ("models.dsem.fit", "models.dsem.predictive_checks"): "DSEMFit.predictive_checks",
    ("models.dsem.fit", "models.dsem.printed"): "DSEMFit prints itself",
    ("models.dsem.fit", "models.dsem.indirect"): "DSEMFit.indirect",
    ("models.dsem.fit", "models.dsem.prior_sensitivity"): "DSEMFit.prior_sensitivity",
    ("descriptions.description", "descriptions.exported"): "Description.tables",
    ("descriptions.description", "descriptions.printed"): "Description prints itself",
    ("descriptions.reliability", "descriptions.printed"): "Reliability prints itself",
    ("events.contract", "events.detect"): "Detector.detect",
    ("events.contract", "events.episodes"): "Detector.detect gives Episodes",
    ("events.reliable_change.model", "events.reliable_change.classified"): "ReliableChange.find and changes",
    ("events.expected_course.description", "events.expected_course.learn"): "ExpectedCourse.fit",
    (
        "events.expected_course.description",
        "events.expected_course.learned",
    ): "ExpectedCourse.fit gives a LearnedCourse",
    ("events.expected_course.description", "events.expected_course.validated"): "ExpectedCourse.validate",
    ("events.expected_course.learned", "events.expected_course.saved"): "LearnedCourse.save",
    ("events.expected_course.learned", "events.expected_course.tracked"): "LearnedCourse.track",
    ("study.study", "study.run"): "Study.run",
    ("study.study", "study.result"): "Study.run gives a StudyResult",
    ("study.result", "study.tables"): "StudyResult.tables",
    ("study.result", "study.words.printed"): "StudyResult prints itself",
    ("study.result", "reports"): "StudyResult.report writes it as a page",
}
