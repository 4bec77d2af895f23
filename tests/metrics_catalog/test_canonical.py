"""Reformatting a model leaves its canonical text; anything that means something else does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_catalog.canonical import canonical

MODEL = """
{{ config(materialized='table', tags=["a", "b)"]) }}

-- Sales of open stores.
with sales as (
    select * from {{ ref('stg_sales') }}
),

门店 as (
    select * from {{ source("erp", "stores") }}   {# opened ones #}
),

final as (
    select 门店.city, sum(sales.amount) as amount, count(*) filter (where sales.kind = 'Return') as returns
    from sales
    left join 门店 on sales.store_id = 门店.store_id
    where sales.sold_on >= date '2024-01-01' /* the first day */
    group by 门店.city
)

select * from final
"""
REFORMATTED = """with a as (select * from {{ref( 'stg_sales' )}}), b as (select * from {{- source("erp", "stores") }}),
c as (SELECT b.city, SUM(a.amount) AS amount, COUNT(*) FILTER (WHERE a.kind = 'Return') AS returns FROM a LEFT JOIN b
ON a.store_id = b.store_id WHERE a.sold_on >= DATE '2024-01-01' GROUP BY b.city) SELECT * FROM c;"""


def test_a_reformatted_model_is_the_same() -> None:
    reformatted = REFORMATTED.replace("ref( 'stg_sales' )", " ref('stg_sales') ").replace("from {{-", "from {{")
    assert canonical(reformatted) == canonical(MODEL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("left join", "inner join"),
        ("left join", "join"),
        (">=", ">"),
        ("'2024-01-01'", "'2024-01-02'"),
        ("'Return'", "'return'"),
        ("'Return'", "'Return '"),
        ("sales.amount", "sales.cost"),
        ("sum(", "avg("),
        ("as amount", "as sales_amount"),
        ("stg_sales", "stg_Sales"),
        ('"erp"', '"crm"'),
        ("sales.store_id = 门店.store_id", "sales.store_id = 门店.id"),
        ("    where sales.sold_on >= date '2024-01-01' /* the first day */\n", ""),
        ("select * from final", "select * from final limit 10"),
        ("select * from final", "select * from sales"),
        ("group by 门店.city", "group by all"),
        ("count(*)", "count(distinct sales.kind)"),
    ],
)
def test_another_meaning_is_another_text(old: str, new: str) -> None:
    changed = MODEL.replace(old, new)
    assert changed != MODEL
    assert canonical(changed) != canonical(MODEL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # a whole row, or a column
        ("select a from x as a", "select a from x as b"),
        # a table of the database, or the CTE being defined
        ("with x as (select * from x) select * from x", "with y as (select * from y) select * from y"),
        ("with a as (select * from b), b as (select 1) select * from a, b", "with a as (select * from c), c as (select 1) select * from a, c"),
        # a field of a struct
        ("select a.f from t where exists (select 1 from u as a where a.k = 1)", "select z.f from t where exists (select 1 from u as z where z.k = 1)"),
        ("select a.b.c from t as a", "select a.b.c from t as z"),
        # a word of the language
        ("select first.x from t as first order by y nulls first", "select last.x from t as last order by y nulls last"),
        # what Jinja writes
        ("with a as (select 1 as k), b as (select 2 as k) select {{ dbt.concat(['a.k']) }}, a.k from a, b", "with b as (select 1 as k), a as (select 2 as k) select {{ dbt.concat(['a.k']) }}, b.k from b, a"),
        ("with a as (select 1 as k), b as (select 2 as k) select {{ key() }}, a.k from a, b", "with b as (select 1 as k), a as (select 2 as k) select {{ key() }}, b.k from b, a"),
        ("select * from t as k where exists (select k.x from {{ ref('k') }})", "select * from t as z where exists (select z.x from {{ ref('k') }})"),
        ("select 1{{ x }}", "select 1 {{ x }}"),
        ("select -{{ x }}", "select - {{ x }}"),
        ("select a {{- x }}", "select a {{ x }}"),
        ("select 1 -- {{ x }} and 2", "select 1 -- {{ x }} and 3"),
        ("select '{{ x }}  a'", "select '{{ x }} a'"),
        ("select {{ f('a  b') }}", "select {{ f('a b') }}"),
        ("{% set t %}a  b{% endset %}select '{{ t }}'", "{% set t %}a b{% endset %}select '{{ t }}'"),
        ("select '{% raw %}{{ a  b }}{% endraw %}'", "select '{% raw %}{{ a b }}{% endraw %}'"),
        ("select 1 {% if a %} where x {% endif %}", "select 1 {% if b %} where x {% endif %}"),
        # text and names as they are
        ("select '-- a'", "select '-- b'"),
        ("select $$ -- a$$", "select $$ -- b$$"),
        ("select j.Name from j", "select j.name from j"),
        ("select j.Date from j", "select j.date from j"),
        ("select * from query('select * from a'), t as a where a.x", "select * from query('select * from a'), t as b where b.x"),
        ("select 1 as 'x'", "select 1 as 'X'"),
        ("select (1 + 2) * 3", "select 1 + (2 * 3)"),
        ("select a - b", "select a -- b"),
    ],
)  # fmt: skip
def test_what_only_looks_alike(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select x from a -- first\n;", "SELECT x\nFROM a"),
        ("select 1 {# a #} as one", "select 1 as one"),
        ("select {{ f(a,\n   'b') }}", "select {{ f(a, 'b') }}"),
        ("{% if a %}select 1 -- x\n{% endif %}", "{%  if a %}SELECT   1\n{% endif %}"),
        ("select l.x from t as l, (select 1) as l2", "select m.x from t as m, (select 1) as n"),
        ("with recursive r as (select 1 as n union all select r.n + 1 from r) select * from r",
         "with recursive q as (select 1 as n union all select q.n + 1 from q) select * from q"),
        ("select * from t as a where exists (select 1 from u as b where a.x = b.x)",
         "select * from t as b where exists (select 1 from u as a where b.x = a.x)"),
    ],
)  # fmt: skip
def test_what_only_looks_different(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


def test_names_that_a_known_macro_may_write_are_kept() -> None:
    one = "with a as (select 1 as k), b as (select 2 as k) select {{ key() }}, a.k from a, b"
    other = "with c as (select 1 as k), b as (select 2 as k) select {{ key() }}, c.k from c, b"
    assert canonical(one, macros="{% macro key() %}b.k{% endmacro %}") == canonical(
        other, macros="{% macro key() %}b.k{% endmacro %}"
    )
    assert canonical(one, macros="{% macro key() %}a.k{% endmacro %}") != canonical(
        other, macros="{% macro key() %}a.k{% endmacro %}"
    )
    assert canonical(one) != canonical(other)


JOINS, TESTS, COLUMNS = ("left join", "join"), ("l.x > 1", "l.x > 2", "l.s = 'A'", "l.s = 'a'"), ("l.x", "r.x", "*")
spaces = st.sampled_from([" ", "\n", "  \t", " -- 注\n", " /* left join */ "])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_two_texts_are_the_same_when_what_they_are_made_of_is(data: st.DataObject) -> None:
    def drawn() -> tuple[tuple[str, ...], str]:
        chosen = tuple(data.draw(st.sampled_from(options)) for options in (COLUMNS, JOINS, TESTS))
        left, right = data.draw(st.sampled_from([("l", "r"), ("r", "l"), ("订单", "店"), ("a1", "L")]))
        column, join, test = (
            part.replace("l.", f"{left}\0.").replace("r.", f"{right}.").replace("\0", "") for part in chosen
        )
        text = f"with {left} as (select * from t), {right} as (select * from u) select {column} from {left} {join} {right} on {left}.k = {right}.k where {test}"
        return chosen, "".join(_spaced(text, data))

    (one, text), (other, text2) = drawn(), drawn()
    assert (canonical(text) == canonical(text2)) == (one == other)


def _spaced(text: str, data: st.DataObject) -> list[str]:
    words = text.split(" ")
    keywords = {"with", "as", "select", "from", "left", "join", "on", "where"}
    shown = [word.upper() if word in keywords and data.draw(st.booleans()) else word for word in words]
    return [part for word in shown for part in (word, data.draw(spaces))]


@pytest.mark.parametrize(
    "text", ["", "select ((", "'", "{{", "{% if", "}}", "select '{% if x %}", "\0", "门店", "select {{ '}}' }}"]
)
def test_it_never_raises(text: str) -> None:
    canonical(text)
