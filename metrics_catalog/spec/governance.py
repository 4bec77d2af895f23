"""policy.yml, governance: who must approve what, how long they have, what may be restated without being asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import Field

from metrics_catalog.spec.base import Spec

Change = Literal[
    "create",
    "wording",
    "calculation",
    "bounds",
    "owner",
    "tier",
    "restate",
    "deprecate",
    "revive",
    "retire",
    "people",
    "policy",
]
Approver = Literal["owner", "steward", "admin"]
Cause = Literal["definition", "late rows", "changed rows", "changed dimension", "changed code", "unknown"]
CHANGES: tuple[Change, ...] = get_args(Change)
Tier = Literal[1, 2, 3]


class Rule(Spec):
    """Who must approve ``changes`` of metrics of ``tiers`` that move a value by more than ``effect_above`` (0.05: 5 %).

    ``need``: one different person each. ``owner`` is one of the metric's owners; an admin counts as a steward too.
    ``author_counts``: whoever asks may be one of them, as for an owner's own wording. All rules that apply add up.
    """

    changes: Annotated[tuple[Change, ...], Field(min_length=1)]
    tiers: tuple[Tier, ...] = (1, 2, 3)
    effect_above: Annotated[Decimal, Field(ge=0)] | None = None
    need: Annotated[tuple[Approver, ...], Field(min_length=1)]
    author_counts: bool = False


_DEFAULT = (
    Rule(changes=("wording",), need=("owner",), author_counts=True),
    Rule(changes=("create", "calculation", "bounds", "owner", "tier", "restate"), need=("owner",)),
    Rule(changes=("deprecate", "revive", "retire"), need=("owner",)),
    Rule(
        changes=("create", "calculation", "bounds", "restate", "deprecate", "revive", "retire"),
        tiers=(1,),
        need=("steward",),
    ),
    Rule(changes=("calculation", "restate"), tiers=(2,), effect_above=Decimal("0.05"), need=("steward",)),
    Rule(changes=("owner", "tier"), need=("steward",)),
    Rule(changes=("people",), need=("admin",)),
    Rule(changes=("policy",), need=("admin", "steward")),
)


class Restatements(Spec):
    """Per tier, what happens when a published value of a closed period would change by itself.

    ``publish``: with a note that says why. ``ask``: the metric keeps its published values until somebody approves.
    Changed code and what cannot be explained always ask.
    """

    late_rows: dict[Tier, Literal["publish", "ask"]] = Field(default_factory=dict)
    changed_rows: dict[Tier, Literal["publish", "ask"]] = Field(default_factory=dict)
    changed_dimension: dict[Tier, Literal["publish", "ask"]] = Field(default_factory=dict)

    def asks(self, cause: Cause, tier: int) -> bool:
        """Whether somebody must approve; data that arrives late or is corrected is published unless a tier says so."""
        if cause == "definition":  # it was certified
            return False
        by_tier = {
            "late rows": self.late_rows,
            "changed rows": self.changed_rows,
            "changed dimension": self.changed_dimension,
        }.get(cause)
        return True if by_tier is None else by_tier.get(tier, "publish") == "ask"  # pyright: ignore


class Governance(Spec):
    """How changes are decided. ``tolerance``: relative difference below which two values are the same.

    ``must_read``: only who opened a request as it is now may approve it; else it is noted that they had not.
    ``grace_days``: how long a deprecated metric is computed. Then a request to retire it opens by itself, or, with
    ``retire_after_grace``, it is retired unasked.
    """

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)] = _DEFAULT
    restatements: Restatements = Field(default_factory=Restatements)
    tolerance: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.000000001")
    preview_periods: Annotated[int, Field(ge=1, le=120)] = 12
    answer_days: Annotated[int, Field(ge=1)] = 3
    expire_days: Annotated[int, Field(ge=1)] = 30
    grace_days: Annotated[int, Field(ge=0)] = 30
    escalate_to: Approver = "admin"
    must_read: bool = False
    retire_after_grace: bool = False
