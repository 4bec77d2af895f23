select invoice_number
from {{ ref('fct_invoice_lines') }}
group by invoice_number
having
    count(distinct customer_id) > 1
    or (count(customer_id) > 0 and count(customer_id) < count(*))
    or count(distinct country) > 1
    or count(distinct invoiced_on) > 1
    or count(distinct is_cancellation) > 1
