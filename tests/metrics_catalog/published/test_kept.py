from __future__ import annotations

from metrics_catalog.published.kept import Kept


def test_the_least_recently_used_goes_first():
    kept, made = Kept[str](2), []

    def value(key):
        return kept.get(key, lambda: made.append(key) or key)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert value(key) == key
    assert made == ["a", "b", "c", "b"]


def test_sizes_add_up_and_one_too_large_stays_until_the_next():
    kept, made = Kept[str](10, len), []

    def value(text):
        return kept.get(text, lambda: made.append(text) or text)

    value("x" * 11)
    value("x" * 11)
    value("aaaa")
    value("bbbb")
    value("aaaa")
    assert made == ["x" * 11, "aaaa", "bbbb"]
