"""What a refresh did, in lines; two refreshes as one."""

from __future__ import annotations

from dataclasses import replace

from orchestration.summary import HeldLine, SourceLine, Summary, footer, together

FIRST = Summary(
    run_id="a",
    sources=(SourceLine("events", True, 0, 0, 0, ()), SourceLine("sales", True, 9, 1, 2, ())),
    models_built=5,
    checks=12,
    checks_warned=1,
    metrics_published=2,
    metrics=4,
    values=100,
    version=0,
    closed_through="2024-03-01",
    waiting={},
    seconds={"sources": 1.0, "dbt": 2.0},
    published=("net_sales", "receipts"),
    no_data=("reads", "approval_hours"),
)
SECOND = replace(
    FIRST,
    run_id="b",
    sources=(SourceLine("events", True, 7, 0, 0, ()),),
    models_built=2,
    metrics_published=1,
    values=3,
    version=1,
    seconds={"dbt": 0.5, "metrics": 0.25},
    published=("reads",),
    no_data=("approval_hours",),
)


def test_metrics_without_data_are_named_not_missing() -> None:
    lines = footer(FIRST)
    assert "metrics published  2 of 4 (100 values)" in lines
    assert "no data yet        reads, approval_hours" in lines
    assert not any("no data" in line for line in footer(replace(FIRST, no_data=())))


def test_two_refreshes_as_one() -> None:
    whole = together(FIRST, SECOND)
    assert [(line.source, line.rows) for line in whole.sources] == [("events", 7), ("sales", 9)]
    assert (whole.metrics_published, whole.values, whole.models_built, whole.version) == (3, 103, 7, 1)
    assert (whole.no_data, whole.checks) == (("approval_hours",), 12)
    assert whole.seconds == {"sources": 1.0, "dbt": 2.5, "metrics": 0.25}
    idle = replace(SECOND, sources=(SourceLine("sales", False, 0, 0, 0, ()),), version=None, published=(), no_data=())
    assert together(FIRST, idle).sources == FIRST.sources
    assert (together(FIRST, idle).version, together(FIRST, idle).metrics_published) == (0, 2)
    held = HeldLine("net_sales", ("why",), "CR-1")
    assert together(replace(FIRST, held=(held,)), replace(SECOND, held=(held,))).held == (held,)
