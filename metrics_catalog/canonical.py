"""A dbt model's text without comments, whitespace, keyword case and the names of CTEs and aliases. Pure.

Two texts that mean different things never come out the same; some that mean the same come out different, where that
cannot be told for sure. Tokens are kept as written, so nothing is lost to a parser: the syntax tree only says which
names may be replaced, which are those that stand nowhere else, neither as a column nor in Jinja nor in a string.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import Token, exp

_QUOTED = r"\"[^\"]*\"|'[^']*'"
_TAG = re.compile(
    rf"\{{\#.*?\#\}}|\{{\{{(?:{_QUOTED}|(?!\}}\}}).)*\}}\}}|\{{%(?:{_QUOTED}|(?!%\}}).)*%\}}",
    re.DOTALL,
)
# Blocks that take the text in them as it is, whitespace included.
_VERBATIM = re.compile(r"\{%[-+]?\s*(?:raw|call|filter|macro|set\s+[\w\s,]+[-+]?%\})")
_PLACEHOLDER = re.compile(r"jinja_[0-9a-f]{16}")
_APART = set(" \t\r\n(),;=+")  # beside these, nothing Jinja renders runs into what stands there
_CALLED = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*)\s*\(")
_PLAIN = re.compile(r"""(?:ref|source)\(\s*(?:"[^"]*"|'[^']*')(?:\s*,\s*(?:"[^"]*"|'[^']*'))?\s*\)|this""")
_OPEN, _CLOSE = "⟨", "⟩"  # around the names given here, which no project has


@lru_cache(maxsize=1024)  # a process that stays alive asks of the same models again and again, 2 ms each
def canonical(raw_sql: str, dialect: str = "duckdb", macros: str | None = None) -> str:
    """The model's text as tokens with one space between. Its `config(...)` is left out. Never raises.

    ``macros``: all text that what stands in ``{{ }}`` may put into the SQL; names in it are kept, and without it every
    name where a macro is called that is not dbt's own. What cannot be read as SQL comes back as it is.
    """
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    expressions: list[str] = []
    sql = None if _VERBATIM.search(raw_sql) else _without_jinja(raw_sql, expressions)
    if sql is None:
        return raw_sql.strip()
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(sql)
    except (SqlglotError, ValueError, RecursionError):
        return raw_sql.strip()
    known = _known(expressions, macros)
    names = {} if known is None or "{%" in raw_sql or _OPEN in sql else _names(sql, tokens, dialect, known)
    return " ".join(_written(sql, tokens, names)).removesuffix(";").rstrip()


def _without_jinja(text: str, expressions: list[str]) -> str | None:
    """The SQL with a name in place of each tag, which stands for its content; None when braces are left over."""
    out, at = "", 0
    for tag in _TAG.finditer(text):
        out += text[at : tag.start()]
        at = tag.end()
        opened, content = tag[0][:2], tag[0][2:-2]
        if content.startswith("-"):
            out = out.rstrip()
        if content.endswith("-"):
            at += len(text[at:]) - len(text[at:].lstrip())
        if opened == "{#":
            continue
        content = _one_line(content.strip("-+"))
        if opened == "{{" and _is_config(content):
            out += " "
            continue
        if opened == "{{":
            expressions.append(content)
        mark = sha256(f"{opened}{content}".encode()).hexdigest()[:16]
        out += f"jinja_{mark}{_runs_into(out[-1:], text[at : at + 1])}{' ' if opened == '{%' else ''}"
    out += text[at:]
    return None if any(mark in out for mark in ("{{", "{%", "{#", "%}", "#}")) else out


def _runs_into(before: str, after: str) -> str:
    """Marks a tag beside a character that what it renders may become one word with."""
    return ("_l" if before and before not in _APART else "") + ("_r" if after and after not in _APART else "")


def _one_line(content: str) -> str:
    """A tag's content with single spaces outside strings."""
    if "\\" in content:
        return content
    parts = re.split(rf"({_QUOTED})", content)
    return "".join(part if number % 2 else re.sub(r"\s+", " ", part) for number, part in enumerate(parts)).strip()


def _is_config(content: str) -> bool:
    """Whether it is one call of config, which renders nothing."""
    bare = re.sub(_QUOTED, "", content)
    if not re.match(r"config\s*\(.*\)$", bare, re.DOTALL):
        return False
    depths, depth = [], 0
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        depths.append(depth)
    return "\\" not in content and 0 not in depths[bare.index("(") : -1]


def _known(expressions: list[str], macros: str | None) -> str | None:
    """All text that may be rendered into the SQL, beside names of tables; None when that is not known."""
    others = [content for content in expressions if not _PLAIN.fullmatch(content)]
    called = {name for content in others for name in _CALLED.findall(content)}
    foreign = any(not name.startswith("dbt.") for name in called) or any(
        not _CALLED.match(content) for content in others
    )
    return None if foreign and macros is None else " ".join([*others, macros or ""])


def _written(sql: str, tokens: list[Token], names: Mapping[int, str]) -> Iterator[str]:
    end = 0
    for number, token in enumerate(tokens):
        if _PLACEHOLDER.search(gap := sql[end : token.start]):
            yield gap.strip()  # a comment that Jinja writes into
        raw = sql[token.start : token.end + 1]
        if token.start in names:
            yield names[token.start]
        else:
            yield raw if _PLACEHOLDER.search(raw) or _has_case(tokens, number) else " ".join(raw.upper().split())
        end = token.end + 1
    if _PLACEHOLDER.search(sql[end:]):
        yield sql[end:].strip()


def _has_case(tokens: list[Token], number: int) -> bool:
    """Whether upper and lower case may differ: strings, names, and words of the language used as names."""
    from sqlglot import TokenType

    kind = tokens[number].token_type
    before = tokens[number - 1].token_type if number else None
    after = tokens[number + 1].token_type if number + 1 < len(tokens) else None
    if kind.name.endswith("STRING") or before in (TokenType.DOT, TokenType.ALIAS) or after == TokenType.COLON:
        return True
    is_function = kind == TokenType.VAR and after == TokenType.L_PAREN
    return kind in (TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER) and not is_function


def _names(sql: str, tokens: list[Token], dialect: str, known: str) -> dict[int, str]:
    """Where a name of a CTE or alias stands -> its new name, for the names that stand nowhere else."""
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = [tree for tree in parse(sql, dialect=dialect) if tree is not None]
    except (SqlglotError, ValueError, RecursionError):
        return {}
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return {}
    taken = {word.lower() for word in re.findall(r"\w+", known)}
    stands: dict[str, set[int]] = defaultdict(set)
    defined: dict[str, int] = {}
    for one in trees[0].find_all(exp.Identifier):
        name, start = one.name.lower(), one.meta.get("start")
        if start is None or not _is_bound(one):
            taken.add(name)
            continue
        stands[name].add(start)
        if isinstance(one.parent, exp.TableAlias):
            defined[name] = min(start, defined.get(name, start))
    for token in tokens:
        if token.token_type.name.endswith("STRING"):
            taken |= {word.lower() for word in re.findall(r"\w+", token.text)}
        elif token.text.lower() in stands and token.start not in stands[token.text.lower()]:
            taken.add(token.text.lower())
    free = sorted((start, name) for name, start in defined.items() if name not in taken)
    return {
        start: f"{_OPEN}{number}{_CLOSE}" for number, (_, name) in enumerate(free, start=1) for start in stands[name]
    }


def _is_bound(one: exp.Expr) -> bool:
    """Whether an identifier is the name of a CTE or alias, or refers to one in this query."""
    from sqlglot import exp

    parent = one.parent
    if isinstance(parent, exp.TableAlias):
        return one.arg_key == "this"
    if isinstance(parent, exp.Table):
        return one.arg_key == "this" and not parent.args.get("db") and _is_cte(parent)
    if isinstance(parent, exp.Column):
        return one.arg_key == "table" and not parent.args.get("db") and _is_source(parent, one.name.lower())
    return False


def _is_cte(table: exp.Table) -> bool:
    """Whether a table is a CTE that is defined before it is used here."""
    from sqlglot import exp

    inside: exp.Expr = table
    while (outer := inside.parent) is not None:
        ctes = outer if isinstance(outer, exp.With) else outer.args.get("with_")
        if isinstance(ctes, exp.With):
            seen = ctes.expressions
            if ctes is outer:
                seen = seen[: seen.index(inside) + bool(ctes.args.get("recursive"))]
                outer = outer.parent or outer  # whose other CTEs are not seen from here
            if any(cte.alias.lower() == table.name.lower() for cte in seen):
                return True
        inside = outer
    return False


def _is_source(column: exp.Column, name: str) -> bool:
    """Whether a column's qualifier is a table of the query around it, or of one that this is nested in."""
    from sqlglot import exp

    inside: exp.Expr = column
    while (outer := inside.parent) is not None:
        if isinstance(outer, exp.Select):
            names = [source.alias_or_name.lower() for source in _sources(outer)]
            if name in names:
                return True
            if any(map(_PLACEHOLDER.match, names)):
                return False  # it may be that table's own name
        derived = isinstance(outer, exp.Subquery) and isinstance(outer.parent, (exp.From, exp.Join))
        if isinstance(outer, exp.CTE) or derived:
            return False
        inside = outer
    return False


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    """Tables and subqueries of a query."""
    from sqlglot import exp

    if from_ := select.args.get("from_"):
        yield from_.this
    for one in (*(select.args.get("joins") or ()), *(select.args.get("laterals") or ())):
        yield one.this if isinstance(one, exp.Join) else one
