"""Which incident a trouble belongs to: one that is open, or one of its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from metrics_catalog.monitoring.finding import Finding
from metrics_catalog.monitoring.incident import Incident
from metrics_catalog.monitoring.trouble import Member, Trouble
from metrics_catalog.spec.alerting import Cause

# They explain the days they are of. What is still unusual on a later one is unusual for another reason; a changed
# definition or model goes on being why.
PASSING: tuple[Cause, ...] = ("late", "check", "event")


@dataclass(frozen=True)
class Belonging:
    """``shares``: the findings that go on in each incident, by number. ``own``: those that open an incident.

    ``left``: what incidents no longer have, as it is of this trouble now. A trouble without findings opens one if
    nothing shares it.
    """

    shares: Mapping[int, tuple[Finding, ...]] = field(default_factory=dict)
    own: tuple[Finding, ...] = ()
    left: Mapping[int, frozenset[Member]] = field(default_factory=dict)


class Lasting:
    """Incidents that are not over, oldest first; what two of them hold is with the newer."""

    def __init__(self, incidents: Iterable[Incident]) -> None:
        self.by_number = {one.number: one for one in incidents}
        self.by_key = {one.key: one.number for one in self.by_number.values()}
        self._holder = {member: one.number for one in self.by_number.values() for member in one.series}

    def of(self, trouble: Trouble) -> Belonging:
        """Where a trouble belongs."""
        held = {member: self._holder[member] for member in trouble.members if member in self._holder}
        owners = {number for number in held.values() if goes_on(self.by_number[number], trouble)}
        numbers = [self.by_key[trouble.key]] if trouble.key in self.by_key else []
        numbers += [held[member] for member in map(Member.of, trouble.findings) if held.get(member) in owners]
        shares: dict[int, list[Finding]] = {number: [] for number in numbers}
        apart = not numbers or self._leads(trouble, held, numbers)
        own: list[Finding] = []
        for one in trouble.findings:
            number = held.get(Member.of(one))
            if number in shares:
                shares[number].append(one)
            elif apart:
                own.append(one)
            else:
                shares[numbers[0]].append(one)
        if trouble.findings and not trouble.text:  # else what the pipeline says may be news by itself
            shares = {number: some for number, some in shares.items() if some}
        lost = set(held.values()) - set(shares) if trouble.explained.cause == "move" else set()
        left = {number: frozenset(one for one in held if held[one] == number) for number in lost}
        return Belonging({number: tuple(some) for number, some in shares.items()}, tuple(own), left)

    def _leads(self, trouble: Trouble, held: Mapping[Member, int], numbers: Iterable[int]) -> bool:
        """Whether a move is first of all one of a metric that none of these incidents is about.

        Who answers for it would hear nothing if it joined what others have left open.
        """
        leading = trouble.leading
        if leading is None or trouble.explained.cause != "move" or Member.of(leading) in held:
            return False
        return all(leading.series.metric not in self.by_number[number].metrics for number in numbers)


def goes_on(incident: Incident, trouble: Trouble) -> bool:
    """Whether a trouble with something of an incident in it is the same matter.

    A cause of its own makes it another one, unless it is why the very period is unusual that the incident was opened
    for: then it is known better.
    """
    if incident.key == trouble.key:
        return True
    if trouble.explained.cause == "move":
        return not (incident.cause in PASSING and trouble.explained.fresh)
    return any(_opened_for(incident, one) for one in trouble.findings)


def _opened_for(incident: Incident, finding: Finding) -> bool:
    data, series = incident.data, finding.series
    return (data.get("period"), incident.metric, data["rule"], data.get("grain", series.grain), data["members"]) == (
        finding.period.isoformat(),
        series.metric,
        finding.rule,
        series.grain,
        [list(pair) for pair in series.members],
    )
