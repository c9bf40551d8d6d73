"""LikelihoodRatioTest: whether a larger model fits better than one nested in it, as every model says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..show import Grid, Part, Shown, plain_dict
from ..words import num, p_value


@dataclass(frozen=True, slots=True)
class LikelihoodRatioTest(Shown):
    """A likelihood-ratio test of a smaller model against a larger one.

    chi2 : fall of -2 log-likelihood from the smaller model to the larger one; scaled if `factor` is a number, NaN if
    the scaled test has no value. df : parameters more. p : probability of chi2 or more under the smaller model.
    words : of panel models what was tested and the doubts, of multilevel models which distribution p is by, and why.

    Of multilevel models, else None:
    p_naive : by chi2(df) alone, as lme4's anova. weights, dfs : (m,) of the mixture of chi-squared distributions that
    p is by; chi2 with 0 degrees of freedom is the point 0. reml : whether REML criteria were compared.

    Of panel models, else None:
    factor : by which the fall was divided (Satorra & Bentler 2001); None, too, where errors are not robust.
    """

    chi2: float
    df: int
    p: float
    words: str
    p_naive: float | None = None
    weights: tuple[float, ...] | None = None
    dfs: tuple[int, ...] | None = None
    reml: bool | None = None
    factor: float | None = None

    def parts(self) -> list[Part]:
        """What is shown of it: lines and a table."""
        title = f"Fall of {'the REML criterion' if self.reml else '-2 log-likelihood'}"
        title += "" if self.factor is None else ", scaled (Satorra & Bentler 2001)"
        head = ["", "chi2", "df", "p"]
        row = ["larger against smaller", num(self.chi2), f"{self.df}", p_value(self.p)]
        if self.p_naive is not None:
            head.append(f"p by chi2({self.df})")
            row.append(p_value(self.p_naive))
        words = self.words if self.p_naive is None else f"p by {self.words}"
        return ["Likelihood-ratio test", Grid(title, tuple(head), (tuple(row),)), words]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as `sessionwise fit --json` prints them; unknown is None."""
        return plain_dict(self)
