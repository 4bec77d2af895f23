-- m__conversions_base
with visits as (
  select
    *
  from marts.fct_visits
)
select
  day,
  store,
  row_number() over (order by store nulls last, day nulls last) as place
from (
  select
    visits.visited_on as day,
    visits.store_id as store
  from visits
  where
    visits.visited_on is not null
    and (
      visits.visited_on >= cast('2024-01-01' as date)
      and visits.visited_on < cast('2024-03-08' as date)
    )
) as events
where
  store is not null;

-- m__conversions_events
with sales as (
  select
    *
  from marts.fct_sales
)
select
  sales.sold_on as day,
  sales.store_id as store,
  1 as amount
from sales
where
  sales.sold_on is not null
  and (
    sales.sold_on >= cast('2024-01-01' as date)
    and sales.sold_on < cast('2024-03-08' as date)
  );

-- m__conversions_followed
select
  m__conversions_base.day,
  laid.amount
from (
  select
    day as happened_on,
    place,
    amount,
    max(place) over (
      partition by store
      order by day nulls last, place nulls last
      rows between unbounded preceding and current row
    ) as follows
  from (
    select
      store,
      day,
      place,
      null as amount
    from m__conversions_base
    union all
    select
      store,
      day,
      null as place,
      amount
    from m__conversions_events
  ) as events
) as laid
join m__conversions_base
  on follows = m__conversions_base.place
where
  laid.place is null
  and happened_on < cast(date_add(m__conversions_base.day, 7) as date);

-- m__conversions_total_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  cast(sum(amount) as bigint) as m__conversions
from m__conversions_followed
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- visits_total_month
select
  cast(trunc(day, 'MONTH') as date) as period,
  sum(m__base) as m__base
from metrics.visits_daily
where
  day >= cast('2024-01-01' as date) and day < cast('2024-03-01' as date)
group by
  1;

-- total_month
select
  keys.period,
  m__conversions_total_month.m__conversions,
  visits_total_month.m__base
from (
  select
    period
  from m__conversions_total_month
  union
  select
    period
  from visits_total_month
) as keys
left join m__conversions_total_month
  on keys.period = m__conversions_total_month.period
left join visits_total_month
  on keys.period = visits_total_month.period;

-- values
select
  'm' as metric,
  'month' as grain,
  period,
  '' as slice,
  cast(cast(coalesce(m__conversions, 0) as double) / nullif(cast(m__base as double), 0) as decimal(28, 6)) as value,
  cast(coalesce(m__conversions, 0) as decimal(28, 6)) as numerator,
  cast(m__base as decimal(28, 6)) as denominator,
  '3a7afdd73c2f811c' as definition
from total_month
where
  not (
    cast(coalesce(m__conversions, 0) as double) / nullif(cast(m__base as double), 0)
  ) is null;
