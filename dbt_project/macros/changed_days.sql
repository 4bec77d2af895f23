{#
  Daily incremental models. The pipeline passes `changed_days`, the business days whose input changed; a model with
  `incremental_strategy='changed_days'` then replaces exactly those days, days that lost all their rows included.
  Without the variable (a plain `dbt build`) such a model is rebuilt whole: always right, only slower.

  A model that keeps one row per week says so: `meta={'changed': 'week', 'following': 7}` replaces the weeks of the
  changed days and the 7 weeks after each. One by day that is made of it, as metric models are, says
  `meta={'changed': 'days of the week', 'following': 7}` and replaces every day of those weeks.
#}

{# The days as sorted ISO strings, or none when anything may have changed. A text that is no date stops the run. #}
{% macro changed_days() %}
    {% set given = var('changed_days', none) %}
    {% if given is none %}{% do return(none) %}{% endif %}
    {% set days = [] %}
    {% for day in given %}
        {% set day = modules.datetime.date.fromisoformat(day | string).isoformat() %}
        {% if day not in days %}{% do days.append(day) %}{% endif %}
    {% endfor %}
    {% do return(days | sort) %}
{% endmacro %}

{# Mondays of the changed days, each with `preceding` weeks before and `following` weeks after it; none like above. #}
{% macro changed_weeks(preceding=0, following=0) %}
    {% set days = changed_days() %}
    {% if days is none %}{% do return(none) %}{% endif %}
    {% set weeks = [] %}
    {% for text in days %}
        {% set day = modules.datetime.date.fromisoformat(text) %}
        {% set monday = day - modules.datetime.timedelta(days=day.weekday()) %}
        {% for offset in range(-preceding, following + 1) %}
            {% set week = (monday + modules.datetime.timedelta(weeks=offset)).isoformat() %}
            {% if week not in weeks %}{% do weeks.append(week) %}{% endif %}
        {% endfor %}
    {% endfor %}
    {% do return(weeks | sort) %}
{% endmacro %}

{# Every day of those weeks; none like above. #}
{% macro changed_week_days(following=0) %}
    {% set weeks = changed_weeks(following=following) %}
    {% if weeks is none %}{% do return(none) %}{% endif %}
    {% set days = [] %}
    {% for week in weeks %}
        {% for offset in range(7) %}
            {% set day = modules.datetime.date.fromisoformat(week) + modules.datetime.timedelta(days=offset) %}
            {% do days.append(day.isoformat()) %}
        {% endfor %}
    {% endfor %}
    {% do return(days) %}
{% endmacro %}

{# `column in (dates)`; false for an empty list. #}
{% macro in_dates(column, dates) -%}
    {%- if dates -%}
        {{ column }} in ({% for day in dates %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% endfor %})
    {%- else -%}
        1 = 0
    {%- endif -%}
{%- endmacro %}

{# Overrides dbt's own: a changed_days model without the variable is rebuilt. Decided while running, not while
   parsing, so one parsed project serves both kinds of run. #}
{% macro should_full_refresh() %}
    {% set configured = config.get('full_refresh') %}
    {% set full = flags.FULL_REFRESH if configured is none else configured %}
    {% set daily = config.get('incremental_strategy') == 'changed_days' %}
    {% do return(full or (daily and changed_days() is none)) %}
{% endmacro %}

{# The strategy: delete the changed days (weeks), insert what the model selected for them. #}
{% macro get_incremental_changed_days_sql(arg_dict) %}
    {% set meta = config.get('meta', {}) %}
    {% if meta.get('changed') == 'week' %}
        {% set dates = changed_weeks(following=meta.get('following', 0)) %}
    {% elif meta.get('changed') == 'days of the week' %}
        {% set dates = changed_week_days(following=meta.get('following', 0)) %}
    {% else %}
        {% set dates = changed_days() %}
    {% endif %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict['target_relation'] }} where {{ in_dates(arg_dict['unique_key'], dates) }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}
