"""Who stands behind a name in people.yml."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

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


def test_nobody_is_called_what_the_platform_calls_itself() -> None:
    with pytest.raises(ValidationError, match="give the person another name"):
        People.model_validate(
            {"departments": {}, "people": {"platform": {"name": "P", "email": "p@example.com"}}, "teams": {}}
        )
