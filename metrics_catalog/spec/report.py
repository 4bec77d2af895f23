"""One scheduled report: ``metrics_catalog/reports/<name>.yml``. Adding a report is adding such a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from metrics_catalog.spec.base import Grain, Label, Name, Spec, Text, Words

Compare = Literal["previous", "year"]
Late = Literal["send", "wait", "hold"]
CORE = 8  # metrics a reader can keep in mind
FACTS = ("value", "change", "before", "target", "year")  # what a text may say of a metric
_HOLE = re.compile(r"\{([^{}]*)\}")


class Audience(Spec):
    """Who gets it: ``people`` and ``teams``, or ``per``: a copy for each member of a dimension.

    Such a copy has the member's own numbers and goes to whoever answers for the member (``answers_for`` in people.yml);
    ``people`` and ``teams`` then get the total.
    """

    people: tuple[Name, ...] = ()
    teams: tuple[Name, ...] = ()
    per: Name | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Audience:
        if not (self.people or self.teams or self.per):
            raise ValueError("names nobody: give people, teams, or per")
        return self


class Section(Spec):
    """What every section may have: a ``title`` of its own."""

    title: Label | None = None


class Headline(Section):
    """The main numbers, each with what it was, its target and its course."""

    type: Literal["headline"]
    metrics: Annotated[tuple[Name, ...], Field(min_length=1)]
    compare: Compare = "previous"


class Trend(Section):
    """Metrics over the last ``periods``, side by side; ``compare: year`` draws the year before too."""

    type: Literal["trend"]
    metrics: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8)]
    periods: Annotated[int, Field(ge=2, le=120)] = 13
    compare: Literal["year"] | None = None


class Breakdown(Section):
    """A metric by the members of ``by``: value, share and change of the ``top`` ones, the rest together."""

    type: Literal["breakdown"]
    metric: Name
    by: Name
    top: Annotated[int, Field(ge=1, le=50)] = 8
    compare: Compare = "previous"


class Ranking(Section):
    """The best and the last members of ``by``, or in a copy for one member its own place."""

    type: Literal["ranking"]
    metric: Name
    by: Name
    top: Annotated[int, Field(ge=1, le=20)] = 5
    bottom: Annotated[int, Field(ge=0, le=20)] = 5
    compare: Compare = "previous"


class Contribution(Section):
    """Which members of ``by`` made a metric's change; what they gave adds up to it."""

    type: Literal["contribution"]
    metric: Name
    by: Name
    top: Annotated[int, Field(ge=1, le=20)] = 6
    compare: Compare = "previous"


class Prose(Section):
    """A text with facts filled in: ``{net_sales}``, ``{net_sales.change}``, ``.before``, ``.target``, ``{period}``."""

    type: Literal["text"]
    text: Label

    @field_validator("text")
    @classmethod
    def _facts(cls, text: Label) -> Label:
        for hole in {*holes(text.en), *holes(text.zh)}:
            metric, _, fact = hole.partition(".")
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", metric) or (fact and fact not in FACTS):
                raise ValueError(f'"{{{hole}}}" is not a fact: {{metric}} or {{metric.fact}}, fact: {", ".join(FACTS)}')
        return text


AnySection = Annotated[
    Annotated[Headline, Tag("headline")]
    | Annotated[Trend, Tag("trend")]
    | Annotated[Breakdown, Tag("breakdown")]
    | Annotated[Ranking, Tag("ranking")]
    | Annotated[Contribution, Tag("contribution")]
    | Annotated[Prose, Tag("text")],
    Discriminator(
        lambda value: str(value.get("type") if isinstance(value, dict) else getattr(value, "type", None)),
        custom_error_type="section_type",
        custom_error_message="type must be one of headline, trend, breakdown, ranking, contribution, text",
    ),
]


class Report(Spec):
    """The whole file.

    ``grain``: what one issue is about, the last one that is over. ``schedule``: cron, in the policy's time zone; None:
    only when asked for. ``language``: else each reader's own. ``on_late``: when data of the period is missing, ``send``
    it with what is missing said on top, ``wait`` for it (``wait_hours`` at most), or ``hold`` it until it is there.
    ``files``: made beside the page: a PDF, and a picture of the first chart. ``insights``: sentences on what stands
    out, at most.
    """

    label: Label
    description: Words | None = None
    owner: Name
    grain: Grain = "week"
    schedule: Text | None = None
    audience: Audience
    language: Literal["en", "zh"] | None = None
    on_late: Late = "send"
    wait_hours: Annotated[int, Field(ge=1, le=720)] = 24
    files: tuple[Literal["pdf", "png"], ...] = ("pdf", "png")
    insights: Annotated[int, Field(ge=0, le=12)] = 5
    sections: Annotated[tuple[AnySection, ...], Field(min_length=1)]

    @field_validator("schedule")
    @classmethod
    def _cron(cls, schedule: str | None) -> str | None:
        from croniter import croniter

        if schedule is not None and (len(schedule.split()) != 5 or not croniter.is_valid(schedule)):
            raise ValueError(f'"{schedule}" is not a cron schedule, such as "0 8 * * 1" for Mondays at 8')
        return schedule

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric it shows, in order, each once."""
        return tuple(dict.fromkeys(name for section in self.sections for _, name in named(section)))


def named(section: AnySection) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The metrics a section names, each with its place in the section."""
    if isinstance(section, (Headline, Trend)):
        yield from ((("metrics", index), name) for index, name in enumerate(section.metrics))
    elif isinstance(section, Prose):
        for language in ("en", "zh"):
            for hole in holes(section.text.to(language)):
                if hole != "period":
                    yield ("text", language), hole.partition(".")[0]
    else:
        yield ("metric",), section.metric


def holes(text: str) -> list[str]:
    """What stands in braces."""
    return _HOLE.findall(text)


def filled(text: str, facts: dict[str, str]) -> str:
    """The text with each brace's fact."""
    return _HOLE.sub(lambda found: facts[found[1]], text)
