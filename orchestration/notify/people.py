"""The people of a project as they are certified, without reading its metrics or its dbt project."""

from __future__ import annotations

from metrics_catalog.governance.begun import record_of
from metrics_catalog.located import check, parsed
from metrics_catalog.project import Project
from metrics_catalog.spec.people import People

_NOBODY = People(departments={}, people={}, teams={})


def people_of(project: Project) -> People:
    """Certified people; those of the file while nothing is certified; nobody without one.

    Raises `InvalidFiles`, `OpsUnavailable`, `Damaged`.
    """
    record = record_of(project)
    if record is not None:
        from metrics_catalog.governance.certified import PEOPLE, read_as

        version = record.current(PEOPLE)
        return _NOBODY if version is None else read_as(version, People)[0]
    if not project.people.exists():
        return _NOBODY
    document = parsed(project.people.read_text(encoding="utf-8"), project.people.relative_to(project.root).as_posix())
    return check(document, People)
