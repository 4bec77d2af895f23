"""Cases of one evaluation -> what becomes of incidents: opened, grown, worse, recovered. One transaction."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.catalog import Catalog
from metrics_catalog.message import Letter, Message, Paragraph
from metrics_catalog.monitoring.alert_message import Besides, Look, bodies, nothing, text
from metrics_catalog.monitoring.belonging import Lasting, goes_on
from metrics_catalog.monitoring.book import Book, added
from metrics_catalog.monitoring.finding import Finding, RuleName, Series
from metrics_catalog.monitoring.incident import LASTING, Incident, read, written
from metrics_catalog.monitoring.routing import Recipient, answering, recipients
from metrics_catalog.monitoring.trouble import Member, Trouble
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import evaluations, incidents
from metrics_catalog.ops.times import stamp
from metrics_catalog.spec.alerting import CAUSES

if TYPE_CHECKING:
    from sqlalchemy import Engine

LOOKED = 5  # new troubles at once whose slices are searched: a second or two each, the worst first


@dataclass(frozen=True)
class Evaluated:
    """An evaluation as it is kept: of which publish, up to which day, how much it judged and found.

    ``too_little``: series with too little data to look for anomalies in.
    """

    version: int
    closed_through: date
    judged: int = 0
    findings: int = 0
    too_little: int = 0


@dataclass(frozen=True)
class Observed:
    """What one evaluation saw. ``fine``: rules and series judged in order on their newest period.

    ``standing``: keys of the pipeline's troubles as of now, which last as long as they are here; None: not looked at.
    ``evaluated``: what is kept of the evaluation, None: values were not judged.
    """

    troubles: Sequence[Trouble] = ()
    fine: Container[tuple[Series, RuleName]] = frozenset()
    standing: frozenset[str] | None = None
    evaluated: Evaluated | None = None


@dataclass
class Synced:
    """What became of incidents. ``silenced``: findings of what people resolved and what still goes on."""

    opened: list[Incident] = field(default_factory=list)
    changed: list[Incident] = field(default_factory=list)
    recovered: list[Incident] = field(default_factory=list)
    silenced: int = 0


def sync(store: Engine, catalog: Catalog, observed: Observed, now: datetime, look: Look = nothing) -> Synced:
    """Bring incidents in line with what was seen. Doing it twice is doing it once. Raises `OpsUnavailable`."""
    if not observed.troubles and observed.evaluated is None and _nothing_kept(store):
        return Synced()
    besides = _looked(store, observed.troubles, look)
    with writing(store, incidents) as con:
        done = _Follow(Book(con, catalog.policy, now), catalog, observed, besides).run()
        if (one := observed.evaluated) is not None:
            row = {"at": stamp(now), "version": one.version}
            counts = json.dumps({name: getattr(one, name) for name in ("judged", "findings", "too_little")})
            con.execute(sa.insert(evaluations).values(**row, closed_through=str(one.closed_through), data=counts))
    return done


def last_evaluated(store: Engine) -> Evaluated | None:
    """The newest evaluation. Raises `OpsUnavailable`."""
    with reading(store) as con:
        row = con.execute(sa.select(evaluations).order_by(evaluations.c.seq.desc()).limit(1)).first()
    if row is None:
        return None
    return Evaluated(row.version, date.fromisoformat(row.closed_through), **json.loads(row.data))


def _nothing_kept(store: Engine) -> bool:
    """Whether nothing lasts and nothing is silent, so that nothing can change."""
    with reading(store) as con:
        found = sa.select(incidents.c.number).where(incidents.c.state != "recovered").limit(1)
        return con.execute(found).first() is None


def _looked(store: Engine, troubles: Sequence[Trouble], look: Look) -> dict[str, Besides]:
    """What stands beside troubles that are new, asked outside the transaction: it may take seconds."""
    if not troubles or look is nothing:
        return {}
    with reading(store) as con:
        lasting = [read(row) for row in con.execute(sa.select(incidents).where(incidents.c.state.in_(LASTING)))]
    known, held = Lasting(lasting), {member for one in lasting for member in one.series}
    new = [trouble for trouble in troubles if trouble.members - held or not known.of(trouble).shares]
    return {trouble.key: look(trouble) for trouble in sorted(new, key=lambda one: one.severity)[:LOOKED]}


@dataclass
class _Follow:
    book: Book
    catalog: Catalog
    observed: Observed
    besides: Mapping[str, Besides]
    done: Synced = field(default_factory=Synced)

    def run(self) -> Synced:
        muted = self._muted()
        lasting = Lasting(self.book.lasting())
        seen = dict(lasting.by_number)
        new: list[Trouble] = []
        for trouble in self.observed.troubles:
            trouble = self._heard(trouble, muted)
            if trouble is None:
                continue
            place = lasting.of(trouble)
            for number, findings in place.shares.items():
                seen[number] = self._grow(seen[number], trouble, findings, trouble.key not in lasting.by_key)
            for number, members in place.left.items():
                seen[number] = self._lose(seen[number], members)
            if place.own or not place.shares:
                new.append(replace(trouble, findings=place.own))
        for one in seen.values():
            self._recover(one)
        self._open(new)
        return self.done

    def _muted(self) -> list[Incident]:
        """What people resolved, with what goes on of it ever since, at the level it had then."""
        muted: list[Incident] = []
        since = self.book.now - timedelta(days=self.catalog.policy.alerts.mute_days)
        for one in self.book.resolved_since(since):
            left = {member: level for member, level in one.series.items() if member not in self.observed.fine}
            stands = one.data.get("standing", False)
            if self.observed.standing is not None and one.key not in self.observed.standing:
                stands = False
            if left != one.series or stands != one.data.get("standing", False):
                one = self.book.keep(replace(one, data={**one.data, "series": written(left), "standing": stands}))
            muted.append(one)
        return muted

    def _heard(self, trouble: Trouble, muted: Sequence[Incident]) -> Trouble | None:
        """The trouble without what is silent; what got worse, or has a cause of its own now, is heard again."""
        same = [one for one in muted if goes_on(one, trouble)]
        silent = {member: level for one in same for member, level in one.series.items()}
        heard = [one for one in trouble.findings if not _is_silent(one, silent)]
        self.done.silenced += len(trouble.findings) - len(heard)
        stands = any(one.key == trouble.key and one.data.get("standing") for one in same)
        if heard or (self._stands(trouble) and not stands):
            return replace(trouble, findings=tuple(heard))
        return None

    def _stands(self, trouble: Trouble) -> bool:
        return self.observed.standing is not None and trouble.key in self.observed.standing

    def _grow(self, one: Incident, trouble: Trouble, findings: Sequence[Finding], free: bool) -> Incident:
        """An incident that goes on: with more in it, worse, or better explained: it is the trouble's then, key and all.

        ``free``: no other incident has that key.
        """
        trouble = replace(trouble, findings=tuple(findings))
        series = {**one.series, **_levels(findings)}
        severity = min(one.severity, trouble.severity)
        explained = CAUSES.index(trouble.explained.cause) < CAUSES.index(one.cause)  # pyright: ignore[reportArgumentType]
        key = trouble.key if explained and free else one.key
        stands = self._stands(trouble) and key == trouble.key
        retold = stands and not one.series and dict(trouble.text) != one.data.get("said")
        grown = not set(series) <= set(one.series)
        if not (grown or explained or retold or severity < one.severity or series != one.series):
            return one
        data: dict[str, Any] = {**one.data, "series": written(series)}
        data["metrics"] = list(dict.fromkeys((*one.metrics, *trouble.metrics)))
        data["recipients"] = added(one.recipients, recipients(self.catalog, trouble))
        data["standing"] = one.data.get("standing", False) or stands
        if explained or retold:
            data |= _told(self.catalog, trouble, self.besides.get(trouble.key, Besides()))
        made = replace(one, key=key, severity=severity, data=data)
        worse = severity < one.severity or explained
        said = _grown(made, self.catalog, trouble) if worse and not one.is_snoozed(self.book.now) else None
        made = self.book.save(made, "changed", said=said, severity=severity, series=len(series))
        self.done.changed.append(made)
        return made

    def _lose(self, one: Incident, members: frozenset[Member]) -> Incident:
        """An incident without what is of another now."""
        left = {member: level for member, level in one.series.items() if member not in members}
        return self.book.keep(replace(one, data={**one.data, "series": written(left)}))

    def _recover(self, one: Incident) -> None:
        """Over when nothing of it is broken any more; what is no longer watched cannot recover otherwise."""
        if one.data.get("fault"):
            return
        watched = self.catalog.metrics
        left = {
            m: level for m, level in one.series.items() if m not in self.observed.fine and m.series.metric in watched
        }
        stands = one.data.get("standing", False)
        if stands and self.observed.standing is not None:
            stands = one.key in self.observed.standing
        if left or stands:
            if left != one.series:
                self.book.keep(replace(one, data={**one.data, "series": written(left), "standing": stands}))
            return
        over = replace(one, state="recovered", closed_at=self.book.now)
        said = {"en": f"{one.name} recovered by itself.", "zh": f"{one.name} 已自行恢复。"}
        self.done.recovered.append(self.book.save(over, "recovered", said=said))

    def _open(self, new: Sequence[Trouble]) -> None:
        ordered = sorted(new, key=lambda trouble: (trouble.severity, trouble.key))
        most = self.catalog.policy.alerts.at_most
        crowd: list[Incident] = []
        for number, trouble in enumerate(ordered):
            told = len(ordered) <= most or number < most - 1
            made = opened(
                self.catalog, trouble, self.book.now, self.besides.get(trouble.key, Besides()), self._stands(trouble)
            )
            made = made if told else replace(made, data={**made.data, "untold": True})
            made = self.book.open(made)
            self.done.opened.append(made)
            if not told:
                crowd.append(made)
        if crowd:
            self.book.put(list(_digest(crowd)), min(one.severity for one in crowd))


def opened(catalog: Catalog, trouble: Trouble, now: datetime, besides: Besides, stands: bool) -> Incident:
    """The incident a trouble opens; it has no number yet."""
    leading = trouble.leading
    data: dict[str, Any] = {
        "rule": None if leading is None else leading.rule,
        "grain": None if leading is None else leading.series.grain,
        "members": [] if leading is None else [list(pair) for pair in leading.series.members],
        "period": None if leading is None else leading.period.isoformat(),
        "series": written(_levels(trouble.findings)),
        "metrics": list(trouble.metrics),
        "standing": stands,
        "recipients": [vars(one) for one in recipients(catalog, trouble)],
        "behind": list(answering(catalog, trouble)),
        "asked": 1,
        **_told(catalog, trouble, besides),
    }
    metric = trouble.metrics[0] if trouble.metrics else None
    return Incident(0, trouble.key, "open", trouble.severity, metric, None, now, now, None, data)


def _told(catalog: Catalog, trouble: Trouble, besides: Besides) -> dict[str, Any]:
    return {
        "cause": trouble.explained.cause,
        "subjects": list(trouble.explained.subjects),
        "said": dict(trouble.text),
        "text": text(catalog, trouble, besides),
        "messages": bodies(catalog, trouble, besides),
    }


def _levels(findings: Iterable[Finding]) -> dict[Member, str]:
    found: dict[Member, str] = {}
    for one in findings:
        member = Member.of(one)
        found[member] = "critical" if "critical" in (one.level, found.get(member)) else "warn"
    return found


def _is_silent(one: Finding, silent: Mapping[Member, str]) -> bool:
    was = silent.get(Member.of(one))
    return was == "critical" or was == one.level


def _grown(incident: Incident, catalog: Catalog, trouble: Trouble) -> dict[str, str]:
    lines = text(catalog, trouble, Besides())
    return {
        "en": f"{incident.name}, now severity {incident.severity}: {lines['en']}",
        "zh": f"{incident.name} 升为 {incident.severity} 级：{lines['zh']}",
    }


def _digest(crowd: Sequence[Incident]) -> Iterable[Letter]:
    """One letter to each recipient for many incidents at once."""
    by_recipient: dict[Recipient, list[Incident]] = {}
    for incident in crowd:
        for one in incident.recipients:
            by_recipient.setdefault(one, []).append(incident)
    for one, some in by_recipient.items():
        chinese, count = one.language == "zh", len(some)
        title = f"另有 {count} 条预警（metrics alerts）" if chinese else f"{count} more alerts (metrics alerts)"
        lines = tuple(Paragraph(f"{each.name} · {each.text(one.language)}") for each in some)
        message = Message(title, lines, one.language, severity=min(each.severity for each in some))
        yield Letter(f"incidents/{some[0].number}-{some[-1].number}/{one.key}", one.channel, one.address, message)
