{#
  A slowly changing dimension: rows of equal `key` are never valid at the same time. A row is valid from `valid_from` up
  to, and without, `valid_to`; null means to this day. What joins it by the key and a day then finds one row at most.
  Each row that begins before the one before it has ended is a failure; one that ends before it begins never holds.
#}
{% test one_row_at_a_time(model, key, valid_from, valid_to) %}
with held as (
    select {{ key }} as row_key, {{ valid_from }} as row_from, {{ valid_to }} as row_to
    from {{ model }}
    where {{ key }} is not null and {{ valid_from }} is not null
        and ({{ valid_to }} is null or {{ valid_from }} < {{ valid_to }})
),

followed as (
    select row_key, row_from, row_to, lead(row_from) over (partition by row_key order by row_from, row_to) as next_from
    from held
)

select row_key, row_from, row_to, next_from
from followed
where next_from is not null and (row_to is null or next_from < row_to)
{% endtest %}
