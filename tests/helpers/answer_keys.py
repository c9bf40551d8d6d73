"""The answer key of every instrument that ships, written out once more by hand: what scoring is held to.

Nothing here is read from the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def upto(n: int) -> list[int]:
    """1, 2, ..., n."""
    return list(range(1, n + 1))


@dataclass(frozen=True)
class Part:
    """A score. of : its items, or the columns that it adds up. times : by which the sum or mean is multiplied."""

    of: list[int] | list[str]
    scoring: str = "sum"
    may_miss: int = 0
    times: int = 1
    better: bool = False

    @property
    def is_sum_of_scores(self) -> bool:
        return isinstance(self.of[0], str)


@dataclass(frozen=True)
class Key:
    """scores : column -> Part, the total first. own : item -> its answers, if not all of low to high.

    overlap : columns whose items others have too, besides the total.
    """

    items: int
    low: int
    high: int
    scores: dict[str, Part]
    turned: list[int] = field(default_factory=list)
    own: dict[int, list[int]] = field(default_factory=dict)
    overlap: tuple[str, ...] = ()

    def answers(self, item: int, low: int, high: int) -> list[int]:
        """What may be answered to the item, if answers run from low to high."""
        return self.own.get(item) or list(range(low, high + 1))

    def members(self, column: str) -> list[int]:
        """The items of a score."""
        part = self.scores[column]
        return [i for one in part.of for i in (self.members(one) if isinstance(one, str) else [one])]


def one_sum(name: str, items: int, high: int, may_miss: int, low: int = 0, turned: tuple[int, ...] = ()) -> Key:
    """A form with one score, the sum of all its items."""
    return Key(items, low, high, {name: Part(upto(items), "sum", may_miss)}, list(turned))


KEYS: dict[str, Key] = {
    "core-om": Key(
        34,
        0,
        4,
        {
            "core_om": Part(upto(34), "mean10", 3),
            "core_om_wellbeing": Part([4, 14, 17, 31], "mean10", 0),
            "core_om_problems": Part([2, 5, 8, 11, 13, 15, 18, 20, 23, 27, 28, 30], "mean10", 1),
            "core_om_functioning": Part([1, 3, 7, 10, 12, 19, 21, 25, 26, 29, 32, 33], "mean10", 1),
            "core_om_risk": Part([6, 9, 16, 22, 24, 34], "mean10", 0),
            "core_om_nonrisk": Part(
                [4, 14, 17, 31, 2, 5, 8, 11, 13, 15, 18, 20, 23, 27, 28, 30]
                + [1, 3, 7, 10, 12, 19, 21, 25, 26, 29, 32, 33],
                "mean10",
                3,
            ),
        },
        [3, 4, 7, 12, 19, 21, 31, 32],
        overlap=("core_om_nonrisk",),
    ),
    "core-10": Key(10, 0, 4, {"core_10": Part(upto(10), "mean10", 1)}, [2, 3]),
    "yp-core": Key(10, 0, 4, {"yp_core": Part(upto(10), "mean10", 1)}, [3, 5, 10]),
    "wai-sr": Key(
        12,
        1,
        5,
        {
            "wai_sr": Part(upto(12), "mean", 1),
            "wai_sr_task": Part([1, 2, 10, 12], "mean"),
            "wai_sr_goal": Part([4, 6, 8, 11], "mean"),
            "wai_sr_bond": Part([3, 5, 7, 9], "mean"),
        },
    ),
    "sai": Key(6, 0, 5, {"sai": Part(upto(6), "mean")}),
    "haq-ii": one_sum("haq_ii", 19, 6, 1, low=1, turned=(4, 8, 11, 16, 19)),
    "ors": one_sum("ors", 4, 10, 0),
    "srs": one_sum("srs", 4, 10, 0),
    "phq-9": one_sum("phq_9", 9, 3, 1),
    "phq-8": one_sum("phq_8", 8, 3, 1),
    "phq-4": Key(4, 0, 3, {"phq_4": Part(upto(4)), "phq_4_anxiety": Part([1, 2]), "phq_4_depression": Part([3, 4])}),
    "gad-7": one_sum("gad_7", 7, 3, 1),
    "pcl-5": Key(
        20,
        0,
        4,
        {
            "pcl_5": Part(upto(20), "sum", 2),
            "pcl_5_intrusion": Part([1, 2, 3, 4, 5]),
            "pcl_5_avoidance": Part([6, 7]),
            "pcl_5_cognition_mood": Part([8, 9, 10, 11, 12, 13, 14]),
            "pcl_5_arousal": Part([15, 16, 17, 18, 19, 20]),
        },
    ),
    "ces-d": one_sum("ces_d", 20, 3, 2, turned=(4, 8, 12, 16)),
    "pswq": one_sum("pswq", 16, 5, 1, low=1, turned=(1, 3, 8, 10, 11)),
    "wsas": Key(5, 0, 8, {"wsas": Part(upto(5)), "wsas_without_work": Part([2, 3, 4, 5])}),
    "who-5": Key(5, 0, 5, {"who_5": Part(upto(5), "sum", 0, times=4)}),
    "isi": one_sum("isi", 7, 4, 0),
    "hads": Key(
        14,
        0,
        3,
        {
            "hads": Part(["hads_anxiety", "hads_depression"]),
            "hads_anxiety": Part([1, 3, 5, 7, 9, 11, 13], "sum", 3),
            "hads_depression": Part([2, 4, 6, 8, 10, 12, 14], "sum", 3),
        },
    ),
    "epds": one_sum("epds", 10, 3, 1),
    "bdi-ii": one_sum("bdi_ii", 21, 3, 2),
    "bai": one_sum("bai", 21, 3, 2),
    "audit": Key(
        10,
        0,
        4,
        {
            "audit": Part(upto(10)),
            "audit_consumption": Part([1, 2, 3]),
            "audit_dependence": Part([4, 5, 6]),
            "audit_problems": Part([7, 8, 9, 10]),
        },
        own={9: [0, 2, 4], 10: [0, 2, 4]},
    ),
    "sdq": Key(
        25,
        0,
        2,
        {
            "sdq": Part(["sdq_emotional", "sdq_conduct", "sdq_hyperactivity", "sdq_peer"]),
            "sdq_emotional": Part([3, 8, 13, 16, 24], "sum", 2),
            "sdq_conduct": Part([5, 7, 12, 18, 22], "sum", 2),
            "sdq_hyperactivity": Part([2, 10, 15, 21, 25], "sum", 2),
            "sdq_peer": Part([6, 11, 14, 19, 23], "sum", 2),
            "sdq_prosocial": Part([1, 4, 9, 17, 20], "sum", 2, better=True),
            "sdq_internalising": Part(["sdq_emotional", "sdq_peer"]),
            "sdq_externalising": Part(["sdq_conduct", "sdq_hyperactivity"]),
        },
        [7, 11, 14, 21, 25],
        overlap=("sdq_internalising", "sdq_externalising"),
    ),
    "dass-21": Key(
        21,
        0,
        3,
        {
            "dass_21": Part(upto(21), "sum", 2, times=2),
            "dass_21_depression": Part([3, 5, 10, 13, 16, 17, 21], times=2),
            "dass_21_anxiety": Part([2, 4, 7, 9, 15, 19, 20], times=2),
            "dass_21_stress": Part([1, 6, 8, 11, 12, 14, 18], times=2),
        },
    ),
    "k10": one_sum("k10", 10, 5, 1, low=1),
    "iip-32": Key(
        32,
        0,
        4,
        {
            "iip_32": Part(upto(32), "sum", 3),
            "iip_32_domineering": Part([22, 25, 28, 30]),
            "iip_32_vindictive": Part([14, 16, 17, 18]),
            "iip_32_cold": Part([10, 11, 13, 15]),
            "iip_32_inhibited": Part([2, 5, 9, 19]),
            "iip_32_nonassertive": Part([4, 6, 7, 12]),
            "iip_32_accommodating": Part([1, 8, 20, 31]),
            "iip_32_self_sacrificing": Part([23, 26, 27, 32]),
            "iip_32_intrusive": Part([3, 21, 24, 29]),
        },
    ),
    "oq-45": Key(
        45,
        0,
        4,
        {
            "oq_45": Part(upto(45), "sum", 4),
            "oq_45_distress": Part(
                [2, 3, 5, 6, 8, 9, 10, 11, 13, 15, 22, 23, 24, 25, 27] + [29, 31, 33, 34, 35, 36, 40, 41, 42, 45],
                "sum",
                2,
            ),
            "oq_45_relations": Part([1, 7, 16, 17, 18, 19, 20, 26, 30, 37, 43], "sum", 1),
            "oq_45_role": Part([4, 12, 14, 21, 28, 32, 38, 39, 44]),
        },
        [1, 12, 13, 20, 21, 24, 31, 37, 43],
    ),
}

#: Forms whose answers are numbered in more than one way: name, lowest, highest.
RANGES = [(name, key.low, key.high) for name, key in KEYS.items()] + [
    ("wai-sr", 1, 7),
    ("sai", 1, 6),
    ("haq-ii", 0, 5),
    ("k10", 0, 4),
]
