"""Teams are made of people and departments that people.yml lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem, suggest

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown departments and members, and a name that is both a person's and a team's."""
    people, document = catalog.people, catalog.people_document
    for name, team in people.teams.items():
        if name in people.people:
            yield document.problem(("teams", name), f'"{name}" is both a person and a team')
        if team.department not in people.departments:
            hint = suggest(team.department, people.departments)
            message = f'team "{name}" is of department "{team.department}", which is not listed{hint}'
            yield document.problem(("teams", name, "department"), message)
        for index, member in enumerate(team.members):
            if member not in people.people:
                message = f'team "{name}" has member "{member}", who is not listed{suggest(member, people.people)}'
                yield document.problem(("teams", name, "members", index), message)
