-- sales_rows
with sales as (
  select
    *
  from marts.fct_sales
)
select
  sales.sold_on as day,
  sales.store_id as store,
  sales.member_id as value0,
  sales.is_promoted as keep1
from sales
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-01-01' as date)
    and sales.sold_on < cast('2024-03-01' as date)
  );

-- sales_month_keys0
select
  cast(date_trunc('MONTH', day) as date) as period,
  value0 as entity,
  max(case when keep1 then 1 else 0 end) = 1
  and coalesce(sum(case when keep1 then 1 end), 0) >= 2 as is_m
from sales_rows
where
  (
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
  )
  and value0 is not null
group by
  1,
  2;

-- sales_month_keys0_total
select
  period,
  sum(case when is_m then 1 end) as m
from sales_month_keys0
group by
  1;

-- sales_month_keys1
select
  cast(date_trunc('MONTH', day) as date) as period,
  store,
  value0 as entity,
  max(case when keep1 then 1 else 0 end) = 1
  and coalesce(sum(case when keep1 then 1 end), 0) >= 2 as is_m
from sales_rows
where
  (
    day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
  )
  and value0 is not null
group by
  1,
  2,
  3;

-- sales_month_keys1_store
select
  period,
  store,
  sum(case when is_m then 1 end) as m
from sales_month_keys1
group by
  1,
  2;

-- total_month
select
  *
from sales_month_keys0_total as keys;

-- store_month
select
  *
from sales_month_keys1_store as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as varchar) as store,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '52c9abde2729812f' as definition
from total_month
where
  m is not null;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'store' as slice,
  cast(store as varchar) as store,
  cast(m as decimal(28, 6)) as value,
  cast(m as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '52c9abde2729812f' as definition
from store_month
where
  m is not null;
