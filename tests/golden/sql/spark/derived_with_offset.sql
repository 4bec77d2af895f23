-- sales_total_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  cast(sum(sales) as decimal(28, 6)) as sales
from metrics.sales_by_store_daily
where
  day >= cast('2023-12-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- sales_store_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  store,
  cast(sum(sales) as decimal(28, 6)) as sales
from metrics.sales_by_store_daily
where
  day >= cast('2023-12-01' as date) and day < cast('2024-03-01' as date)
group by
  1,
  2;

-- total_month_moved0
select
  periods.period,
  sales as sales__1_month_before
from (
  select
    cast(period as date) as period,
    cast(looked_at as date) as looked_at
  from values
    ('2024-01-01', '2023-12-01'),
    ('2024-02-01', '2024-01-01') as written(period, looked_at)
) as periods
join sales_total_month
  on periods.looked_at = sales_total_month.period;

-- total_month
select
  keys.period,
  sales_total_month.sales,
  total_month_moved0.sales__1_month_before
from (
  select
    period
  from sales_total_month
  union
  select
    period
  from total_month_moved0
) as keys
left join sales_total_month
  on keys.period = sales_total_month.period
left join total_month_moved0
  on keys.period = total_month_moved0.period
where
  keys.period >= cast('2024-01-01' as date)
  and keys.period < cast('2024-03-01' as date);

-- store_month_moved0
select
  periods.period,
  store,
  sales as sales__1_month_before
from (
  select
    cast(period as date) as period,
    cast(looked_at as date) as looked_at
  from values
    ('2024-01-01', '2023-12-01'),
    ('2024-02-01', '2024-01-01') as written(period, looked_at)
) as periods
join sales_store_month
  on periods.looked_at = sales_store_month.period;

-- store_month
select
  keys.period,
  keys.store,
  sales_store_month.sales,
  store_month_moved0.sales__1_month_before
from (
  select
    period,
    store
  from sales_store_month
  union
  select
    period,
    store
  from store_month_moved0
) as keys
left join sales_store_month
  on keys.period = sales_store_month.period
  and keys.store is not distinct from sales_store_month.store
left join store_month_moved0
  on keys.period = store_month_moved0.period
  and keys.store is not distinct from store_month_moved0.store
where
  keys.period >= cast('2024-01-01' as date)
  and keys.period < cast('2024-03-01' as date);

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(null as string) as store,
  cast(cast(coalesce(sales, 0) as double) / nullif(cast(coalesce(sales__1_month_before, 0) as double), 0) - 1 as decimal(28, 6)) as value,
  cast(cast(coalesce(sales, 0) as double) / nullif(cast(coalesce(sales__1_month_before, 0) as double), 0) - 1 as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '501e9b49f51b9cc7' as definition
from total_month
where
  not (
    cast(coalesce(sales, 0) as double) / nullif(cast(coalesce(sales__1_month_before, 0) as double), 0) - 1
  ) is null
  and (
    sales__1_month_before is not null or sales is not null
  );

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  'store' as slice,
  cast(store as string) as store,
  cast(cast(coalesce(sales, 0) as double) / nullif(cast(coalesce(sales__1_month_before, 0) as double), 0) - 1 as decimal(28, 6)) as value,
  cast(cast(coalesce(sales, 0) as double) / nullif(cast(coalesce(sales__1_month_before, 0) as double), 0) - 1 as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  '501e9b49f51b9cc7' as definition
from store_month
where
  not (
    cast(coalesce(sales, 0) as double) / nullif(cast(coalesce(sales__1_month_before, 0) as double), 0) - 1
  ) is null
  and (
    sales__1_month_before is not null or sales is not null
  );
