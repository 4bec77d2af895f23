from __future__ import annotations

import shutil
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from metrics_catalog.engine.query import Filter
from metrics_catalog.published.errors import AuditFailed, BadInput, PublishFailed, PublishLocked
from metrics_catalog.published.model import AuditRules, Days, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published

DAY = date(2024, 1, 1)
NEXT = date(2024, 1, 2)


def totals(root, metric="sales", as_of=None):
    return Published(root).at(as_of).values([metric], "day").select(["period", "value"]).to_pylist()


def test_a_publish_replaces_its_scope_and_nothing_else(tmp_path, publish):
    publish(1, {"北京": 10, "上海": 5})
    publish(2, {"北京": 7}, day=NEXT)
    publish(3, {"广州": 1})
    root = tmp_path / "published"
    found = Published(root).at().values(["sales"], "day", ["store"]).select(["period", "store", "value"]).to_pylist()
    assert [(row["period"], row["store"], int(row["value"])) for row in found] == [(NEXT, "北京", 7), (DAY, "广州", 1)]
    assert [int(row["value"]) for row in totals(root)] == [1, 7]


def test_staged_rows_are_invisible_until_commit_and_gone_after_the_draft(tmp_path, publish, kit):
    publish(1, {"a": 1})
    root = tmp_path / "published"
    with Publisher(root).open(kit.info(2)) as draft:
        draft.add(kit.rows([("sales", DAY, {}, 99)]))
        draft.replaces([kit.days("sales", DAY, NEXT)])
        assert int(totals(root)[0]["value"]) == 1
        assert len(draft.staged_files) == 1
    assert int(totals(root)[0]["value"]) == 1
    assert list((root / "staging").iterdir()) == []


def test_a_commit_needs_an_audit_of_what_is_staged(tmp_path, kit):
    with Publisher(tmp_path).open(kit.info()) as draft:
        draft.audit(AuditRules())
        draft.add(kit.rows([("sales", DAY, {}, 1)]))
        with pytest.raises(BadInput, match="not been audited"):
            draft.commit()


def test_a_failed_audit_leaves_published_values_and_lists_findings(tmp_path, publish, kit):
    publish(1, {"a": 1})
    root = tmp_path / "published"
    before = DeltaTable(root / "values").version()
    with pytest.raises(AuditFailed, match=r"sales day 2025-01-01: period is not closed") as failed:
        Publisher(root).publish(
            kit.info(2),
            [kit.rows([("sales", date(2025, 1, 1), {}, 3)])],
            [kit.days("sales", date(2025, 1, 1), date(2025, 1, 2))],
        )
    assert failed.value.report.failed == {"sales"}
    assert DeltaTable(root / "values").version() == before


def test_a_metric_left_out_keeps_its_last_values_and_definition(tmp_path, kit):
    publisher = Publisher(tmp_path)
    scopes = [kit.days("good", DAY, NEXT), kit.days("bad", DAY, NEXT)]
    first = kit.info(1, definitions={"good": "g1", "bad": "b1"})
    publisher.publish(first, [kit.rows([("good", DAY, {}, 1), ("bad", DAY, {}, 1)])], scopes)
    with publisher.open(kit.info(2, definitions={"good": "g2", "bad": "b2"})) as draft:
        draft.add(kit.rows([("good", DAY, {}, 2), ("bad", DAY, {}, 2), ("bad", NEXT, {}, 2)]))
        draft.replaces(scopes)
        report = draft.audit(AuditRules())
        with pytest.raises(AuditFailed):
            draft.commit()
        assert report.failed == {"bad"}
        result = draft.commit(leave_out={"bad"})
    assert result.info.held == ("bad",)
    assert result.info.definitions == {"good": "g2", "bad": "b1"}
    assert int(totals(tmp_path, "good")[0]["value"]) == 2
    assert [int(row["value"]) for row in totals(tmp_path, "bad")] == [1]


def test_a_scope_without_rows_removes_and_history_keeps(tmp_path, publish, kit):
    first = publish(1, {"a": 1})
    root = tmp_path / "published"
    Publisher(root).publish(kit.info(2), [], [Scope("sales", "day", date.min, date.max)])
    assert totals(root) == []
    assert int(totals(root, as_of=first.version)[0]["value"]) == 1


def test_streams_of_different_slices_share_a_publish_and_new_dimensions_widen(tmp_path, publish, kit):
    publish(1, {"a": 1})
    root = tmp_path / "published"
    streams = [
        kit.rows([("sales", NEXT, {}, 4)]),
        kit.rows([("sales", NEXT, {"品类": "茶"}, 4)]),
        kit.rows([("sales", NEXT, {"store": "a", "品类": "茶"}, 4)]),
    ]
    Publisher(root).publish(kit.info(2), streams, [kit.days("sales", NEXT, NEXT + timedelta(days=1))])
    snapshot = Published(root).at()
    tea = snapshot.values(["sales"], "day", ["store", "品类"], [Filter("品类", "=", ("茶",))])
    assert [(row["store"], row["品类"]) for row in tea.to_pylist()] == [("a", "茶")]
    assert snapshot.values(["sales"], "day", ["store"]).num_rows == 1
    assert Published(root).at(as_of=kit.info(1).published_at).values(["sales"], "day", ["品类"]).num_rows == 0


def test_a_live_duckdb_query_can_be_published(tmp_path, kit):
    with duckdb.connect() as con:
        given = con.sql(
            "select 'sales' as metric, 'day' as grain, date '2024-01-01' + i::int as period, '' as slice, i + 0.5 as value,"
            " null as numerator, null as denominator, 'd' as definition from range(100) t(i)"
        )
        result = Publisher(tmp_path).publish(kit.info(), [given], [kit.days("sales", DAY, date(2024, 6, 1))])
    assert result.rows_written == 100
    assert str(totals(tmp_path)[3]["value"]) == "3.500000"


def test_rollups_are_named_by_the_values_commit(tmp_path, publish):
    root = tmp_path / "published"

    def rollup(quantity, days=None):
        return [("line", pa.table({"day": [DAY], "quantity": [quantity]}), days)]

    publish(1, {"a": 1}, more=rollup(1))
    publish(2, {"a": 1}, more=rollup(2, Days(DAY, NEXT)))
    publish(3, {"a": 1})

    def quantity(as_of):
        paths = [str(path) for path in Published(root).at(as_of).rollup("line")]
        return duckdb.sql("select quantity from read_parquet($p, union_by_name = true)", params={"p": paths}).fetchall()

    versions = [version.number for version in Published(root).versions()]
    assert [quantity(number) for number in versions] == [[(1,)], [(2,)], [(2,)]]


def test_a_rollup_version_no_publish_names_is_undone_by_the_next(tmp_path, publish, monkeypatch):
    root = tmp_path / "published"

    def rollup(day, quantity):
        return [("line", pa.table({"day": [day], "quantity": [quantity]}), Days(day, day + timedelta(days=1)))]

    publish(1, {"a": 1}, more=rollup(DAY, 1))
    with monkeypatch.context() as patched:
        patched.setattr("metrics_catalog.published.commits._commit_values", _fail)
        with pytest.raises(KeyboardInterrupt):
            publish(2, {"a": 2}, more=rollup(DAY, 2))
    publish(3, {"a": 3}, more=rollup(NEXT, 3))
    paths = [str(path) for path in Published(root).at().rollup("line")]
    assert sorted(duckdb.read_parquet(paths).fetchall()) == [(DAY, 1), (NEXT, 3)]


def _fail(*_):
    raise KeyboardInterrupt


def test_a_whole_rollup_may_change_its_columns_and_old_ones_stay_readable(tmp_path, publish):
    root = tmp_path / "published"
    old = publish(1, {"a": 1}, more=[("line", pa.table({"day": [DAY], "quantity": [1]}), None)])
    publish(2, {"a": 1}, more=[("line", pa.table({"day": [DAY], "amount": ["x"]}), None)])
    assert duckdb.read_parquet([str(p) for p in Published(root).at().rollup("line")]).columns == ["day", "amount"]
    before = Published(root).at(old.version).rollup("line")
    assert duckdb.read_parquet([str(p) for p in before]).fetchall() == [(DAY, 1)]


def test_a_rollup_column_that_changes_type_within_days_is_refused(tmp_path, publish):
    publish(1, {"a": 1}, more=[("line", pa.table({"day": [DAY], "quantity": [1]}), None)])
    with pytest.raises(BadInput, match=r"quantity.*publish all days"):
        publish(2, {"a": 1}, more=[("line", pa.table({"day": [DAY], "quantity": ["x"]}), Days(DAY, NEXT))])
    assert len(Published(tmp_path / "published").versions()) == 1


def test_only_one_publish_at_a_time(tmp_path, kit):
    with Publisher(tmp_path).open(kit.info()), pytest.raises(PublishLocked, match="another publish"):
        Publisher(tmp_path).open(kit.info(2))
    Publisher(tmp_path).open(kit.info(2)).close()


def test_a_place_that_cannot_be_written_is_a_system_failure(tmp_path, kit):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PublishFailed, match="cannot publish to"):
        Publisher(tmp_path / "file").open(kit.info())


def test_a_failed_draft_gives_the_lock_back(tmp_path, kit):
    with pytest.raises(BadInput, match="run id"):
        Publisher(tmp_path).open(kit.info(1, run_id="../up"))
    Publisher(tmp_path).open(kit.info(2)).close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns(["definition"]), "lack the column.*definition"),
        (lambda t: t.append_column("Value", t["metric"]), '"Value" cannot be a dimension'),
        (lambda t: t.append_column("a,b", t["metric"]), "comma"),
        (lambda t: t.to_pylist(), "Arrow stream.*list"),
    ],
)
def test_rows_of_the_wrong_shape_are_refused(tmp_path, kit, change, message):
    with Publisher(tmp_path).open(kit.info()) as draft, pytest.raises(BadInput, match=message):
        draft.add(change(kit.rows([("sales", DAY, {}, 1)])))


def test_an_upside_down_scope_is_refused(tmp_path, kit):
    with Publisher(tmp_path).open(kit.info()) as draft, pytest.raises(BadInput, match="ends before"):
        draft.replaces([kit.days("sales", NEXT, DAY)])


def test_many_publishes_keep_few_files_and_every_version(tmp_path, publish):
    for number in range(1, 16):
        publish(number, {"a": number}, day=DAY + timedelta(days=number))
    root = tmp_path / "published"
    reader = Published(root)
    assert len(reader.at().files) <= 6
    assert len(reader.versions()) == 15
    for number, version in enumerate(reader.versions(), 1):
        found = reader.at(version.number).values(["sales"], "day")["value"].to_pylist()
        assert [int(value) for value in found] == list(range(1, number + 1))


def test_values_open_in_other_tools_as_plain_delta(tmp_path, publish):
    publish(1, {"北京": 1})
    publish(2, {"北京": 2}, day=NEXT)
    table = DeltaTable(tmp_path / "published" / "values")
    assert (table.protocol().min_reader_version, table.protocol().min_writer_version) == (1, 2)
    assert table.to_pandas().query("store == '北京'")["value"].astype(int).tolist() == [2, 1]
    assert table.vacuum(dry_run=True) == []
    con = duckdb.connect()
    con.register("t", table.to_pyarrow_dataset())
    wanted = "period = '2024-01-02' and grain = 'day' and metric = 'sales' and numerator is null"
    for also in ("slice = 'store'", "store = '北京'", "slice = 'store' and value > 1"):
        assert con.execute(f"select sum(value)::int from t where {wanted} and {also}").fetchone() == (2,)
    assert con.execute(f"select store from t where {wanted} and store is null").fetchall() == [(None,)]


def test_no_publish_leaves_the_folder_of_a_dead_one(tmp_path, publish, kit):
    root = tmp_path / "published"
    publish(1, {"a": 1})
    (root / "staging" / "dead").mkdir(parents=True)
    orphan = root / "values" / "day-orphan.parquet"
    shutil.copy(next((root / "values").glob("*.parquet")), orphan)
    live = next(path for path in (root / "values").glob("*.parquet") if path != orphan)
    (root / "staging" / "dead" / "moved.json").write_text(f'["{orphan}", "{live}"]')
    publish(2, {"a": 2}, day=NEXT)
    assert not (root / "staging" / "dead").exists()
    assert not orphan.exists()
    assert live.exists()
