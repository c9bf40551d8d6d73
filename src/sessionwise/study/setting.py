"""Setting: a study and the data it is put to, ready for every part; what cannot be studied at all is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..describe import Description, describe
from ..errors import StudyError, nearest, some
from ..instruments import Instrument, instrument, instruments
from .equation import Equation
from .records import NotAnswered

if TYPE_CHECKING:
    from ..panel import Panel
    from .study import Expected, Study

#: Fewer persons than this tell nothing certain about how persons differ.
FEWEST_PERSONS = 20
#: Fewer clusters than this give no variance between clusters.
FEWEST_CLUSTERS = 5
#: A value so many times as far from the median as values usually are (the median of distances) is no score.
FARTHEST = 50
#: 'First sessions' are at least so many.
FEWEST_FIRST = 4

_PERSONS = ("patient", "client", "person", "participant", "subject", "student", "child", "member", "user", "case")


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A study and its data.

    description : of the columns. sd_outcome, sd_process : within-person SDs (REML), in which standardised effects are.
    cluster : the column, if there is such a level that can be estimated; no_cluster : why not, where the Panel has one.
    first : number of first sessions. expected : direction. person, outcome, process : as sentences call them.
    """

    study: Study
    panel: Panel
    description: Description
    sd_outcome: float
    sd_process: float
    cluster: str | None
    no_cluster: NotAnswered | None
    first: int
    expected: Expected
    seed: int
    person: str
    outcome: str
    process: str

    @property
    def forward(self) -> Equation:
        """Process -> outcome."""
        study = self.study
        return self._equation(study.outcome, study.process, study.order == "process first")

    @property
    def reverse(self) -> Equation:
        """Outcome -> process."""
        study = self.study
        return self._equation(study.process, study.outcome, study.order == "outcome first")

    @property
    def scale_forward(self) -> float:
        """What turns a forward effect into within-person SDs."""
        return self.sd_process / self.sd_outcome

    @property
    def scale_reverse(self) -> float:
        return self.sd_outcome / self.sd_process

    def called(self, column: str) -> str:
        """A column as sentences call it."""
        return {self.study.outcome: self.outcome, self.study.process: self.process}.get(column, column)

    def _equation(self, response: str, predictor: str, same_session: bool) -> Equation:
        roles, study = self.panel.roles, self.study
        shared = study.covariates, study.trend, roles.person, roles.session, self.cluster
        return Equation(response, predictor, study.lag, same_session, *shared)


def setting(study: Study, panel: Panel, seed: int) -> Setting:
    """Look at the data once.

    Raises
    ------
    StudyError, PanelError : see `Study.run`.
    """
    _is_panel(panel)
    _can_be_studied(study, panel)
    description = describe(panel, [name for name in study.columns if _can_be_described(name, panel)])
    found = {v.name: v for v in description.variables}
    sds = [found[name].sd_within or 0.0 for name in (study.outcome, study.process)]
    assert all(sds)  # each varies within some person
    cluster, no_cluster = _cluster(panel)
    median = int(np.median(panel.sessions_per_person))
    outcome, process = (_known(name) for name in (study.outcome, study.process))
    return Setting(
        study=study,
        panel=panel,
        description=description,
        sd_outcome=sds[0],
        sd_process=sds[1],
        cluster=cluster,
        no_cluster=no_cluster,
        first=study.first_sessions or max(median, FEWEST_FIRST, study.lag + 3),
        expected=study.expected or _expected(outcome, process),
        seed=seed,
        person=panel.roles.person.lower() if panel.roles.person.lower() in _PERSONS else "person",
        outcome=_called(study.outcome, outcome),
        process=_called(study.process, process),
    )


# --- what is refused ----------------------------------------------------------------------------


def _is_panel(given: object) -> None:
    from ..panel import Panel

    if not isinstance(given, Panel):
        raise StudyError(
            f"a {type(given).__name__} is no Panel.",
            where="Study.run",
            remedy="Make one of it first: sw.Panel(table, person=..., session=...).",
        )


def _can_be_studied(study: Study, panel: Panel) -> None:
    roles = {name: role for role, name in panel.roles.named().items()}
    for name in study.columns:
        if name not in panel:
            raise StudyError(
                f"there is no column {name!r}.{nearest(name, panel.columns)}",
                where=f"columns: {some(panel.columns, 12)}",
                remedy="Use one of these columns, or score the instrument first.",
            )
        if name in roles:
            raise StudyError(
                f"column {name!r} says which {roles[name]} a row is of, and cannot be a variable too.",
                remedy="Name another column.",
            )
    if not len(panel):
        raise StudyError("there are no sessions.", remedy="Check how the file was read and which rows were kept.")
    for what, name in (("outcome", study.outcome), ("process", study.process)):
        _possible(what, name, panel)
        _varies_within(what, name, panel)


def _possible(what: str, name: str, panel: Panel) -> None:
    """Stop at values that no score can have: one of them would decide every result."""
    values = panel[name]  # raises where it holds no numbers
    known = values[np.isfinite(values)]
    middle = np.median(known) if len(known) else 0.0
    usual = np.median(np.abs(known - middle)) if len(known) else 0.0
    wrong = np.flatnonzero(np.isinf(values) | ((np.abs(values - middle) > FARTHEST * usual) & (usual > 0)))
    if len(wrong):
        odd = some([f"{v:g}" for v in np.unique(values[wrong])], 3)
        raise StudyError(
            f"the {what} {name!r} has impossible values in {len(wrong):,} of {len(values):,} sessions: {odd}.",
            where=panel.where(wrong),
            remedy="Correct these cells, or declare them missing: sessionwise.read(path, missing={...}).",
        )


def _varies_within(what: str, name: str, panel: Panel) -> None:
    values = panel[name]
    known = ~np.isnan(values)
    if not known.any():
        raise StudyError(f"the {what} {name!r} has no value in any session.", remedy="Name another column.")
    starts = panel.starts[:-1]
    low = np.minimum.reduceat(np.where(known, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, values, -np.inf), starts)
    if not (high > low).any():
        raise StudyError(
            f"the {what} {name!r} is the same in all sessions of each person, so nothing can be said of change within "
            "persons.",
            where=f"column {name!r}, {panel.n_persons:,} persons",
            remedy="Use a column that is measured anew at each session. What is fixed for a person can be a moderator.",
        )


def _can_be_described(name: str, panel: Panel) -> bool:
    """Numbers, and text that is the same in all sessions of a person."""
    if panel.is_numeric(name):
        return True
    codes = panel.labels(name).codes
    return bool((codes == codes[panel.starts[:-1]][panel.codes]).all())


# --- what is made out ---------------------------------------------------------------------------


def _cluster(panel: Panel) -> tuple[str | None, NotAnswered | None]:
    """The level above persons, or why there is none."""
    name, codes = panel.roles.cluster, panel.cluster_codes
    if name is None or codes is None:
        return None, None
    question = f"how {name}s differ"
    known = codes >= 0
    pairs = np.unique(np.column_stack([codes[known], panel.codes[known]]), axis=0)
    clusters, persons = np.unique(pairs[:, 0], return_counts=True)
    if len(clusters) < FEWEST_CLUSTERS:
        why = f"There {'is' if len(clusters) == 1 else 'are'} {len(clusters)} {name}{'s' * (len(clusters) != 1)}."
        return None, NotAnswered(question, why, f"At least {FEWEST_CLUSTERS} {name}s, better 20.")
    if (persons == 1).all():
        why = f"Every {name} has one person, so that the two cannot be told apart."
        return None, NotAnswered(question, why, f"{name.capitalize()}s with several persons each.")
    return name, None


def _known(column: str) -> tuple[Instrument, str] | None:
    """The instrument, and the scale's name, whose column this is."""
    for name in instruments():
        base = name.replace("-", "_")
        if column == base or column.startswith(f"{base}_"):
            key = instrument(name)
            if column in key.columns:
                return key, column.removeprefix(base).strip("_")
    return None


def _called(column: str, known: tuple[Instrument, str] | None) -> str:
    return column if known is None else f"{known[0].name.upper()} {known[1]}".rstrip()


def _expected(outcome: tuple[Instrument, str] | None, process: tuple[Instrument, str] | None) -> Expected:
    """More of what is better goes with less of what is worse; without knowledge as for alliance and symptoms."""
    worse = outcome is None or outcome[0].higher == "worse"
    better = process is None or process[0].higher == "better"
    return "negative" if worse == better else "positive"
