"""Values before and after a change, put beside each other: totals, slices, and how large the effect is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

SHOWN = 5  # slices that move most
Values = Mapping[tuple[Any, ...], Decimal]  # (metric, grain, period, slice, members) -> value


def totals(name: str, old: Values, new: Values) -> Iterator[dict[str, Any]]:
    """Of one metric, every period by every grain, as `compared`."""
    keys = {key for key in {*old, *new} if key[0] == name and not key[3]}
    for key in sorted(keys):
        yield {"grain": key[1], "period": key[2].isoformat(), **compared(old.get(key), new.get(key))}


def effect(metrics: Iterable[Sequence[Mapping[str, Any]]]) -> Decimal | None:
    """The largest relative change of a total of some metrics; None where it cannot be told of one of them."""
    found = [_largest_change(rows) for rows in metrics]
    known = [one for one in found if one is not None]
    return max(known, default=Decimal(0)) if len(known) == len(found) else None


def _largest_change(rows: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """Of one metric: told as soon as there are periods that both definitions have.

    None where a value appears or vanishes between those the old definition has: no ratio says how much that is. What
    was zero is compared with the largest value of its grain.
    """
    known = Decimal(-1)
    for grain in {one["grain"] for one in rows}:
        mine = [one for one in rows if one["grain"] == grain]
        had = [one["period"] for one in mine if one["old"] is not None]
        inside = [one for one in mine if had and had[0] <= one["period"] <= had[-1]]
        if any(one["old"] is None or one["new"] is None for one in inside):
            return None
        scale = max((abs(Decimal(one["old"])) for one in inside), default=Decimal(0))
        for one in inside:
            was, now = Decimal(one["old"]), Decimal(one["new"])
            if was != now and not scale:
                return None
            known = max(known, abs(now - was) / (abs(was) or scale) if was != now else Decimal(0))
    return None if known < 0 else round(known, 6)


def worst(name: str, old: Values, new: Values) -> list[dict[str, Any]]:
    """The slices that move most, by size of the difference in their own slicing."""
    found = []
    for key in {key for key in {*old, *new} if key[0] == name and key[3]}:
        was, now = old.get(key), new.get(key)
        size = abs((now or Decimal(0)) - (was or Decimal(0)))
        if size:
            members = dict(zip(key[3].split(","), key[4], strict=True))
            found.append((size, {"period": key[2].isoformat(), "members": members, **compared(was, now)}))
    return [row for _, row in sorted(found, key=lambda one: (-one[0], one[1]["period"], str(one[1])))[:SHOWN]]


def largest(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of one metric, the row that changes most."""
    most = max(rows, key=lambda one: abs(Decimal(one["percent"] or 0)))
    return {"metric": name, **most}


def compared(was: Decimal | None, now: Decimal | None) -> dict[str, Any]:
    """Two values as a card shows them."""
    both = was is not None and now is not None
    difference = now - was if was is not None and now is not None else None
    percent = difference / abs(was) * 100 if difference is not None and was else None
    return {
        "old": written(was),
        "new": written(now),
        "difference": written(difference) if both else None,
        "percent": written(None if percent is None else round(percent, 4)),
    }


def written(value: Decimal | None) -> str | None:
    """A number as JSON keeps it, without an exponent."""
    return None if value is None else f"{value.normalize():f}"
