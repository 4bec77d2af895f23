"""Which members made a metric's change. Exact: what they gave adds up to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics_catalog.monitoring.ratio_split import rate_and_mix
from metrics_catalog.reporting.numbers import Cell


@dataclass(frozen=True)
class Share:
    """What one member gave to the change, in the metric's unit; of a ratio by its own ``rate`` and its ``weight``."""

    member: str | None
    given: float
    rate: float | None = None
    weight: float | None = None


Pair = tuple[Cell | None, Cell | None]  # now, before
_CLOSE = 1e-6  # of the sizes added: what floating point may leave over


def contributions(cells: Mapping[str | None, Pair], whole: Pair) -> list[Share] | None:
    """By member -> what each gave to the change of the ``whole``, the largest first; None where it cannot be split.

    What adds up is split by differences, a ratio of parts that add up into rate and mix.
    """
    change = _of(whole[0]) - _of(whole[1])
    for split in (_ratios, _differences):
        found = split(cells, whole)
        if found is not None and _adds_up(found, change, cells):
            return sorted(found, key=lambda one: (-abs(one.given), str(one.member)))
    return None


def _adds_up(found: Iterable[Share], change: float, cells: Mapping[str | None, Pair]) -> bool:
    size = max((abs(_of(cell)) for pair in cells.values() for cell in pair), default=0.0)
    return abs(sum(one.given for one in found) - change) <= _CLOSE * (size + abs(change))


def _differences(cells: Mapping[str | None, Pair], whole: Pair) -> list[Share]:
    return [Share(member, _of(now) - _of(before)) for member, (now, before) in cells.items()]


def _ratios(cells: Mapping[str | None, Pair], whole: Pair) -> list[Share] | None:
    over_now, over_before = (cell.denominator if cell is not None else None for cell in whole)
    if not over_now or not over_before:
        return None
    shares = []
    for member, (now, before) in cells.items():
        w1, w0 = _denominator(now) / over_now, _denominator(before) / over_before
        r1, r0 = (_of(now) if w1 else _of(before)), (_of(before) if w0 else _of(now))
        rate, weight = rate_and_mix((r0, r1), (w0, w1), (_of(whole[1]), _of(whole[0])))
        shares.append(Share(member, rate + weight, rate, weight))
    return shares


def _of(cell: Cell | None) -> float:
    """Of a ratio what its parts give: published values are rounded, which would leave a rest."""
    if cell is None:
        return 0.0
    if cell.numerator is not None and cell.denominator:
        return cell.numerator / cell.denominator
    return cell.value or 0.0


def _denominator(cell: Cell | None) -> float:
    return 0.0 if cell is None or cell.denominator is None else cell.denominator
