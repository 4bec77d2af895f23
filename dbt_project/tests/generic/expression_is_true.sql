{# Every row satisfies `expression`; a row for which it is null fails too. #}
{% test expression_is_true(model, expression) %}
select 1 as failing
from {{ model }}
where coalesce({{ expression }}, false) = false
{% endtest %}
