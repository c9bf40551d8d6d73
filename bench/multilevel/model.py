"""Which models are fitted. Peers that cannot fit one of them are given the nearest that they can, and so are we."""

from __future__ import annotations

from dataclasses import dataclass

FIXED = "y ~ x + z + session"


@dataclass(frozen=True, slots=True)
class Model:
    """y ~ x + z + session with random effects of persons, and of therapists.

    slopes : x and z have random effects too. therapists : persons are in therapists, who have an intercept.
    correlated : the person's effects are. reml : the criterion, else maximum likelihood. setting : persons change
    therapists, and the setting of each session has an intercept too.
    """

    slopes: bool
    therapists: bool
    correlated: bool = True
    reml: bool = True
    setting: bool = False

    @property
    def formula(self) -> str:
        """In lme4's grammar."""
        return f"{FIXED} + {self.random}"

    @property
    def random(self) -> str:
        """The random terms."""
        bar = "|" if self.correlated else "||"
        persons = f"(1 + x + z {bar} person)" if self.slopes else "(1 | person)"
        crossed = " + (1 | setting)" if self.setting else ""
        return persons + (" + (1 | therapist)" if self.therapists else "") + crossed

    @property
    def method(self) -> str:
        return "REML" if self.reml else "ML"


MODELS = (Model(False, False), Model(True, False), Model(True, True))
