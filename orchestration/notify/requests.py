"""Letters about change requests: whoever may answer is asked, and told how it ended. Governance knows nothing of it.

Put in whenever the ledger moved; a letter that says what it said before is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metrics_catalog.governance.request_message import request_message
from metrics_catalog.message import Letter
from metrics_catalog.project import Project
from orchestration.notify.actions.requests import office_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.governance.office import Office
    from metrics_catalog.governance.record import Request

# Entries of the ledger after which a request reads otherwise.
KINDS = ("submitted", "previewed", "approved", "rejected", "withdrawn", "expired", "effective", "certified", "released")
_PREFIX = "request/"


def newest(engine: Engine) -> int:
    """Number of the last ledger entry that concerns requests; 0: none. One cheap query. Raises `OpsUnavailable`."""
    from metrics_catalog.governance.ledger import Ledger

    return Ledger(engine).newest(*KINDS) if Ledger(engine).newest("submitted") else 0


def put_letters(project: Project, engine: Engine) -> int:
    """Bring the letters of requests up to date; how many are new or changed.

    Raises `OpsUnavailable`, `Damaged`, `InvalidFiles`.
    """
    from metrics_catalog.ops.letters import keys
    from metrics_catalog.ops.outbox import put
    from metrics_catalog.ops.store import writing

    known = keys(engine, _PREFIX)
    with office_of(project) as office:
        letters = [letter for one in office.record.requests.values() for letter in _letters(office, one, known)]
    with writing(engine, None) as con:
        return put(con, letters, datetime.now(UTC))


def _letters(office: Office, request: Request, known: set[str]) -> Iterator[Letter]:
    """To all who may answer now, and to those who were asked before."""
    from metrics_catalog.monitoring.routing import addresses

    people = office.official.people
    missing = office.desk.missing(request)
    asked = {person for some in missing.values() for person in some}
    before = {name for name in people.people if f"{_PREFIX}{request.name}/{name}" in known}
    for name in sorted(asked | before):
        for to in list(addresses(people, name, "approver"))[:1]:
            message = request_message(request, name, missing, office.record.before(request), to.language)
            yield Letter(f"{_PREFIX}{request.name}/{name}", to.channel, to.address, message)
