-- sales_rows
with sales as (
  select
    *
  from marts.fct_sales
)
select
  sales.sold_on as day,
  cast(sales.amount_usd * 100 as bigint) as value0
from sales
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-01-01' as date)
    and sales.sold_on < cast('2024-03-01' as date)
  );

-- sales_month_total_quantiles
select
  cast(date_trunc('MONTH', day) as date) as period,
  cast(quantile_cont(value0, 0.9
  order by
    value0) as decimal(28, 4)) * 0.01 as m
from sales_rows
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- total_month
select
  *
from sales_month_total_quantiles as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '528cfee171d0d267' as definition
from total_month
where
  m is not null;
