"""References of what was used, in APA style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..methods.registry import methods
from ..records import Direction, DropOutModel, Estimate, FewSessions, Headline, Heterogeneity, NotAnswered, Sensitivity

if TYPE_CHECKING:
    from ..study_data import StudyData

_KNOWN = {
    "bates": "Bates, D., Mächler, M., Bolker, B., & Walker, S. (2015). Fitting linear mixed-effects models using lme4. "
    "Journal of Statistical Software, 67(1), 1–48. https://doi.org/10.18637/jss.v067.i01",
    "robust": "Bell, R. M., & McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with "
    "multi-stage samples. Survey Methodology, 28(2), 169–181.",
    "confounding": "Cinelli, C., & Hazlett, C. (2020). Making sense of sensitivity: Extending omitted variable bias. "
    "Journal of the Royal Statistical Society: Series B, 82(1), 39–67. https://doi.org/10.1111/rssb.12348",
    "curran": "Curran, P. J., & Bauer, D. J. (2011). The disaggregation of within-person and between-person effects in "
    "longitudinal models of change. Annual Review of Psychology, 62, 583–619. "
    "https://doi.org/10.1146/annurev.psych.093008.100356",
    "rules": "Falkenström, F., Solomonov, N., & Rubel, J. (2020). Using time-lagged panel data analysis to study "
    "mechanisms of change in psychotherapy research: Methodological recommendations. Counselling and Psychotherapy "
    "Research, 20(3), 435–441. https://doi.org/10.1002/capr.12293",
    "satterthwaite": "Kuznetsova, A., Brockhoff, P. B., & Christensen, R. H. B. (2017). lmerTest package: Tests in "
    "linear mixed effects models. Journal of Statistical Software, 82(13), 1–26. https://doi.org/10.18637/jss.v082.i13",
    "hausman": "Hausman, J. A. (1978). Specification tests in econometrics. Econometrica, 46(6), 1251–1271. "
    "https://doi.org/10.2307/1913827",
    "nickell": "Nickell, S. (1981). Biases in dynamic models with fixed effects. Econometrica, 49(6), 1417–1426. "
    "https://doi.org/10.2307/1911408",
    "r2": "Rights, J. D., & Sterba, S. K. (2019). Quantifying explained variance in multilevel models: An integrative "
    "framework for defining R-squared measures. Psychological Methods, 24(3), 309–338. "
    "https://doi.org/10.1037/met0000184",
    "boundary": "Self, S. G., & Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and "
    "likelihood ratio tests under nonstandard conditions. Journal of the American Statistical Association, 82(398), "
    "605–610. https://doi.org/10.1080/01621459.1987.10478472",
    "reliability": "Shrout, P. E., & Lane, S. P. (2012). Psychometrics. In M. R. Mehl & T. S. Conner (Eds.), Handbook "
    "of research methods for studying daily life (pp. 302–320). Guilford Press.",
    "hazard": "Singer, J. D., & Willett, J. B. (1993). It's about time: Using discrete-time survival analysis to study "
    "duration and the timing of events. Journal of Educational Statistics, 18(2), 155–195. "
    "https://doi.org/10.3102/10769986018002155",
    "variance": "Stram, D. O., & Lee, J. W. (1994). Variance components testing in the longitudinal mixed effects "
    "model. Biometrics, 50(4), 1171–1177. https://doi.org/10.2307/2533455",
}


def references(
    setting: StudyData,
    directions: tuple[Direction | NotAnswered, ...],
    drop_out: DropOutModel | NotAnswered,
    few: FewSessions | NotAnswered,
    compared: Sensitivity,
    found: Headline,
) -> tuple[str, ...]:
    """Sorted as a list of references is."""
    fitted = [d for d in directions if isinstance(d, Direction)]
    effects = [e for e in (found.forward, found.reverse) if not isinstance(e, NotAnswered)]
    net = any(row.key == "net" and isinstance(row.forward, Estimate) for row in compared.rows)
    used = {
        "rules": True,
        "bates": bool(fitted),
        "curran": bool(fitted),
        "satterthwaite": bool(fitted),
        "robust": net,
        "hausman": net,
        "confounding": any(e.robustness is not None for e in effects),
        "r2": any(d.explained is not None for d in fitted),
        "boundary": any(isinstance(d.heterogeneity, Heterogeneity) for d in fitted),
        "variance": any(isinstance(d.heterogeneity, Heterogeneity) for d in fitted),
        "hazard": isinstance(drop_out, DropOutModel),
        "nickell": isinstance(few, FewSessions),
        "reliability": bool(setting.description.reliability),
    }
    shown = {row.key for row in compared.rows}
    others = [text for method in methods() if method.key in shown for text in method.references]
    return tuple(sorted({*(_KNOWN[key] for key, yes in used.items() if yes), *others}))
