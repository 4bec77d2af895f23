{#
  Every row satisfies `expression`; a row for which it is null fails too. For a model replaced by changed days, `day`
  names its day column: then only rows just replaced are looked at, since the others were when they were written.
#}
{% test expression_is_true(model, expression, day=none) %}
{%- set changed = changed_days() if day else none %}
select 1 as failing
from {{ model }}
where coalesce({{ expression }}, false) = false
{% if changed is not none %}and {{ in_dates(day, changed) }}{% endif %}
{% endtest %}
