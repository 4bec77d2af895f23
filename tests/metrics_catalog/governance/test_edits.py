"""Two texts as the keys that differ."""

from __future__ import annotations

from metrics_catalog.governance.edits import edits

OLD = "label: {en: Sales, zh: 销售额}\nexpr: a\ngrains: [day, month]\ntarget: {month: 3}\ntier: 1\n"


def test_only_what_differs_is_told_key_by_key() -> None:
    new = "tier: 1\ngrains: [day]\nlabel: {zh: 净额, en: Sales}\nexpr: a + b\nowner: ann\n"
    assert edits(OLD, new) == [
        ("grains", '["day", "month"]', '["day"]'),
        ("label.zh", "销售额", "净额"),
        ("expr", "a", "a + b"),
        ("owner", None, "ann"),
        ("target.month", "3", None),
    ]


def test_comments_order_and_the_same_text_are_nothing() -> None:
    assert edits(OLD, "# 说明\ntier: 1\n" + OLD.removesuffix("tier: 1\n")) == []


def test_what_is_new_or_ends_is_told_whole() -> None:
    assert edits(None, "a: 1\nb: {}\nday: 2024-03-01") == [
        ("a", None, "1"),
        ("b", None, "{}"),
        ("day", None, '"2024-03-01"'),
    ]
    assert edits("a: 1", None) == [("a", "1", None)]
