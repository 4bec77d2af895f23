{#
  A functional dependency: rows of equal `key` agree on each of `columns`. For a model replaced by changed days, `day`
  names its day column: then only keys with a row among those just replaced are looked at, with all their rows of any
  day. A row can only break the rule together with one that is new, so nothing is missed.
#}
{% test one_value_per(model, key, columns, day=none) %}
{%- set changed = changed_days() if day else none %}
select {{ key }}
from {{ model }}
{% if changed is not none %}where {{ key }} in (select {{ key }} from {{ model }} where {{ in_dates(day, changed) }}){% endif %}
group by {{ key }}
having
    {% for column in columns -%}
    min({{ column }}) <> max({{ column }}){{ ' or ' if not loop.last }}
    {%- endfor %}
{% endtest %}
