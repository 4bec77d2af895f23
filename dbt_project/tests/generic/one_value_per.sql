{# A functional dependency: rows of equal `key` agree on each of `columns`. #}
{% test one_value_per(model, key, columns) %}
select {{ key }}
from {{ model }}
group by {{ key }}
having
    {% for column in columns -%}
    min({{ column }}) <> max({{ column }}){{ ' or ' if not loop.last }}
    {%- endfor %}
{% endtest %}
