"""What differs between the files and what is certified, and what the official catalog is meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.governance import certified
from metrics_catalog.governance.certified import official
from metrics_catalog.governance.proposals import not_official, proposals
from metrics_catalog.governance.record import Record
from metrics_catalog.located import parsed
from metrics_catalog.spec.policy import Policy


@pytest.fixture
def ops_url(tmp_path: Path) -> str:
    """Which database holds the ledger is no matter here."""
    return f"sqlite:///{tmp_path}/ops.db"


def found(town: Any) -> dict[str, tuple[str, ...]]:
    return {one.name: one.changes for one in town.office().proposals()}


def test_before_anything_is_certified_every_metric_is_new_and_nobody_is_warned(new_town: Any) -> None:
    files = new_town.files()
    assert list(not_official(files, Record())) == []
    assert official(files, Record()) is files


def test_what_was_just_certified_is_no_difference(town: Any) -> None:
    files = town.files()
    assert found(town) == {}
    assert official(files, town.office().record) is files
    assert list(not_official(files, town.office().record)) == []


def rewritten(town: Any, metric: str, text: str) -> Any:
    """The files, with one of them written otherwise."""
    files = town.files()
    entry = files.metrics[metric]
    document = parsed(text, entry.document.path)
    return replace(files, metrics={**files.metrics, metric: replace(entry, document=document)})


def test_comments_order_and_quotes_are_no_difference(town: Any) -> None:
    text = town.files().metrics["net_sales"].document.text
    lines = ["# 说明", *reversed(_blocks(text)), "# 完"]
    files = rewritten(town, "net_sales", "\n".join(lines) + "\n")
    assert files.metrics["net_sales"].document.text != text
    record = town.office().record
    assert list(proposals(files, record)) == []
    # The lines of problems are those of the file as it is today.
    assert official(files, record).metrics["net_sales"].document is files.metrics["net_sales"].document


def _blocks(text: str) -> list[str]:
    """Top-level keys of a YAML text with what belongs to them."""
    blocks: list[str] = []
    for line in text.splitlines():
        if line.startswith((" ", "-")):
            blocks[-1] += "\n" + line
        else:
            blocks.append(line)
    return blocks


@pytest.mark.parametrize(
    ("keys", "changes"),
    [
        ({"description": "Other words."}, ("wording",)),
        ({"description": {"en": "Net of tax.", "zh": "不含税。"}}, ("wording",)),
        ({"label": {"en": "Net", "zh": "净额"}}, ("wording",)),
        ({"synonyms": ["净额"]}, ("wording",)),
        ({"playbook": "Call the shop."}, ("wording",)),
        ({"bounds": {"grain": "month", "warn": {"below": 1}}}, ("bounds",)),
        ({"target": {"month": 300}}, ("bounds",)),
        ({"direction": "down"}, ("bounds",)),
        ({"anomaly": {"sensitivity": "low"}}, ("bounds",)),
        ({"change": {"warn": {"below": -0.1}}}, ("bounds",)),
        ({"owner": "shops"}, ("owner",)),
        ({"tier": 2}, ("tier",)),
        ({"filter": "is_promoted"}, ("calculation",)),
        ({"expr": "amount_usd + 1"}, ("calculation",)),
        ({"agg": "max"}, ("calculation",)),
        ({"unit": "cny"}, ("calculation",)),
        ({"grains": ["month"]}, ("calculation",)),
        ({"slices": [["store"]]}, ("calculation",)),
        ({"slices": None, "tier": 3, "owner": "ann", "target": None, "description": "x"}, ("wording", "bounds", "owner", "tier", "calculation")),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_told_apart(town: Any, keys: dict[str, Any], changes: tuple[str, ...]) -> None:
    town.edit("net_sales", **keys)
    assert found(town) == {"net_sales": changes}


def test_a_file_that_moved_to_another_domain_changed_its_words(town: Any) -> None:
    files = town.files()
    moved = replace(files.metrics["visits"], domain="traffic", document=parsed("a: 1", "elsewhere.yml"))
    (one,) = proposals(replace(files, metrics={**files.metrics, "visits": moved}), town.office().record)
    assert (one.changes, one.domain) == (("wording",), "traffic")


def test_new_and_deleted_files(town: Any) -> None:
    town.edit("units_sold", expr="units")
    del town.metrics["average_line"]
    made = {one.name: one for one in town.office().proposals()}
    assert {name: (one.changes, one.base) for name, one in made.items()} == {
        "units_sold": (("create",), 0),
        "average_line": (("retire",), 1),
    }
    assert made["average_line"].text is None
    assert "average_line" in town.office().official.metrics
    assert "units_sold" not in town.office().official.metrics


def test_people_and_policy(town: Any) -> None:
    town.staff(without=["vic"])
    town.write("policy", {"business_date": "2024-03-31", "timezone": "Asia/Shanghai", "week_start": "sunday"})
    assert found(town) == {"people": ("people",), "policy": ("policy",)}
    assert "vic" in town.office().official.people.people
    assert town.office().official.policy.week_start == "monday"
    town.write("policy", {"timezone": "Asia/Shanghai", "business_date": "2024-03-31"})
    town.staff()
    assert found(town) == {}


def test_each_file_that_is_not_official_is_warned_of_in_its_place(town: Any) -> None:
    town.edit("net_sales", filter="is_promoted")
    town.edit("units_sold", expr="units")
    town.approve(town.office().end("visits", "ada", "no use", "retire"), "zoe")
    del town.metrics["lines"]
    told = [str(one) for one in not_official(town.files(), town.office().record)]
    folder = "metrics_catalog/metrics/sales"
    assert told == [
        f"{folder}/net_sales.yml:1 warning net_sales: differs from certified version 1; ask for it with `metrics propose net_sales`",
        f"{folder}/visits.yml:1 warning visits: is not certified; ask for it with `metrics propose visits`",
        f"{folder}/units_sold.yml:1 warning units_sold: is not certified; ask for it with `metrics propose units_sold`",
        f"{folder}/lines.yml:1 warning lines: is gone, and still certified; ask for it with `metrics propose lines`",
    ]


def test_a_policy_written_after_the_first_certification_is_asked_for_like_any_other(new_town: Any) -> None:
    """An existing dbt project may have none, and must not be governed by whoever writes one first."""
    files = new_town.files()
    without = replace(files, policy=Policy(), policy_document=replace(files.policy_document, text=""))
    office = new_town.office()
    office.files = without
    record = office.bootstrap("boss", "first")
    assert record.current("policy") is None
    assert official(files, record).policy == Policy()
    (one,) = proposals(files, record)
    assert (one.name, one.base, one.text) == ("policy", 0, files.policy_document.text)
    request = new_town.propose("policy")
    assert request.need == ("steward", "admin")
    new_town.approve(request, "boss", "joe")
    assert new_town.office().official.policy == files.policy


def test_what_is_as_certified_is_not_parsed_again(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town.edit("visits", filter="store = '上海'")
    office, record = town.office(), town.office().record
    texts: list[str] = []

    def counted(text: str, name: str) -> Any:
        texts.append(name)
        return parsed(text, name)

    monkeypatch.setattr(certified, "parsed", counted)
    assert official(office.files, record).metrics["visits"].spec != office.files.metrics["visits"].spec
    assert texts == ["metrics_catalog/metrics/sales/visits.yml"]
