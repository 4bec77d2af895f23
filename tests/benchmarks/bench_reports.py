"""Cost of reports: 8 metrics x 5 sections for 457 stores as pages, then one page, one PDF, one picture.

Eight metrics of the demo's catalog with made values of 80 weeks, published as they always are; one copy for each store.
``python tests/benchmarks/bench_reports.py``. Targets: all pages within 60 CPU s, one page 1.5 s, a PDF 5 s once warm,
below 1 GB. Every time is of reading, composing and rendering; publishing the values is not part of it.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from metrics_catalog.located import check, parsed
from metrics_catalog.project import Project
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting.compose import compose
from metrics_catalog.reporting.copy import Copy, Issue
from metrics_catalog.reporting.html import page
from metrics_catalog.reporting.letters import picture
from metrics_catalog.reporting.making import Source, make
from metrics_catalog.reporting.pdf import document
from metrics_catalog.spec.report import Report

T = TypeVar("T")
STORES, WEEKS = 457, 80
LAST = date(2017, 12, 25)
METRICS = (
    "net_sales", "receipts", "average_receipt", "active_households", "repurchase_rate", "private_label_share",
    "discount_rate", "promoted_sales_share",
)  # fmt: skip
REPORT = f"""
label: {{en: Store weekly, zh: 门店周报}}
owner: finance
audience: {{per: store}}
sections:
  - {{type: headline, metrics: [{", ".join(METRICS)}]}}
  - {{type: trend, metrics: [{", ".join(METRICS)}], periods: 26}}
  - {{type: ranking, metric: net_sales, by: store}}
  - {{type: ranking, metric: average_receipt, by: store}}
  - {{type: text, text: {{en: "{{period}}: {{net_sales}}", zh: "{{period}}净销售额{{net_sales}}"}}}}
"""
ROWS = f"""
with facts as (
    select unnest($metrics) as metric, date '{LAST}' - 7 * w::int as period, s::varchar as store,
        (0.2 + (hash(metric, s, w) % 1000) / 2000) as share
    from range({WEEKS}) a(w), range({STORES}) b(s)
),
cut as (
    select metric, period, 'store' as slice, store, share from facts
    union all select metric, period, '', null, avg(share) from facts group by metric, period
)
select metric, 'week' as grain, period, slice, store,
    (case when metric like '%rate' or metric like '%share' then share else share * 10000 end)::decimal(28, 6) as value,
    null::decimal(28, 6) as numerator, null::decimal(28, 6) as denominator, md5(metric)[:16] as definition
from cut
"""


def timed(name: str, work: Callable[[], T]) -> T:
    """Run it, say what it took."""
    cpu, began = time.process_time(), time.perf_counter()
    result = work()
    spent, wall = time.process_time() - cpu, time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<42} {spent:7.2f} CPU s  {wall:6.2f} s  peak so far {peak:5.0f} MB", flush=True)
    return result


def source(folder: Path) -> Source:
    """The demo's definitions over made values."""
    from orchestration.settings import read_settings
    from orchestration.transform.runner import ensure_parsed

    root = Path(__file__).parents[2]
    ensure_parsed(read_settings({}, project=root).locate())
    project = Project.at(root, state=folder)
    rows = duckdb.connect().sql(ROWS, params={"metrics": list(METRICS)}).to_arrow_reader(100_000)
    info = PublishInfo("bench", datetime(2018, 1, 1, tzinfo=UTC), date(2017, 12, 31))
    scopes = [Scope(metric, "week", date(2016, 1, 1), date(2018, 1, 1)) for metric in METRICS]
    Publisher(project.published).publish(info, [rows], scopes, AuditRules())
    return Source.of(project)


def main() -> None:
    """Print the figures."""
    document_ = parsed(REPORT, "bench.yml")
    report = ReportFile("bench", check(document_, Report), document_)
    with tempfile.TemporaryDirectory() as folder:
        made_from = source(Path(folder))

        def issue() -> Issue:
            return make(made_from, report, datetime(2018, 1, 1, 8, tzinfo=UTC))

        def copy(of: Issue, store: int) -> dict:
            return compose(Copy(of, f"store={store}", "zh", (("store", str(store)),))).as_json()

        timed("one page of the total, from nothing", lambda: page(compose(Copy(issue(), "all", "zh")).as_json()))
        timed("the same, once warm", lambda: page(compose(Copy(issue(), "all", "zh")).as_json()))

        def pages() -> int:
            of = issue()
            return sum(len(page(copy(of, store))) for store in range(STORES))

        size = timed(f"{STORES} pages", pages)
        print(f"{'bytes a page':<42} {size // STORES:7,}")
        body = copy(issue(), 7)
        timed("one PDF, the first", lambda: document(body))
        timed("one PDF", lambda: document(body))
        timed("one picture, the first", lambda: picture(body))
        timed("one picture", lambda: picture(body))


if __name__ == "__main__":
    main()
