{#
  No two rows agree on all of `columns`. For a model replaced by changed days, `day` names its day column (or `week` its
  week column, with the `following` weeks it replaces too): then only rows just replaced are looked at, since the others
  were when they were written. Right as long as equal rows have the same day, so the day is one of `columns` or
  follows from them.
#}
{% test unique_together(model, columns, day=none, week=none, following=0) %}
{%- set changed = changed_days() if day else changed_weeks(following=following) if week else none %}
select {{ columns | join(', ') }}
from {{ model }}
{% if changed is not none %}where {{ in_dates(day or week, changed) }}{% endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
