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
  period,
  max(sales) as sales,
  max(sales__1_month_before) as sales__1_month_before
from (
  select
    period,
    sales,
    cast(null as decimal(28, 6)) as sales__1_month_before
  from sales_total_month
  union all
  select
    period,
    null,
    sales__1_month_before
  from total_month_moved0
) as pieces
where
  period >= cast('2024-01-01' as date) and period < cast('2024-03-01' as date)
group by
  1;

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
  period,
  store,
  max(sales) as sales,
  max(sales__1_month_before) as sales__1_month_before
from (
  select
    period,
    store,
    sales,
    cast(null as decimal(28, 6)) as sales__1_month_before
  from sales_store_month
  union all
  select
    period,
    store,
    null,
    sales__1_month_before
  from store_month_moved0
) as pieces
where
  period >= cast('2024-01-01' as date) and period < cast('2024-03-01' as date)
group by
  1,
  2;

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
