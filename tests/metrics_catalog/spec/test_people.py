"""Who stands behind a name in people.yml."""

from __future__ import annotations

from metrics_catalog.spec.people import People

LABEL = {"en": "T", "zh": "组"}


def test_the_people_behind_an_owner() -> None:
    people = People.model_validate(
        {
            "departments": {"d": LABEL},
            "people": {one: {"name": one, "email": f"{one}@example.com"} for one in ("bob", "ann", "joe")},
            "teams": {"t": {"label": LABEL, "department": "d", "members": ["bob", "ann"]}},
        }
    )
    assert people.behind("t") == ("bob", "ann")
    assert people.behind("joe") == ("joe",)
    assert people.behind("nobody") == ()
