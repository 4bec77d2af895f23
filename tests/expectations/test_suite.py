from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from expectations.suite import Suite, load_suites, suite_schema
from metrics_catalog.located import InvalidFiles

GOOD = """\
tolerance: 0.05
expectations:
  - name: quantity_positive
    type: expect_column_values_to_be_between
    kwargs: {column: quantity, min_value: 1}
    severity: warning
    note: {en: A line sells at least one unit., zh: 每行至少售出一件}
  - name: in_2017
    type: expect_column_values_to_be_between
    kwargs: {column: day, min_value: 2017-01-01, max_value: 2017-12-31}
  - name: product_exists
    type: references
    kwargs: {column: product_id, source: products, field: product_id}
    severity: critical
  - name: no_exact_duplicates
    type: unique_rows
"""


def write(folder: Path, text: str, name: str = "sales") -> Path:
    (folder / "suites").mkdir(exist_ok=True)
    (folder / "suites" / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder / "suites"


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(InvalidFiles) as caught:
        load_suites(write(folder, text), folder)
    return [str(problem) for problem in caught.value.problems]


def test_reads_a_suite(tmp_path: Path) -> None:
    suite = load_suites(write(tmp_path, GOOD), tmp_path)["sales"]
    assert [item.name for item in suite.expectations] == [
        "quantity_positive", "in_2017", "product_exists", "no_exact_duplicates",
    ]  # fmt: skip
    assert suite.tolerance == 0.05
    assert suite.references == {"products"}
    assert suite.expectations[1].kwargs["min_value"] == "2017-01-01"
    assert [item.quarantines for item in suite.expectations] == [True] * 4


def test_fingerprint_is_about_verdicts_not_wording(tmp_path: Path) -> None:
    def fingerprint(text: str) -> str:
        return load_suites(write(tmp_path, text), tmp_path)["sales"].fingerprint

    before = fingerprint(GOOD)
    assert fingerprint(GOOD.replace("每行至少售出一件", "数量为正")) == before
    assert fingerprint(GOOD.replace("column: quantity, min_value: 1", "min_value: 1, column: quantity")) == before
    for old, new in (("min_value: 1}", "min_value: 2}"), ("0.05", "0.06"), ("severity: warning", "severity: info")):
        assert fingerprint(GOOD.replace(old, new)) != before
    assert len(before) == 16


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "values_to_be_between\n    kwargs: {column: quantity",
            "value_to_be_between\n    kwargs: {column: quantity",
            'suites/sales.yml:4 error quantity_positive.type: "expect_column_value_to_be_between" is not a type of'
            ' expectation (did you mean "expect_column_values_to_be_between"?)',
        ),
        (
            "min_value: 1}",
            "min_valeu: 1}",
            "suites/sales.yml:5 error quantity_positive.kwargs.min_valeu: is not a known key"
            ' (did you mean "min_value"?)',
        ),
        ("{column: quantity, min_value: 1}", "{min_value: 1}", 'suites/sales.yml:5 error quantity_positive.kwargs: "column" is required'),
        (", field: product_id", "", 'suites/sales.yml:13 error product_exists.kwargs: "field" is required'),
        ("name: in_2017", "name: quantity_positive", 'suites/sales.yml:8 error quantity_positive.name: "quantity_positive" is the name of expectation 0 too'),
        ("column: quantity,", "column: [quantity],", "suites/sales.yml:5 error quantity_positive.kwargs.column: must be one name, got ['quantity']"),
        (
            "min_value: 1}",
            "min_value: 1, row_condition: 'col(\"day\") = 3'}",
            "suites/sales.yml:5 error quantity_positive.kwargs.row_condition: cannot read 'col(\"day\") = 3';"
            ' write it like: col("channel") == "web" and col("quantity").notnull()',
        ),
    ],
)  # fmt: skip
def test_a_typo_is_found_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    assert problems(tmp_path, GOOD.replace(old, new)) == [problem]


def test_bad_severity_key_and_tolerance_are_found_together(tmp_path: Path) -> None:
    text = GOOD.replace("severity: warning", "severity: fatal").replace("0.05", "5").replace("note:", "notes:")
    found = problems(tmp_path, text)
    assert [line.split(" ")[0] for line in found] == ["suites/sales.yml:1", "suites/sales.yml:6", "suites/sales.yml:7"]
    assert "'critical', 'warning' or 'info', got 'fatal'" in found[1]
    assert '(did you mean "note"?)' in found[2]


def test_problems_of_all_files_come_together(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("references", "reference"), "门店")
    assert len(problems(tmp_path, GOOD.replace("unique_rows", "unique_row"))) == 2


def test_a_suite_made_in_code_has_problems_too() -> None:
    assert Suite.empty("sales").problems() == []


def test_reading_suites_imports_neither_the_library_nor_pandas(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from expectations.suite import load_suites; import expectations.clean;"
        f"load_suites(Path({str(write(tmp_path, GOOD))!r}), Path({str(tmp_path)!r}));"
        "print(sorted({'great_expectations', 'pandas', 'sqlalchemy', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_editors_are_offered_every_type() -> None:
    offered = suite_schema()["$defs"]["ExpectationSpec"]["properties"]["type"]["enum"]
    assert {"references", "unique_rows", "expect_column_values_to_be_between"} <= set(offered)
