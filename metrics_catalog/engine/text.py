"""SQL trees as text: one dialect's words, laid out the way this project writes SQL by hand."""

from __future__ import annotations

import re

from sqlglot import exp

_QUOTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")
_BACKWARDS = re.compile(r"\bnot ([\w.]+) (is null|in \()")
_FORWARDS = {"is null": "is not null", "in (": "not in ("}


def rendered(query: exp.Expr, dialect: str, pretty: bool = False) -> str:
    """The query in ``dialect``; percentiles are exact on Spark too, where sqlglot would approximate them.

    Writing changes some trees, and copying them before takes six times as long as writing: for DuckDB, where it is done
    at each refresh, only those with order statistics are copied.
    """
    if dialect == "spark":
        query = query.transform(_exact)
    copied = dialect != "duckdb" or query.find(exp.WithinGroup) is not None
    return query.sql(dialect, pretty=pretty, copy=copied)


def _exact(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.WithinGroup):
        return node
    ordered = node.expression.expressions[0]
    return exp.Anonymous(this="percentile", expressions=[ordered.this.copy(), node.this.this.copy()])


def readable(query: exp.Expr, dialect: str = "duckdb") -> str:
    """The query in ``dialect`` on several lines, keywords in small letters, quoted text untouched."""
    parts = _QUOTED.split(rendered(query, dialect, pretty=True))
    lower = "".join(part if index % 2 else part.lower() for index, part in enumerate(parts))
    return _BACKWARDS.sub(lambda match: f"{match[1]} {_FORWARDS[match[2]]}", lower)
