"""Excel through calamine: cells as text, so that "050000" keeps its zeros and "n/a" is not silently nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from metrics_catalog.located import suggest
from orchestration.ingest.casting import Raw, blanked
from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.readers.base import Reader
from orchestration.ingest.relation import Relation, match
from orchestration.ingest.result import SourceError
from orchestration.ingest.spec import ExcelSource

_VIEW = "landed_sheet_{n}"


class ExcelReader(Reader):
    """Workbooks; ``line`` is the row of the sheet."""

    spec: ExcelSource
    _sheets = 0

    def relations(self, files: Sequence[LandedFile]) -> list[Relation]:
        """One relation per workbook."""
        self._sheets = max(self._sheets, len(files))
        return [self._relation(n, file) for n, file in enumerate(files)]

    def close(self) -> None:
        """Forget the sheets."""
        for n in range(self._sheets):
            self.con.unregister(_VIEW.format(n=n))

    def _relation(self, n: int, file: LandedFile) -> Relation:
        import pyarrow as pa

        sheet, rows = self._rows(file)
        place = f"{file.name}[{sheet}]:{self.spec.header_row}"
        if len(rows) < self.spec.header_row or not any(map(text, rows[self.spec.header_row - 1])):
            raise SourceError(f"{place} has no header; set header_row to the row with the column names")
        header = [text(cell) or "" for cell in rows[self.spec.header_row - 1]]
        body = [
            (line, row) for line, row in enumerate(rows, start=1) if line > self.spec.header_row and any(map(text, row))
        ]
        found = match(self.spec, [name for name in header if name.strip()], place)
        columns = {
            f"c{index}": pa.array([text(row[header.index(name)]) for _, row in body], pa.string())
            for index, name in enumerate(found.values())
        }
        view = _VIEW.format(n=n)
        self.con.register(view, pa.table({"line": pa.array([line for line, _ in body], pa.int64()), **columns}))
        return Relation(
            view,
            {target: Raw(blanked(f"c{index}")) for index, target in enumerate(found)},
            file=f"$file_{n}",
            line="line",
            parameters={f"file_{n}": file.name},
        )

    def _rows(self, file: LandedFile) -> tuple[str, list[list[Any]]]:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            with CalamineWorkbook.from_path(str(file.path)) as workbook:
                names = workbook.sheet_names
                sheet = self.spec.sheet or names[0]
                if sheet not in names:
                    raise SourceError(
                        f'{file.name} has no sheet "{sheet}"{suggest(sheet, names)}; it has {", ".join(names)}'
                    )
                return sheet, workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except CalamineError as error:
            raise SourceError(f"{file.name} is not an Excel workbook: {error}") from None


def text(cell: Any) -> str | None:
    """A cell as the text a CSV of it would have; None for an empty one."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat(*([" "] if isinstance(cell, datetime) else []))
    if isinstance(cell, timedelta):
        return str(cell)
    return None if cell is None or cell == "" else str(cell)
