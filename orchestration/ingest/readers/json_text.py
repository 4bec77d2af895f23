"""JSON lines, or one JSON array: each record's text with its number, so that a malformed one is placed, not fatal."""

# ruff: noqa: S608 - names are quoted, values are parameters

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice

from orchestration.ingest.casting import Raw, blanked
from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.readers.base import Reader
from orchestration.ingest.readers.text import codec, decoded, first_text
from orchestration.ingest.relation import Relation, match
from orchestration.ingest.result import SourceError

BATCH = 20_000
_DEFECT = (
    "CASE WHEN NOT json_valid(text) THEN 'is not valid JSON'"
    " WHEN json_type(text) <> 'OBJECT' THEN 'is not a JSON object' END"
)
_VALUES = "CASE WHEN defect IS NULL THEN json_extract_string(text, $paths) END AS v"


class JsonReader(Reader):
    """JSON files. A key a record lacks is null: JSON commonly leaves nulls out."""

    _leavings = ("landed_records",)

    def relations(self, files: Sequence[LandedFile]) -> list[Relation]:
        """The records of ``files`` as one relation."""
        self._stage(files)
        found = match(self.spec, self._keys(), files[0].name, complete=False)
        keys = {name: self.spec.origin(name) for name in self.spec.columns} | found
        return [
            Relation(
                f"(SELECT *, {_VALUES} FROM landed_records)",
                {target: Raw(blanked(f"v[{n}]")) for n, target in enumerate(keys, start=1)},
                file="file",
                line="line",
                defect="defect",
                text="text",
                parameters={"paths": [f"$.{json.dumps(key, ensure_ascii=False)}" for key in keys.values()]},
            )
        ]

    def _keys(self) -> list[str]:
        query = "SELECT DISTINCT unnest(json_keys(text)) FROM landed_records WHERE defect IS NULL ORDER BY 1"
        return [str(row[0]) for row in self.con.execute(query).fetchall()]

    def _stage(self, files: Sequence[LandedFile]) -> None:
        import pyarrow as pa

        con = self.con
        con.execute(
            "CREATE OR REPLACE TEMP TABLE landed_records (file VARCHAR, line BIGINT, text VARCHAR, defect VARCHAR)"
        )
        for file in files:
            records = self._records(file)
            while batch := list(islice(records, BATCH)):
                lines, texts = zip(*batch, strict=True)
                con.register("landed_batch", pa.table({"line": lines, "text": pa.array(texts, pa.string())}))
                con.execute(
                    f"INSERT INTO landed_records SELECT $1, line, text, {_DEFECT} FROM landed_batch", [file.name]
                )
                con.unregister("landed_batch")

    def _records(self, file: LandedFile) -> Iterator[tuple[int, str]]:
        encoding = codec(self.spec.options.encoding)
        start = first_text(file, encoding).lstrip()
        if not start:
            raise SourceError(f"{file.name}:1 the file is empty; a delivery without records is []")
        if start[0] == "[":
            return enumerate(_array(file.name, decoded(file, encoding)), start=1)
        return _lines(file, encoding)


def _lines(file: LandedFile, encoding: str) -> Iterator[tuple[int, str]]:
    try:
        with file.path.open(encoding=encoding, newline="\n") as stream:
            yield from ((number, line.rstrip("\r\n")) for number, line in enumerate(stream, start=1) if line.strip())
    except UnicodeDecodeError:
        decoded(file, encoding)  # says on which line


def _array(name: str, text: str) -> Iterator[str]:
    """The text of each record, as it stands."""
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    try:
        while (place := _after_blanks(text, place)) < len(text) and text[place] != "]":
            _, end = decoder.raw_decode(text, place)
            yield text[place:end]
            place = _after_blanks(text, end)
            if text[place : place + 1] == ",":
                place += 1
            elif text[place : place + 1] != "]":
                raise json.JSONDecodeError("expected , or ]", text, place)
        if place >= len(text):
            raise json.JSONDecodeError("the array does not end", text, place)
    except json.JSONDecodeError as error:
        raise SourceError(f"{name}:{error.lineno} is not valid JSON: {error.msg}") from None


def _after_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
