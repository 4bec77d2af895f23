from __future__ import annotations

from pathlib import Path

from expectations.check import check_columns, check_suites
from expectations.suite import load_suites

SOURCES = {"sales": {"quantity": "BIGINT", "day": "DATE", "门店": "VARCHAR"}, "products": {"product_id": "BIGINT"}}
TEXT = """\
expectations:
  - name: a
    type: expect_column_values_to_be_between
    kwargs: {column: quantty, min_value: 1}
  - name: b
    type: expect_column_values_to_be_in_set
    kwargs:
      column: 门店
      value_set: [甲, 乙]
      row_condition: col("dya") > "2017-01-01"
  - name: c
    type: references
    kwargs: {column: quantity, source: product, field: product_id}
  - name: d
    type: references
    kwargs: {column: quantity, source: products, field: id}
  - name: e
    type: unique_rows
    kwargs:
      columns:
        - quantity
        - dai
"""


def test_unknown_columns_and_sources(tmp_path: Path) -> None:
    (tmp_path / "sales.yml").write_text(TEXT, encoding="utf-8")
    found = [str(problem) for problem in check_columns(load_suites(tmp_path, tmp_path), SOURCES)]
    assert found == [
        'sales.yml:4 error a.kwargs.column: "quantty" is not a column of the source (did you mean "quantity"?)',
        'sales.yml:10 error b.kwargs.row_condition: "dya" is not a column of the source (did you mean "day"?)',
        'sales.yml:13 error c.kwargs.source: there is no source "product" (did you mean "products"?)',
        'sales.yml:16 error d.kwargs.field: "id" is not a column of products',
        'sales.yml:22 error e.kwargs.columns.1: "dai" is not a column of the source (did you mean "day"?)',
    ]


def test_a_suite_of_no_source(tmp_path: Path) -> None:
    (tmp_path / "sale.yml").write_text("tolerance: 0\n", encoding="utf-8")
    (problem,) = check_columns(load_suites(tmp_path, tmp_path), SOURCES)
    assert str(problem) == 'sale.yml:1 error there is no source "sale" (did you mean "sales"?)'


def test_what_the_library_refuses(tmp_path: Path) -> None:
    text = """\
expectations:
  - name: a
    type: expect_column_values_to_be_in_set
    kwargs:
      column: quantity
      value_set: 7
  - name: b
    type: expect_column_values_to_not_be_null
    kwargs: {column: quantity, mostly: 2}
"""
    (tmp_path / "sales.yml").write_text(text, encoding="utf-8")
    found = check_suites(load_suites(tmp_path, tmp_path), SOURCES)
    assert {(problem.path, problem.line) for problem in found} == {("sales.yml", 6), ("sales.yml", 9)}
