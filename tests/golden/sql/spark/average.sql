-- sales_total_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  cast(sum(m__sum) as decimal(28, 6)) as m__sum,
  sum(m__count) as m__count
from metrics.sales_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- total_month
select
  *
from sales_total_month as keys;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(cast(m__sum as double) / nullif(cast(m__count as double), 0) as decimal(28, 6)) as value,
  cast(m__sum as decimal(28, 6)) as numerator,
  cast(m__count as decimal(28, 6)) as denominator,
  'a21fd38eadee283c' as definition
from total_month
where
  not (
    cast(m__sum as double) / nullif(cast(m__count as double), 0)
  ) is null;
