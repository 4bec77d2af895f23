{# Monday of the week of a date expression. #}
{% macro week_of(day) -%}
    cast({{ dbt.date_trunc('week', day) }} as date)
{%- endmacro %}

{# Monday of a promotion week number. #}
{% macro promotion_week_start(week) -%}
    cast({{ dbt.dateadd('day', '7 * (' ~ week ~ ' - 1)', "cast('" ~ var('first_promotion_week') ~ "' as date)") }} as date)
{%- endmacro %}

{# Numbers of the promotion weeks that start on these Mondays, comma separated; 0, which is no week, for none. #}
{% macro promotion_weeks(mondays) -%}
    {%- set first = modules.datetime.date.fromisoformat(var('first_promotion_week')) -%}
    {%- set numbers = [] -%}
    {%- for monday in mondays or [] -%}
        {%- do numbers.append((modules.datetime.date.fromisoformat(monday) - first).days // 7 + 1) -%}
    {%- endfor -%}
    {{ (numbers or [0]) | join(', ') }}
{%- endmacro %}
