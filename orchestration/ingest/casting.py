"""Raw value -> typed value or a reason, as SQL. The one place that decides what text counts as a number or a day. Pure.

Stricter than DuckDB's own casts where those guess: 1.5 is no integer (DuckDB rounds it to 2), NaN and infinity are no
numbers, and an offset in a timestamp is applied (DuckDB drops it).
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.ingest.columns import Options

TEXT = "VARCHAR"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_LOSSLESS = {
    "bigint": _INTEGERS,
    "integer": ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"),
    "double": (*_INTEGERS, "FLOAT", "DOUBLE"),
    "timestamp": ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
    "date": ("DATE",),
    "boolean": ("BOOLEAN",),
}
_EXPECTED = {
    "bigint": "a whole number",
    "integer": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date",
    "timestamp": "a timestamp",
    "json": "JSON",
}
# Whether a text timestamp carries an offset: cheaper than a pattern; any of "...+08", "...00-08:00", "...00.123" may.
_MAY_HAVE_OFFSET = "(length({0}) > 19 OR contains({0}, '+'))"


@dataclass(frozen=True)
class Raw:
    """A column as the source has it: an SQL expression and its DuckDB type."""

    expression: str
    type: str = TEXT

    @property
    def is_text(self) -> bool:
        """Whether its values are written, not typed."""
        return self.type == TEXT


@dataclass(frozen=True)
class Cast:
    """A typed column, as expressions: its value, whether it is bad (None: never), its raw text, and why it is bad."""

    value: str
    bad: str | None
    raw: str
    reason: str


def sql_type(declared: str) -> str:
    """DuckDB's name of a declared type."""
    return declared.upper()


def cast(raw: Raw, declared: str, options: Options, required: bool = False) -> Cast:
    """How ``raw`` becomes ``declared``. Uses the parameters of `parameters`."""
    source = raw.expression if raw.is_text else _without_nan(raw)
    value = _from_text(source, declared, options) if raw.is_text else _from_typed(source, raw.type, declared)
    certain = declared == "varchar" or raw.type in _LOSSLESS.get(declared, ()) or raw.type == sql_type(declared)
    tests = [] if certain else [f"({value}) IS NULL AND ({source}) IS NOT NULL"]
    if required:
        tests = [f"({value}) IS NULL"]
    expected = _EXPECTED.get(declared, f"a {declared}")
    text = f"CAST({raw.expression} AS VARCHAR)"
    reason = (
        f"CASE WHEN ({source}) IS NULL THEN 'has no value' ELSE '\"' || left({text}, 200) || '\" is not {expected}' END"
    )
    return Cast(value, tests[0] if tests else None, text, reason)


def blanked(expression: str) -> str:
    """A text expression with the source's ``null_values`` as nulls. CSV needs none: its scan does that itself."""
    return f"CASE WHEN list_contains($nulls, {expression}) THEN NULL ELSE {expression} END"


def parameters(options: Options) -> dict[str, object]:
    """Values of the parameters in the expressions made here; a statement takes those it mentions."""
    return {
        "nulls": list(options.null_values),
        "date_format": options.date_format,
        "timestamp_format": options.timestamp_format,
    }


def _without_nan(raw: Raw) -> str:
    if raw.type in ("FLOAT", "DOUBLE"):  # how pandas writes "no value"
        return f"CASE WHEN isnan({raw.expression}) THEN NULL ELSE {raw.expression} END"
    return raw.expression


def _from_text(text: str, declared: str, options: Options) -> str:
    if declared in ("bigint", "integer"):
        whole = f"TRY_CAST({text} AS {sql_type(declared)})"
        # 5.0 is whole; 1.5 and 15e-1 are not, though TRY_CAST rounds both to 2.
        tail = f"regexp_full_match({text}, '\\s*[+-]?\\d+\\.0*\\s*')"
        plain = f"NOT (contains({text}, '.') OR contains({text}, 'e') OR contains({text}, 'E'))"
        return f"CASE WHEN {plain} OR {tail} THEN {whole} END"
    if declared == "double":
        number = f"TRY_CAST({text} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if declared == "timestamp":
        if options.timestamp_format is not None:
            return f"try_strptime({text}, $timestamp_format)"
        zoned = f"CAST(TRY_CAST({text} AS TIMESTAMPTZ) AS TIMESTAMP)"
        return f"CASE WHEN {_MAY_HAVE_OFFSET.format(f'({text})')} THEN {zoned} ELSE TRY_CAST({text} AS TIMESTAMP) END"
    if declared == "date":
        if options.date_format is not None:
            return f"CAST(try_strptime({text}, $date_format) AS DATE)"
        return f"coalesce(TRY_CAST({text} AS DATE), CAST(TRY_CAST({text} AS TIMESTAMP) AS DATE))"
    if declared == "json":
        return f"CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) END"
    return text if declared == "varchar" else f"TRY_CAST({text} AS {sql_type(declared)})"


def _from_typed(source: str, kind: str, declared: str) -> str:
    nested = kind.endswith(("]", ")")) and not kind.startswith("DECIMAL")
    if declared == "json":
        return f"to_json({source})"
    if declared == "varchar":
        return f"CAST(to_json({source}) AS VARCHAR)" if nested else f"CAST({source} AS VARCHAR)"
    if kind == sql_type(declared):
        return source
    if declared in ("bigint", "integer") and kind.startswith(("FLOAT", "DOUBLE", "DECIMAL")):
        return f"CASE WHEN ({source}) = trunc({source}) THEN TRY_CAST({source} AS {sql_type(declared)}) END"
    return f"TRY_CAST({source} AS {sql_type(declared)})"
