from __future__ import annotations

import os
from pathlib import Path

from orchestration.landing import SETTLE_SECONDS, look


def put(folder: Path, name: str, text: str = "x", age: float = 60) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, (1_700_000_000 - age, 1_700_000_000 - age))
    return file


def test_state_changes_with_names_sizes_and_times(tmp_path: Path) -> None:
    put(tmp_path, "a/交易.csv")
    states = [look(tmp_path, 1_700_000_000).state]
    for change in (
        lambda: put(tmp_path, "a/b.csv"),
        lambda: put(tmp_path, "a/b.csv", "longer"),
        lambda: put(tmp_path, "a/b.csv", "longer", age=30),
        lambda: (tmp_path / "a/b.csv").rename(tmp_path / "c.csv"),
    ):
        change()
        states.append(look(tmp_path, 1_700_000_000).state)
    assert len(set(states)) == len(states)
    assert look(tmp_path, 1_700_000_099).state == states[-1]


def test_files_in_the_making_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "a.csv")
    before = look(tmp_path, 1_700_000_000)
    put(tmp_path, ".b.csv.partial")
    assert look(tmp_path, 1_700_000_000) == before
    put(tmp_path, "sub/b.csv", age=SETTLE_SECONDS - 1)
    assert look(tmp_path, 1_700_000_000).writing == "sub/b.csv"


def test_no_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert look(tmp_path / "none").files == 0
