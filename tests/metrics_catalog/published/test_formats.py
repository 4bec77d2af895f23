from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metrics_catalog.published.errors import NotWritable
from metrics_catalog.published.formats import Format, as_bytes, write

BIG = Decimal("1234567890123456789012.123456")
TABLE = pa.table(
    {
        "period": [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)],
        "门店": ["北京", '=cmd("x"),', None],
        "value": pa.array([BIG, Decimal("-0.500000"), None], pa.decimal128(28, 6)),
    }
)


def test_a_table_is_aligned_with_wide_characters():
    lines = as_bytes(TABLE, "table").decode().splitlines()
    assert lines[0].split() == ["period", "门店", "value"]
    assert [line.split() for line in lines[2:]] == [
        ["2024-01-01", "北京", str(BIG)],
        ["2024-01-02", '=cmd("x"),', "-0.5"],
        ["2024-01-03"],
    ]

    def width(text):
        return sum(2 if "\u4e00" <= char <= "\u9fff" else 1 for char in text)

    assert {width(line) for line in lines[2:4]} == {width(lines[2])}


def test_csv_is_exact_and_runs_no_formulas():
    header, first, second, third = csv.reader(io.StringIO(as_bytes(TABLE, "csv").decode()))
    assert header == ["period", "门店", "value"]
    assert first == ["2024-01-01", "北京", str(BIG)]
    assert second == ["2024-01-02", '\'=cmd("x"),', "-0.500000"]
    assert third == ["2024-01-03", "", ""]


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_text_that_begins_a_formula_is_quoted(start):
    [[_], [cell]] = csv.reader(io.StringIO(as_bytes(pa.table({"name": [start + "1"]}), "csv").decode(), newline=""))
    assert cell == "'" + start + "1"


def test_json_has_decimals_as_exact_text():
    first, _, third = json.loads(as_bytes(TABLE, "json"))
    assert first == {"period": "2024-01-01", "门店": "北京", "value": str(BIG)}
    assert third["value"] is None
    assert "北京".encode() in as_bytes(TABLE, "json")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv", ".json", ".txt"])
def test_files_by_suffix(tmp_path, suffix):
    path = tmp_path / f"结果{suffix}"
    write(TABLE, path=path)
    if suffix == ".parquet":
        assert pq.read_table(path).equals(TABLE)
    elif suffix == ".arrow":
        assert pa.ipc.open_file(path).read_all().equals(TABLE)
    else:
        assert str(BIG) in path.read_text(encoding="utf-8")


def test_nothing_to_show_still_names_the_columns():
    for kind in get_args(Format):
        assert as_bytes(TABLE.slice(0, 0), kind)
    assert as_bytes(TABLE.slice(0, 0), "csv").decode() == "period,门店,value\n"


def test_refusals(tmp_path):
    with pytest.raises(NotWritable, match=r"out\.xyz.*table, csv, json"):
        write(TABLE, path=tmp_path / "out.xyz")
    with pytest.raises(NotWritable, match="cannot write"):
        write(TABLE, path=tmp_path / "no" / "out.csv")
    with pytest.raises(NotWritable, match='"yaml" is not a format'):
        write(TABLE, "yaml")  # pyright: ignore[reportArgumentType]


class Out:
    def __init__(self, terminal):
        self.buffer, self.terminal = io.BytesIO(), terminal

    def isatty(self):
        return self.terminal

    def flush(self):
        pass


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_binary_goes_to_a_pipe_but_not_to_a_terminal(monkeypatch, kind):
    monkeypatch.setattr("sys.stdout", Out(terminal=True))
    with pytest.raises(NotWritable, match="not for a terminal"):
        write(TABLE, kind)
    pipe = Out(terminal=False)
    monkeypatch.setattr("sys.stdout", pipe)
    write(TABLE, kind)
    assert pipe.buffer.getvalue() == as_bytes(TABLE, kind)
