"""Tables of the ops store. A change here comes with a migration under ``migrations/versions``.

Everywhere ``at`` and ``…_at`` are ISO times in UTC, and ``data`` is JSON: what no query asks for has no column.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

metadata = MetaData()

# ``hash``: of this row and of ``previous``, the hash before it.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# What is to be told to one address. ``edition`` grows when the message changes; ``sent_edition`` is what was delivered
# (0: nothing yet). ``parent``: key of the message it belongs under. ``external``: its name at the channel.
# ``doubtful``: 1 while an attempt may have reached the channel without our knowing. ``memory``: what the channel must
# remember from one edition to the next, JSON.
outbox = Table(
    "outbox",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("address", String(400), nullable=False),
    Column("parent", String(200)),
    Column("edition", Integer, nullable=False),
    Column("sent_edition", Integer, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # waiting, claimed, sent, dead, dropped
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(32), nullable=False),
    Column("claimed_by", String(80)),
    Column("claimed_at", String(32)),
    Column("external", String(200)),
    Column("doubtful", Integer, nullable=False),
    Column("memory", Text),
    Column("error", Text),
    Column("created_at", String(32), nullable=False),
    Column("sent_at", String(32)),
    Column("message", Text, nullable=False),
)

# Ways to people that failed: a channel, or ``channel:address`` where each address is a server of its own. ``failures``
# in a row, 0 when it works again. ``until``: nothing is sent before. ``told``: 1 when somebody knows that it is down.
channel_health = Table(
    "channel_health",
    metadata,
    Column("name", String(420), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", String(32), nullable=False),
    Column("until", String(32), nullable=False),
    Column("error", Text, nullable=False),
    Column("told", Integer, nullable=False),
)

# ``key``: what the incident is about, the same while it is open and when it comes again.
incidents = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("key", String(300), nullable=False, index=True),
    Column("state", String(16), nullable=False, index=True),  # open, acknowledged, resolved, recovered
    Column("severity", Integer, nullable=False),  # 1 (worst) to 5
    Column("metric", String(80), index=True),
    Column("assignee", String(80)),
    Column("opened_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("closed_at", String(32)),
    Column("data", Text, nullable=False),
)
incident_events = Table(
    "incident_events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("incident", Integer, nullable=False, index=True),
    Column("at", String(32), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("data", Text, nullable=False),
)

# What was judged when: the publish, and the last day that was over then.
evaluations = Table(
    "evaluations",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("closed_through", String(10), nullable=False),
    Column("data", Text, nullable=False),
)

# ``due``: ISO date on which the expected effect is compared with the actual one.
decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False, index=True),  # open, done, measured, dropped
    Column("metric", String(80), nullable=False, index=True),
    Column("owner", String(80), nullable=False),
    Column("incident", Integer, index=True),
    Column("due", String(10), nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("closed_at", String(32)),
    Column("data", Text, nullable=False),
)
decision_events = Table(
    "decision_events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("decision", Integer, nullable=False, index=True),
    Column("at", String(32), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("data", Text, nullable=False),
)

# Who read a metric, through which face ("query", "report", …).
reads = Table(
    "reads",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String(32), nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("face", String(16), nullable=False),
    Column("metric", String(80), nullable=False, index=True),
    Column("data", Text, nullable=False),
)

# One issue of a report for one audience; ``path``: its folder, relative to the project's state.
report_issues = Table(
    "report_issues",
    metadata,
    Column("key", String(300), primary_key=True),  # report, period, audience
    Column("report", String(80), nullable=False, index=True),
    Column("period", String(10), nullable=False),
    Column("audience", String(160), nullable=False),
    Column("state", String(16), nullable=False),  # waiting, made, failed
    Column("made_at", String(32), nullable=False),
    Column("path", Text),
    Column("data", Text, nullable=False),
)

# How each source came out of a refresh.
source_health = Table(
    "source_health",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("source", String(80), primary_key=True),
    Column("at", String(32), nullable=False, index=True),
    Column("data", Text, nullable=False),
)
