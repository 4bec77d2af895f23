from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from deltalake import DeltaTable

from metrics_catalog.engine.query import Filter
from metrics_catalog.published.errors import NotPublished, UnknownDimension
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published

DAY = date(2024, 1, 1)


def test_nothing_published_yet(tmp_path):
    reader = Published(tmp_path / "none")
    assert reader.versions() == []
    for as_of in (None, 3, date(2024, 1, 1)):
        with pytest.raises(NotPublished, match="nothing has been published"):
            reader.at(as_of)
    assert not (tmp_path / "none").exists()


def test_versions_as_of_number_time_and_day(tmp_path, publish):
    reader = Published(tmp_path / "published")  # publish n is at 06:00 on the (n+1)th of January 2025
    results = [publish(number, {"a": number}) for number in (1, 2, 4)]
    assert [version.number for version in reader.versions()] == [result.version for result in results]
    assert reader.versions()[0].info == results[0].info

    def seen(as_of):
        return reader.at(as_of).info.run_id

    assert seen(None) == "run-4"
    assert seen(results[1].version) == "run-2"
    assert seen(date(2025, 1, 2)) == "run-1"
    assert seen(date(2025, 1, 4)) == "run-2"
    assert seen(datetime(2025, 1, 3, 5, 59)) == "run-1"
    assert seen(datetime(2025, 1, 3, 6, tzinfo=UTC)) == "run-2"
    assert seen(datetime(2025, 1, 3, 13, 59, tzinfo=timezone(timedelta(hours=8)))) == "run-1"
    with pytest.raises(
        NotPublished, match="nothing had been published by 2025-01-01; the first publish was at 2025-01-02"
    ):
        reader.at(date(2025, 1, 1))
    with pytest.raises(NotPublished, match="version 0 is not a publish"):
        reader.at(0)


def test_a_reader_notices_new_publishes_and_keeps_snapshots(tmp_path, publish):
    reader = Published(tmp_path / "published")
    publish(1, {"a": 1})
    first = reader.at()
    assert reader.at() is first
    publish(2, {"a": 2})
    assert reader.at() is not first
    assert reader.at(first.version) is first
    assert [int(value) for value in first.values(["sales"], "day")["value"].to_pylist()] == [1]


def test_a_clock_set_back_hides_no_publish_made_before_it(tmp_path, publish):
    publish(5, {"a": 5})
    publish(2, {"a": 2})
    reader = Published(tmp_path / "published")
    assert reader.at().info.run_id == "run-2"
    assert reader.at(date(2025, 1, 4)).info.run_id == "run-2"


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ([], ["", "上海", "北京", None]),
        ([("=", ("北京",))], ["北京"]),
        ([("=", ("",))], [""]),
        ([("in", ("北京", "上海", "没有"))], ["上海", "北京"]),
        ([("in", ("北京", None))], ["北京", None]),
        ([("!=", ("北京",))], ["", "上海", None]),
        ([("not in", (None, ""))], ["上海", "北京"]),
        ([("not in", ("北京",)), ("in", ("北京", "上海"))], ["上海"]),
        ([("in", ())], []),
    ],
)
def test_filters(tmp_path, kit, filters, kept):
    members = ["北京", "上海", None, ""]
    rows = kit.rows([("sales", DAY, {"城市": name}, 1) for name in members])
    Publisher(tmp_path).publish(kit.info(), [rows], [kit.days("sales", DAY, date(2024, 2, 1))])
    asked = [Filter("城市", op, values) for op, values in filters]
    found = Published(tmp_path).at().values(["sales"], "day", ["城市"], asked)
    assert found["城市"].to_pylist() == kept


def test_a_filter_off_the_slice_is_refused(tmp_path, publish):
    publish(1, {"a": 1})
    with pytest.raises(UnknownDimension, match=r'"city".*the total'):
        Published(tmp_path / "published").at().values(["sales"], "day", [], [Filter("city", "=", ("x",))])


def test_ranges_metrics_and_grains(tmp_path, kit):
    days = [DAY + timedelta(days=n) for n in range(10)]
    rows = [kit.rows([(metric, day, {}, 1) for metric in ("b", "a") for day in days])]
    rows.append(kit.rows([("a", DAY, {}, 10)], grain="month"))
    scopes = [kit.days(m, DAY, date(2024, 2, 1), grain) for m in ("a", "b") for grain in ("day", "month")]
    Publisher(tmp_path).publish(kit.info(), rows, scopes)
    snapshot = Published(tmp_path).at()
    found = snapshot.values(["b", "a", "none"], "day", start=days[2], end=days[4])
    assert list(zip(found["metric"].to_pylist(), found["period"].to_pylist(), strict=True)) == [
        ("a", days[2]),
        ("a", days[3]),
        ("b", days[2]),
        ("b", days[3]),
    ]
    assert snapshot.values(["a"], "month")["value"].to_pylist() == [10]
    assert (snapshot.first("day"), snapshot.first("year")) == (DAY, None)
    empty = snapshot.values(["a"], "year", ["store"])
    assert (empty.num_rows, empty.schema.names[:3]) == (0, ["metric", "period", "store"])
    assert empty.schema.field("value").type == found.schema.field("value").type


def test_a_large_table_reads_the_same_through_its_row_groups(tmp_path, kit):
    """Several row groups a file, groups shared by two metrics and two slices, found through order and statistics."""
    days = [DAY + timedelta(days=n) for n in range(40)]
    values = [(f"m{m}", day, {"店": f"店{s:03}"}, m * 1000 + s) for m in range(5) for s in range(97) for day in days]
    values += [(f"m{m}", day, {"品": f"{p}"}, p) for m in range(5) for p in range(3) for day in days]
    values += [(f"m{m}", day, {}, m) for m in range(5) for day in days]
    scopes = [kit.days(f"m{m}", DAY, date(2024, 3, 1)) for m in range(5)]
    Publisher(tmp_path).publish(kit.info(), [kit.rows(values)], scopes)
    snapshot = Published(tmp_path).at()
    for metric in range(5):
        for store in range(97):
            asked = [Filter("店", "=", (f"店{store:03}",))]
            found = snapshot.values([f"m{metric}"], "day", ["店"], asked, days[5], days[15])
            assert found["period"].to_pylist() == days[5:15]
            assert {int(value) for value in found["value"].to_pylist()} == {metric * 1000 + store}
        assert snapshot.values([f"m{metric}"], "day").num_rows == 40
        assert snapshot.values([f"m{metric}"], "day", ["品"]).num_rows == 120
    assert snapshot.values([f"m{m}" for m in range(5)], "day", ["店"]).num_rows == 5 * 97 * 40


def test_readers_in_threads_never_see_half_a_publish(tmp_path, publish):
    publish(1, {f"s{n}": 1 for n in range(50)})
    root, stop, seen, torn = tmp_path / "published", threading.Event(), set(), []

    def read():
        reader = Published(root)
        while not stop.is_set():
            rows = reader.at().values(["sales"], "day", ["store"])
            if len(set(rows["value"].to_pylist())) != 1 or rows.num_rows != 50:
                torn.append(rows)
            seen.add(int(rows["value"][0].as_py()))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 17):
        publish(number, {f"s{n}": number for n in range(50)})
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert len(seen) > 3


_PROCESS = """
import sys
from pathlib import Path
from metrics_catalog.published.reader import Published
root, count = Path(sys.argv[1]), 0
while not (root / "stop").exists():
    rows = Published(root).at().values(["sales"], "day", ["store"])
    assert len(set(rows["value"].to_pylist())) == 1 and rows.num_rows == 50, rows
    count += 1
print(count, "pandas" in sys.modules, "duckdb" in sys.modules)
"""


def test_another_process_reads_whole_publishes_only_and_imports_little(tmp_path, publish):
    publish(1, {f"s{n}": 1 for n in range(50)})
    root = tmp_path / "published"
    with subprocess.Popen([sys.executable, "-c", _PROCESS, str(root)], stdout=subprocess.PIPE, text=True) as process:
        for number in range(2, 17):
            publish(number, {f"s{n}": number for n in range(50)})
        (root / "stop").touch()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    count, pandas, duckdb = out.split()
    assert int(count) > 3
    assert (pandas, duckdb) == ("False", "False")


def test_history_stays_readable_after_checkpoints_and_a_users_vacuum(tmp_path, publish):
    results = [publish(number, {"a": number}) for number in range(1, 26)]
    root = tmp_path / "published"
    assert list((root / "values" / "_delta_log").glob("*.checkpoint.parquet"))
    DeltaTable(root / "values").vacuum(dry_run=False)
    reader = Published(root)
    assert [version.number for version in reader.versions()] == [result.version for result in results]
    for number, result in enumerate(results, 1):
        assert int(reader.at(result.version).values(["sales"], "day")["value"][0].as_py()) == number
