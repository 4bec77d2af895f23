"""Problems of a YAML file name the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from metrics_catalog.located import InvalidFiles, load, suggest


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    zh: str


class File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    owner: str
    labels: list[Inner] = []


def problems(tmp_path: Path, content: bytes) -> list[str]:
    path = tmp_path / "指标.yml"
    path.write_bytes(content)
    with pytest.raises(InvalidFiles) as caught:
        load(path, File, tmp_path)
    return [str(problem) for problem in caught.value.problems]


def test_every_problem_is_reported_at_its_own_line(tmp_path: Path) -> None:
    found = problems(tmp_path, "ownr: a\nlabels:\n  - zh: 会员\n  - zh: 5\n  - {zh: x, em: y}\n".encode())
    assert found == [
        "指标.yml:1 error owner: is required",
        '指标.yml:1 error ownr: is not a known key (did you mean "owner"?)',
        "指标.yml:4 error labels.1.zh: Input should be a valid string, got 5",
        "指标.yml:5 error labels.2.em: is not a known key",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"owner: a\nowner: b\n", '指标.yml:2 error is not valid YAML: "owner" is given twice'),
        (b"owner: [a\nlabels: b\n", None),
        ("owner: a\nlabels: 会".encode("gbk"), "指标.yml:2 error is not UTF-8 text; save it as UTF-8"),
        (b"", "指标.yml:1 error must be a mapping of keys to values, and not empty"),
        (b"- owner\n", "指标.yml:1 error must be a mapping of keys to values, and not empty"),
        (b"owner: 2017-99-99\n", None),
    ],
)
def test_what_is_not_yaml_says_why(tmp_path: Path, content: bytes, message: str | None) -> None:
    found = problems(tmp_path, content)
    assert len(found) == 1
    assert message is None or found == [message]


def test_a_file_with_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbfowner: a\n")
    assert load(path, File, tmp_path)[0].owner == "a"


def test_a_missing_file_is_a_problem_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match=r"none\.yml:1 error file does not exist"):
        load(tmp_path / "none.yml", File, tmp_path)


def test_suggestions_only_for_near_words() -> None:
    assert suggest("finanse", ["finance", "data"]) == ' (did you mean "finance"?)'
    assert suggest("x", ["finance"]) == ""
