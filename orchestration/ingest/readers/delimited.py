"""CSV: all files of a run in one scan per header, every field as text, so that all casting is done in one place."""

# ruff: noqa: S608 - names are quoted, values are parameters

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.ingest.casting import Raw
from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.readers.base import Reader
from orchestration.ingest.readers.text import UTF_8, codec, decoded, first_text
from orchestration.ingest.relation import Relation, Target, match
from orchestration.ingest.result import Reject, SourceError
from orchestration.ingest.spec import AnySource

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SCAN = (
    "read_csv($files_{n}, columns = $columns_{n}, auto_detect = false, header = $header, delim = $delimiter,"
    " quote = $quote, escape = $escape, strict_mode = true, nullstr = $nulls,"
    " store_rejects = true, filename = true)"
)
_LONGEST_FIELD = 1 << 24  # more than DuckDB's longest line; Python's default is shorter than real free text
_DROPPED = "reject_errors JOIN reject_scans USING (scan_id, file_id)"


class DelimitedReader(Reader):
    """CSV files. DuckDB leaves out lines that are no rows by itself and keeps them in its reject tables."""

    _leavings = ("reject_errors", "reject_scans")

    def __init__(self, con: DuckDBPyConnection, spec: AnySource, workspace: Path) -> None:
        super().__init__(con, spec, workspace)
        self._codec = codec(spec.options.encoding)
        self._names: dict[str, str] = {}

    def relations(self, files: Sequence[LandedFile]) -> list[Relation]:
        """One relation per distinct header."""
        groups: dict[tuple[str, ...], list[LandedFile]] = {}
        for file in files:
            groups.setdefault(tuple(self._header(file)), []).append(file)
        self.close()
        return [self._relation(n, list(header), group) for n, (header, group) in enumerate(groups.items())]

    def dropped_rows(self) -> int:
        """Lines that are no rows: too many or too few fields, broken quotes, another encoding."""
        row = self.con.execute(f"SELECT count(DISTINCT (file_path, line_byte_position)) FROM {_DROPPED}").fetchone()
        return int(row[0]) if row else 0

    def dropped(self, limit: int | None = None) -> list[Reject]:
        """Those lines, one complaint each."""
        cut = "" if limit is None else f" LIMIT {limit}"
        columns = "file_path, line_byte_position, first(error_message), first(csv_line)"
        rows = self.con.execute(f"SELECT {columns} FROM {_DROPPED} GROUP BY 1, 2 ORDER BY 1, 2{cut}").fetchall()
        found: list[Reject] = []
        for path, group in groupby(rows, key=itemgetter(0)):
            lines = _line_numbers(Path(path))
            for _, position, message, text in group:
                found.append(Reject(self._names[path], lines(position), None, str(message).splitlines()[0], text))
        return found

    def rejects(self, file: LandedFile, columns: Sequence[Target], limit: int | None = None) -> list[Reject]:
        """Bad values with their lines: DuckDB knows the values, reading the file again finds where they stand."""
        header = self._header(file)
        found = match(self.spec, header, file.name)
        wanted: dict[int, dict[str | None, Reject]] = {}
        for reject in super().rejects(file, columns, limit):
            wanted.setdefault(header.index(found[str(reject.column)]), {})[reject.raw] = reject
        placed: list[Reject] = []
        with file.path.open(encoding=self._codec, errors="replace", newline="") as stream:
            for line, record in self._records(stream):
                if len(record) == len(header) and (line > 1 or not self.spec.options.header):
                    bad = [values.get(self._key(record[n])) for n, values in wanted.items()]
                    placed += [replace(reject, line=line) for reject in bad if reject]
                if limit is not None and len(placed) >= limit:
                    break
        return placed

    def _key(self, text: str) -> str | None:
        return None if text in self.spec.options.null_values else text

    def _relation(self, n: int, header: list[str], files: list[LandedFile]) -> Relation:
        found = match(self.spec, header, f"{files[0].name}:1")
        paths = [self._readable(file) for file in files]
        self._names |= {str(path): file.name for path, file in zip(paths, files, strict=True)}
        options = self.spec.options
        return Relation(
            _SCAN.format(n=n),
            {target: Raw(f"c{header.index(name)}") for target, name in found.items()},
            file=f"substr(filename, $root_{n})",
            parameters={
                f"files_{n}": [str(path) for path in paths],
                f"columns_{n}": {f"c{index}": "VARCHAR" for index in range(len(header))},
                f"root_{n}": len(str(paths[0])) - len(files[0].name) + 1,
                **options.model_dump(include=set(options.CSV_ONLY)),
            },
        )

    def _header(self, file: LandedFile) -> list[str]:
        text = first_text(file, self._codec)
        if not text.strip():
            raise SourceError(f"{file.name}:1 the file is empty; a delivery without rows still has its header")
        first = next(self._records(io.StringIO(text, newline="")))[1]
        if any("\ufffd" in name for name in first):
            raise SourceError(f"{file.name}:1 is not {self.spec.options.encoding} text; set options.encoding")
        if self.spec.options.header:
            return first
        names = [self.spec.origin(name) for name in self.spec.columns]
        if len(first) != len(names):
            raise SourceError(f"{file.name}:1 has {len(first)} columns, {self.spec.name}.yml declares {len(names)}")
        return names

    def _records(self, stream: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        """Records with the line each begins on."""
        csv.field_size_limit(_LONGEST_FIELD)
        options = self.spec.options
        doubled = options.escape == options.quote
        rows = csv.reader(
            stream,
            delimiter=options.delimiter,
            quotechar=options.quote,
            escapechar=None if doubled else options.escape,
            doublequote=doubled,
        )
        line = 1
        for row in rows:
            yield line, row
            line = rows.line_num + 1

    def _readable(self, file: LandedFile) -> Path:
        """The file as UTF-8: itself, or a copy in the workspace (DuckDB does not read GB18030)."""
        if self._codec == UTF_8:
            return file.path
        copy = self.workspace / file.name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(decoded(file, self._codec).encode())
        return copy


def _line_numbers(path: Path) -> Callable[[int], int]:
    """Byte position (from 1, ascending calls) -> line. DuckDB's own count is of records, which may span lines."""
    data, place, line = path.read_bytes(), 0, 1

    def number(position: int) -> int:
        nonlocal place, line
        line += data.count(b"\n", place, position - 1)
        place = position - 1
        return line

    return number
