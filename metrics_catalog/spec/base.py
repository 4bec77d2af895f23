"""What the files share: strict frozen models, bilingual text, names, grains."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, StringConstraints, Tag, WithJsonSchema

NAME = r"[a-z][a-z0-9_]{0,62}"
HOUR = "hour"
OF_DAYS = ("day", "week", "month", "quarter", "year")
GRAINS = (HOUR, *OF_DAYS)
# One of the above, or one of the project's own that its time spine declares (`metrics_catalog.own_grains`).
Grain = Annotated[
    str,
    StringConstraints(pattern=f"^{NAME}$"),
    WithJsonSchema({"anyOf": [{"enum": list(GRAINS)}, {"type": "string", "pattern": f"^{NAME}$"}]}),
]


def ordered(grains: Collection[str]) -> list[Grain]:
    """The grains that are in ``grains``: finest first, then the project's own as they come."""
    return [*(grain for grain in GRAINS if grain in grains), *(grain for grain in grains if grain not in GRAINS)]


Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Spec(BaseModel):
    """Base of every file model: unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(Spec):
    """A name in both languages."""

    en: Text
    zh: Text

    def to(self, language: str) -> str:
        """The text in ``language`` (``zh`` or anything else for English)."""
        return self.zh if language == "zh" else self.en


def _written(value: Any) -> str:
    return "both" if isinstance(value, (dict, Label)) else "text"


# A text that says the same in both languages, or one in whichever language it is written.
Words = Annotated[Annotated[Text, Tag("text")] | Annotated[Label, Tag("both")], Discriminator(_written)]


def said(words: str | Label, language: str) -> str:
    """A text as readers of ``language`` get it; one in a single language as it is."""
    return words if isinstance(words, str) else words.to(language)
