"""Parquet: typed already; columns are cast only where the file's type is not the declared one."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.sql import quote
from orchestration.ingest.casting import Raw
from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.readers.base import Reader
from orchestration.ingest.relation import Relation, match
from orchestration.ingest.result import SourceError

_SCAN = "read_parquet($files_{n}, filename = true, file_row_number = true)"


class ParquetReader(Reader):
    """Parquet files; one relation per distinct schema."""

    def relations(self, files: Sequence[LandedFile]) -> list[Relation]:
        """The rows of ``files``. Raises `SourceError` for a file that is not Parquet."""
        groups: dict[tuple[tuple[str, str], ...], list[LandedFile]] = {}
        for file in files:
            groups.setdefault(self._schema(file), []).append(file)
        return [self._relation(n, dict(schema), group) for n, (schema, group) in enumerate(groups.items())]

    def _relation(self, n: int, schema: dict[str, str], files: list[LandedFile]) -> Relation:
        found = match(self.spec, list(schema), files[0].name)
        root = str(files[0].path).removesuffix(files[0].name)
        return Relation(
            _SCAN.format(n=n),
            {target: Raw(quote(name), schema[name]) for target, name in found.items()},
            file=f"substr(filename, $root_{n})",
            line="file_row_number + 1",
            parameters={f"files_{n}": [str(file.path) for file in files], f"root_{n}": len(root) + 1},
        )

    def _schema(self, file: LandedFile) -> tuple[tuple[str, str], ...]:
        import duckdb

        try:
            rows = self.con.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(file.path)]).fetchall()
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            reason = str(error).splitlines()[0].replace(str(file.path), file.name)
            raise SourceError(f"{file.name} is not a Parquet file: {reason}") from None
        return tuple((str(name), str(kind)) for name, kind, *_ in rows)
