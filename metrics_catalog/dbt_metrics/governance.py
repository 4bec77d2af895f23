"""``config.meta`` of a dbt metric -> what a metric file says of itself, with defaults where it says nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from metrics_catalog.located import Loc
from metrics_catalog.spec.base import GRAINS, HOUR, OF_DAYS, Grain, ordered
from metrics_catalog.spec.metric import MetricFile

UNASSIGNED = "unassigned"
# What a metric gets that does not say: nobody's, of a team's concern, a plain number without a good direction.
DEFAULTS: Mapping[str, Any] = {"owner": UNASSIGNED, "tier": 3, "unit": "number", "direction": "none"}
_MORE = ("synonyms", "slices", "bounds", "target", "change", "anomaly", "watch", "playbook")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass
class Governance:
    """``keys``: fields of `MetricFile`. ``missing``: keys that got a default; ``notes``: what else to say, where."""

    keys: dict[str, Any]
    missing: list[str] = field(default_factory=list)
    notes: list[tuple[Loc, str]] = field(default_factory=list)


def governance(
    metric: Mapping[str, Any], fits: Collection[Grain], dimensions: Collection[str], own: Collection[Grain] = ()
) -> Governance:
    """What ``config.meta`` says; ``fits``: grains at which the value is dbt's; ``dimensions``: to slice it by.

    By the hour, and at the project's own grains, it is published only where ``config.meta.grains`` names them.
    """
    meta = (metric.get("config") or {}).get("meta") or metric.get("meta") or {}
    made = Governance(dict(DEFAULTS))
    made.missing += [key for key in DEFAULTS if meta.get(key) in (None, "")]
    made.keys |= {key: meta[key] for key in (*DEFAULTS, *_MORE) if meta.get(key) not in (None, "")}
    _owner(made)
    _words(made, metric, meta)
    if str(made.keys["tier"]).upper() in ("T1", "T2", "T3", "1", "2", "3"):
        made.keys["tier"] = int(str(made.keys["tier"])[-1])
    made.keys["grains"] = _grains(made, meta, fits, own)
    made.keys["slices"] = list(_slices(made, dimensions))
    _drop_wrong(made)
    return made


def _owner(made: Governance) -> None:
    owner = made.keys["owner"]
    name = re.sub(r"[^a-z0-9]+", "_", str(owner).split("@")[0].lower()).strip("_")
    made.keys["owner"] = name if name[:1].isalpha() else UNASSIGNED
    if made.keys["owner"] != owner:
        made.notes.append((("owner",), f'owner "{owner}" is called "{made.keys["owner"]}" here'))


def _words(made: Governance, metric: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    given = _both(meta, "label")
    label = metric.get("label") or metric["name"].replace("_", " ").capitalize()
    chinese = given.get("zh") or meta.get("label_zh") or (label if _CHINESE.search(label) else None)
    if chinese is None:
        made.missing.append("label.zh")
    made.keys["label"] = {"en": given.get("en") or label, "zh": chinese or label}
    described = _both(meta, "description")
    text = described.get("en") or metric.get("description")
    if not text:
        made.missing.append("description")
    translated = described.get("zh") or meta.get("description_zh")
    made.keys["description"] = {"en": text or label, "zh": translated} if translated else text or label


def _both(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A text of ``config.meta`` in both languages; nothing where it is not given so."""
    given = meta.get(key)
    return given if isinstance(given, Mapping) else {}


def _grains(made: Governance, meta: Mapping[str, Any], fits: Collection[Grain], own: Collection[Grain]) -> list[Grain]:
    usual = [grain for grain in fits if grain in OF_DAYS]
    wanted = meta.get("grains") or usual
    wanted = wanted if isinstance(wanted, list) else [wanted]
    for grain in wanted:
        if grain not in (known := (*GRAINS, *own)):
            made.notes.append((("grains",), f'grains: "{grain}" is left out; use {", ".join(known)}'))
        elif grain not in fits:
            made.notes.append((("grains",), f'grains: "{grain}" is left out; MetricFlow means another value by it'))
    found = [grain for grain in wanted if grain in fits] or usual
    return ordered([*found, "day"] if HOUR in found else found)  # hours are published beside their days


def _slices(made: Governance, dimensions: Collection[str]) -> Iterator[list[str]]:
    given = made.keys.pop("slices", [])
    for index, cut in enumerate(given if isinstance(given, list) else [given]):
        names = [str(name) for name in cut] if isinstance(cut, list) else [str(cut)]
        if unknown := [name for name in names if name not in dimensions]:
            made.notes.append(
                (("slices", index), f'slices: "{unknown[0]}" is no dimension it can be sliced by; left out')
            )
        else:
            yield names


def _drop_wrong(made: Governance) -> None:
    """What is of the wrong kind is left out, and said."""
    for _ in range(2):
        try:
            MetricFile.model_validate(made.keys)
            return
        except ValidationError as error:
            for item in error.errors():
                message = item["msg"].removeprefix("Value error, ")
                wrong = [str(item["loc"][0])] if item["loc"] else ["target", "bounds", "change", "anomaly", "watch"]
                for key in wrong:
                    if made.keys.pop(key, None) is not None:
                        made.notes.append(((key,), f"config.meta.{key} is left out: {message}"))
                    made.keys |= {key: DEFAULTS[key]} if key in DEFAULTS else {}
