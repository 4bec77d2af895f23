"""Cost of judging one source with Great Expectations, against one hand-written query that counts the same bad rows.

Fourteen expectations, of which four find bad rows (0.7 % of all); clean() also sorts those into quarantine.

``python tests/benchmarks/bench_expectations.py [--rows N]``. CPU seconds of all threads; what counts is the ratio, taken
in one process. Targets at 10 million rows: ratio at most 1.8, peak memory under 2.5 GB. Importing the library is paid
once per process, whatever the rows, and is printed by itself.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from expectations.clean import CleanResult, clean
from expectations.suite import ExpectationSpec, Suite

TARGET_RATIO, TARGET_GB = 1.8, 2.5
REPEATS = 3
GIB = 1024**2  # ru_maxrss is in KiB

BUILD = """
CREATE SCHEMA source; CREATE SCHEMA ingest;
CREATE TABLE ingest.loads (load_id BIGINT, source VARCHAR);
CREATE TABLE ingest.bookmarks (
    stage VARCHAR, source VARCHAR, load_id BIGINT, fingerprint VARCHAR, PRIMARY KEY (stage, source)
);
INSERT INTO ingest.loads VALUES (1, 'lines'), (1, 'products');
CREATE TABLE source.products AS
    SELECT i AS product_id, i AS _row_id, 'products.csv' AS _source_file, 1::BIGINT AS _load_id FROM range(1, 92001) t(i);
CREATE TABLE source.lines AS SELECT
    i // 5 AS basket_id,
    1 + hash(i) % 92100 AS product_id,
    1 + hash(i + 1) % 2469 AS household_id,
    (hash(i + 2) % 400)::INTEGER AS quantity,
    ((hash(i + 3) % 100000) / 100)::DECIMAL(12, 2) AS sales_value,
    CASE WHEN hash(i + 4) % 500 <> 0 THEN (hash(i + 3) % 100000 / 1000)::DECIMAL(12, 2) END AS discount,
    DATE '2017-01-01' + (hash(i + 5) % 365)::INTEGER AS day,
    ['门店', '网店', 'phone', '未知'][1 + (hash(i + 6) % 1003)::INTEGER // 334] AS channel,
    'S' || (hash(i + 7) % 457) AS store,
    i AS _row_id, 'lines.csv' AS _source_file, 1::BIGINT AS _load_id
FROM range({rows}) t(i);
"""
HAND = """
SELECT count(*),
    count(*) FILTER (quantity < 1), count(*) FILTER (quantity IS NULL),
    count(*) FILTER (sales_value < 0 OR sales_value > 999.99), count(*) FILTER (sales_value IS NULL),
    count(*) FILTER (discount IS NULL), count(*) FILTER (discount > sales_value),
    count(*) FILTER (day < DATE '2017-01-01' OR day > DATE '2017-12-31'),
    count(*) FILTER (channel NOT IN ('门店', '网店', 'phone')),
    count(*) FILTER (NOT regexp_matches(store, '^S[0-9]{1,3}$')),
    count(*) FILTER (household_id NOT BETWEEN 1 AND 2469 AND channel = '门店'),
    count(*) FILTER (length(store) NOT BETWEEN 2 AND 4),
    count(*) FILTER (product_id NOT IN (SELECT product_id FROM source.products)),
    avg(sales_value)
FROM source.lines
"""


def _spec(name: str, kind: str, **kwargs: object) -> ExpectationSpec:
    return ExpectationSpec(name=name, type=kind, kwargs=kwargs)


SUITE = Suite(
    "lines",
    0.05,
    (
        _spec("rows", "expect_table_row_count_to_be_between", min_value=1),
        _spec("quantity_positive", "expect_column_values_to_be_between", column="quantity", min_value=1),
        _spec("quantity_known", "expect_column_values_to_not_be_null", column="quantity"),
        _spec("value_range", "expect_column_values_to_be_between", column="sales_value", min_value=0, max_value=999.99),
        _spec("value_known", "expect_column_values_to_not_be_null", column="sales_value"),
        _spec("discount_known", "expect_column_values_to_not_be_null", column="discount"),
        _spec(
            "discount_below_value",
            "expect_column_pair_values_a_to_be_greater_than_b",
            column_A="sales_value",
            column_B="discount",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
        ),
        _spec(
            "day_in_year",
            "expect_column_values_to_be_between",
            column="day",
            min_value="2017-01-01",
            max_value="2017-12-31",
        ),
        _spec(
            "channel_known",
            "expect_column_values_to_be_in_set",
            column="channel",
            value_set=["门店", "网店", "phone"],
        ),
        _spec("store_shape", "expect_column_values_to_match_regex", column="store", regex="^S[0-9]{1,3}$"),
        _spec(
            "household_in_store",
            "expect_column_values_to_be_between",
            column="household_id",
            min_value=1,
            max_value=2469,
            row_condition='col("channel") == "门店"',
        ),
        _spec("store_length", "expect_column_value_lengths_to_be_between", column="store", min_value=2, max_value=4),
        _spec("product_exists", "references", column="product_id", source="products", field="product_id"),
        _spec("mean_value", "expect_column_mean_to_be_between", column="sales_value", min_value=1),
    ),
)


def main() -> None:
    """Print the figures; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--built", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.built:
        sys.exit(_measure(arguments.built))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with duckdb.connect(str(path)) as con:
            con.execute(BUILD.replace("{rows}", str(arguments.rows)))
        # A process of its own: building the table must not count in peak memory.
        sys.exit(subprocess.run([sys.executable, __file__, "--built", str(path)], check=False).returncode)


def _measure(path: Path) -> int:
    imported = _cpu(lambda: __import__("expectations.gx.judge"))
    plain = "import time, great_expectations; print(time.process_time())"
    stock = float(subprocess.run([sys.executable, "-c", plain], check=True, capture_output=True, text=True).stdout)
    with duckdb.connect(str(path), config={"memory_limit": "1GB"}) as con:
        hand = min(_cpu(lambda: con.execute(HAND).fetchall()) for _ in range(REPEATS))
        judged = min(_cpu(lambda: _judge(con)) for _ in range(REPEATS))
        result = _judge(con)
        rows = result.batch_rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    ratio = judged / hand
    print(f"rows                      {rows:>12,}  quarantined {result.quarantined_rows:,} ({result.share:.2%})")
    print(f"hand-written counts       {hand:>12.2f}  CPU s")
    print(f"clean(): count + sort out {judged:>12.2f}  CPU s")
    print(f"ratio                     {ratio:>12.2f}  target {TARGET_RATIO}")
    print(f"peak memory               {peak:>12.2f}  GB, target {TARGET_GB}")
    print(f"import, stock and here    {stock:>12.2f}  {imported:.2f} CPU s")
    return 0 if ratio <= TARGET_RATIO and peak <= TARGET_GB else 1


def _judge(con: duckdb.DuckDBPyConnection) -> CleanResult:
    con.execute("DELETE FROM ingest.bookmarks; DROP SCHEMA IF EXISTS quarantine CASCADE")
    return clean(con, SUITE, "benchmark", datetime.now(UTC))


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
