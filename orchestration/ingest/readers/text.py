"""Bytes of a landed file -> text, or the line that is not in the declared encoding."""

from __future__ import annotations

from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.result import SourceError

UTF_8 = "utf-8-sig"  # with or without a byte order mark
_START = 1 << 16


def codec(encoding: str) -> str:
    """Python's codec for a declared encoding."""
    return UTF_8 if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def first_text(file: LandedFile, encoding: str) -> str:
    """The beginning of ``file``; what is not in this encoding shows as U+FFFD."""
    with file.path.open("rb") as stream:
        return stream.read(_START).decode(encoding, errors="replace")


def decoded(file: LandedFile, encoding: str) -> str:
    """The whole text of ``file``. Raises `SourceError` with the line that is not in this encoding."""
    data = file.path.read_bytes()
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(
            f"{file.name}:{line} is not {encoding.removesuffix('-sig')} text; set options.encoding"
        ) from None
