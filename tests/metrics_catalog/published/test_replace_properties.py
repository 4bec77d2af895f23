"""Any sequence of publishes gives what a dict gives, now and at every version before."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.published import replace
from metrics_catalog.published.layout import Sizes
from metrics_catalog.published.model import AuditRules, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published

DAY = date(2024, 1, 1)
METRICS = ["甲", "b", "c'"]
SLICES = [(), ("店",), ("品",), ("店", "品")]
MEMBERS = [None, "", "北", "x'; drop"]


def day(number):
    return DAY + timedelta(days=number)


scopes = st.lists(
    st.tuples(st.sampled_from(METRICS), st.integers(0, 8), st.integers(1, 6)).map(
        lambda given: Scope(given[0], "day", day(given[1]), day(given[1] + given[2]))
    ),
    max_size=4,
)
keys = st.tuples(
    st.sampled_from(METRICS),
    st.integers(0, 14).map(day),
    st.sampled_from(SLICES).flatmap(
        lambda names: st.tuples(*(st.tuples(st.just(name), st.sampled_from(MEMBERS)) for name in names))
    ),
)
publishes = st.lists(
    st.tuples(
        scopes, st.dictionaries(keys, st.integers(-(10**6), 10**6), max_size=12), st.sets(st.sampled_from(METRICS))
    ),
    min_size=1,
    max_size=7,
)


def within(key, scope):
    return key[0] == scope.metric and scope.start <= key[1] < scope.end


def read(snapshot):
    found = {}
    for names in SLICES:
        for row in snapshot.values(METRICS, "day", names).to_pylist():
            key = (row["metric"], row["period"], tuple((name, row[name]) for name in names))
            assert key not in found
            found[key] = int(row["value"])
    return found


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(publishes, st.sampled_from([Sizes(), Sizes(file=3, stretch=9)]))
def test_publishes_equal_a_dict(kit, given_publishes, sizes):
    with patch.object(replace, "Sizes", lambda: sizes), tempfile.TemporaryDirectory() as folder:
        root, model, seen = Path(folder), {}, {}
        for number, (asked, values, held) in enumerate(given_publishes, 1):
            mine = {key: value for key, value in values.items() if any(within(key, scope) for scope in asked)}
            streams = [
                kit.rows([(m, d, dict(members), v) for (m, d, members), v in mine.items() if len(members) == size])
                for size in (0, 1, 2)
            ]
            with Publisher(root).open(kit.info(number)) as draft:
                for stream in streams:
                    draft.add(stream)
                draft.replaces(asked)
                assert draft.audit(AuditRules()).total == 0
                version = draft.commit(leave_out=held).version
            used = [scope for scope in asked if scope.metric not in held]
            model = {key: value for key, value in model.items() if not any(within(key, scope) for scope in used)}
            model |= {key: value for key, value in mine.items() if key[0] not in held}
            seen[version] = dict(model)
        reader = Published(root)
        assert read(reader.at()) == model
        for version, values in seen.items():
            assert read(reader.at(version)) == values
