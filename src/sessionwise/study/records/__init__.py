"""Records: what each part of a study found. Frozen, plain numbers and text, no session rows.

A part that cannot be estimated is a `NotAnswered` in its place.
"""

from __future__ import annotations

from .answer import Diagnostic, DiagnosticKey, Estimand, Headline, HeadlineEffect
from .direction import Coefficient, Component, Direction, Heterogeneity, Moderation, SimpleSlope, Step
from .dynamic import DynamicModel, EffectCount, ImpulseResponse
from .estimate import Estimate, Label, NotAnswered, Z
from .method import Rule
from .persons import PersonEffect, PersonEffects
from .sample import CoursePoint, DropOutEffect, DropOutModel, FlowStep
from .sensitivity import Assumptions, ExpectedBias, FewSessions, Sensitivity, SensitivityRow

__all__ = [
    "Assumptions",
    "Coefficient",
    "Component",
    "CoursePoint",
    "Diagnostic",
    "DiagnosticKey",
    "Direction",
    "DropOutEffect",
    "DropOutModel",
    "DynamicModel",
    "EffectCount",
    "Estimand",
    "Estimate",
    "ExpectedBias",
    "FewSessions",
    "FlowStep",
    "Headline",
    "HeadlineEffect",
    "Heterogeneity",
    "ImpulseResponse",
    "Label",
    "Moderation",
    "NotAnswered",
    "PersonEffect",
    "PersonEffects",
    "Rule",
    "Sensitivity",
    "SensitivityRow",
    "SimpleSlope",
    "Step",
    "Z",
]
