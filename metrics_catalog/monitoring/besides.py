"""What stands beside a new trouble: the slices that explain a move, a picture, what was done last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from metrics_catalog.catalog import Catalog
from metrics_catalog.message import Grid, Picture
from metrics_catalog.monitoring.alert_message import Besides, Look
from metrics_catalog.monitoring.finding import Finding
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.own_grains import names
from metrics_catalog.wording import change, members, number

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.monitoring.drivers import Driver, Drivers
    from metrics_catalog.published.reader import Published

T = TypeVar("T")
LANGUAGES = ("en", "zh")
PERIODS = 60  # on the picture
KEPT = 500  # pictures, newest: a chat shows its own copy of what was sent long ago
# Of a move: less than a third explains it to nobody, and far more than all of it was undone by others.
_LEAST, _MOST = 0.3, 1.5
_ALIKE = 1.2  # times the whole's relative move: a slice that moved less than that moved as everything did


def looker(catalog: Catalog, store: Engine, published: Published, folder: Path) -> Look:
    """Asks for each trouble once; pictures go to ``folder``/pictures, ``folder`` being the project's state.

    What cannot be had is left out: the alert counts.
    Drivers are asked for real moves only: of any other cause the first line says why.
    """
    return lambda trouble: _Asked(catalog, store, published, folder).beside(trouble)


@dataclass(frozen=True)
class _Asked:
    catalog: Catalog
    store: Engine
    published: Published
    folder: Path

    def beside(self, trouble: Trouble) -> Besides:
        leading = trouble.leading
        if leading is None or leading.value is None:
            return Besides(similar=_or_nothing(lambda: self._similar(trouble), {}))
        drivers = _or_nothing(lambda: self._drivers(trouble, leading), None)
        return Besides(
            mover=_mover(drivers) if drivers is not None else {},
            drivers=self._grids(drivers) if drivers is not None else {},
            picture=_or_nothing(lambda: self._picture(leading), {}),
            similar=_or_nothing(lambda: self._similar(trouble), {}),
        )

    def _drivers(self, trouble: Trouble, leading: Finding) -> Drivers | None:
        if trouble.explained.cause != "move":
            return None
        from metrics_catalog.monitoring.drivers import explain

        found = explain(self.catalog, self.published.at(), leading.series, leading.period)
        return found if _same_way(found, leading) else None

    def _grids(self, found: Drivers) -> Mapping[str, Grid]:
        unit = self.catalog.metrics[found.series.metric].spec.unit
        own = found.series.members
        rows = {
            language: tuple(
                (
                    members([pair for pair in one.members if pair not in own], language),
                    number(one.before, unit, language, short=True),
                    number(one.after, unit, language, short=True),
                    change(one.after, one.before, unit, language),
                    f"{one.explains:.0%}",
                )
                for one in found.drivers
            )
            for language in LANGUAGES
        }
        heads = {
            "en": ("Slice", "Before", "Now", "Change", "Explains"),
            "zh": ("维度", "此前", "现在", "变动", "解释占比"),
        }
        return {
            language: Grid(heads[language], rows[language], (1, 2, 3, 4)) for language in LANGUAGES if rows[language]
        }

    def _picture(self, leading: Finding) -> Mapping[str, Picture]:
        from metrics_catalog.charts import Mark, png, trend
        from metrics_catalog.engine.query import Filter

        series = leading.series
        entry = self.catalog.metrics[series.metric]
        filters = [Filter(name, "=", (member,)) for name, member in series.members]
        rows = self.published.at().values([series.metric], series.grain, series.slice, filters)
        points = [(row["period"], row["value"]) for row in rows.to_pylist() if row["period"] <= leading.period][
            -PERIODS:
        ]
        if len(points) < 3:
            return {}
        own, made = self.catalog.semantics.own_grains.get(series.grain), dict[str, Picture]()
        for language in LANGUAGES:
            title = " · ".join((entry.spec.label.to(language), members(series.members, language)))
            spec = trend(
                points,
                unit=entry.spec.unit,
                grain=series.grain,
                language=language,
                marks=[Mark(leading.period, tone="bad" if leading.bad else "good")],
                names=names(own, (day for day, _ in points)),
                title=title,
            )
            made[language] = Picture(self._kept(png(spec), f"{_file(leading)}.{language}.png"), title)
        return made

    def _kept(self, data: bytes, name: str) -> str:
        folder = self.folder / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        for old in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
        return f"pictures/{name}"

    def _similar(self, trouble: Trouble) -> Mapping[str, tuple[str, ...]]:
        if not trouble.metrics:
            return {}
        from metrics_catalog.decisions.similar import similar

        leading = trouble.leading
        found = similar(
            self.store,
            trouble.metrics[0],
            () if leading is None else leading.series.members,
            trouble.explained.cause,
            "" if leading is None else leading.rule,
        )
        return {language: tuple(one.words(language) for one in found) for language in LANGUAGES} if found else {}


def _same_way(found: Drivers, leading: Finding) -> bool:
    """Whether it moved to the side on which it is off: a target may be missed by a value that rose."""
    if found.move is None or leading.value is None or leading.expected is None:
        return True
    return found.move * (leading.value - leading.expected) > 0


def _mover(found: Drivers) -> Mapping[str, str]:
    """The slice that explains most, when one does; or that all moved alike."""
    own = found.series.members
    if not found.drivers or not _LEAST <= found.drivers[0].explains <= _MOST:
        return {}
    first = found.drivers[0]
    if _alike(found, first):
        return {"en": "no slice stands out", "zh": "各维度变动相近"}
    where = [pair for pair in first.members if pair not in own]
    return {
        "en": f"{members(where, 'en')} explains {first.explains:.0%} of it",
        "zh": f"其中 {members(where, 'zh')} 解释了 {first.explains:.0%}",
    }


def _alike(found: Drivers, first: Driver) -> bool:
    """Whether the first of the slices fell or rose by no larger a share than the whole; never so of a ratio."""
    if first.rate is not None or not first.before or not found.before or first.after is None or not found.move:
        return False
    return (first.after / first.before - 1) / (found.move / found.before) < _ALIKE


def _file(leading: Finding) -> str:
    import hashlib

    digest = hashlib.sha256(repr(leading.series).encode()).hexdigest()[:10]
    return f"{leading.series.metric}-{leading.series.grain}-{leading.period}-{digest}"


def _or_nothing(ask: Callable[[], T], nothing: T) -> T:
    """What is asked; an alert is told without what stands beside it rather than not at all."""
    try:
        return ask()
    except Exception:
        return nothing
