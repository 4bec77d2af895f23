-- sales_rows
with sales as (
  select
    *
  from marts.fct_sales
)
select
  cast(convert_timezone('America/New_York', sales.sold_on) as date) as day,
  date_trunc('HOUR', convert_timezone('UTC', sales.sold_on)) as at,
  sales.store_id as store,
  sales.member_id as value0
from sales
where
  not cast(convert_timezone('America/New_York', sales.sold_on) as date) is null
  and (
    cast(convert_timezone('America/New_York', sales.sold_on) as date) >= cast('2024-11-02' as date)
    and cast(convert_timezone('America/New_York', sales.sold_on) as date) < cast('2024-11-04' as date)
  );

-- sales_at_members_days
select
  day,
  at,
  count(case when seen is null or seen < day then 1 end) as new_in_hour
from (
  select
    day,
    at,
    value0 as entity,
    lag(day) over (partition by value0, at order by day nulls last) as seen
  from sales_rows
  where
    value0 is not null
    and (
      day >= cast('2024-11-02' as date) and day < cast('2024-11-04' as date)
    )
) as rows
group by
  1,
  2;

-- sales_at_members_hour
select
  day as period,
  at,
  nullif(cast(sum(new_in_hour) as bigint), 0) as members
from sales_at_members_days
where
  day >= cast('2024-11-02' as date) and day < cast('2024-11-04' as date)
group by
  1,
  2;

-- sales_at_store_members_days
select
  day,
  at,
  store,
  count(case when seen is null or seen < day then 1 end) as new_in_hour
from (
  select
    day,
    at,
    store,
    value0 as entity,
    lag(day) over (partition by value0, at, store order by day nulls last) as seen
  from sales_rows
  where
    value0 is not null
    and (
      day >= cast('2024-11-02' as date) and day < cast('2024-11-04' as date)
    )
) as rows
group by
  1,
  2,
  3;

-- sales_at_store_members_hour
select
  day as period,
  at,
  store,
  nullif(cast(sum(new_in_hour) as bigint), 0) as members
from sales_at_store_members_days
where
  day >= cast('2024-11-02' as date) and day < cast('2024-11-04' as date)
group by
  1,
  2,
  3;

-- at_hour_moved0
select
  periods.period,
  periods.at,
  members as members__previous
from (
  select
    cast(period as date) as period,
    cast(at as timestamp) as at,
    cast(looked_at as timestamp) as looked_at
  from values
    ('2024-11-03', '2024-11-03 04:00:00', '2024-11-03 03:00:00'),
    ('2024-11-03', '2024-11-03 05:00:00', '2024-11-03 04:00:00'),
    ('2024-11-03', '2024-11-03 06:00:00', '2024-11-03 05:00:00'),
    ('2024-11-03', '2024-11-03 07:00:00', '2024-11-03 06:00:00'),
    ('2024-11-03', '2024-11-03 08:00:00', '2024-11-03 07:00:00'),
    ('2024-11-03', '2024-11-03 09:00:00', '2024-11-03 08:00:00'),
    ('2024-11-03', '2024-11-03 10:00:00', '2024-11-03 09:00:00'),
    ('2024-11-03', '2024-11-03 11:00:00', '2024-11-03 10:00:00'),
    ('2024-11-03', '2024-11-03 12:00:00', '2024-11-03 11:00:00'),
    ('2024-11-03', '2024-11-03 13:00:00', '2024-11-03 12:00:00'),
    ('2024-11-03', '2024-11-03 14:00:00', '2024-11-03 13:00:00'),
    ('2024-11-03', '2024-11-03 15:00:00', '2024-11-03 14:00:00'),
    ('2024-11-03', '2024-11-03 16:00:00', '2024-11-03 15:00:00'),
    ('2024-11-03', '2024-11-03 17:00:00', '2024-11-03 16:00:00'),
    ('2024-11-03', '2024-11-03 18:00:00', '2024-11-03 17:00:00'),
    ('2024-11-03', '2024-11-03 19:00:00', '2024-11-03 18:00:00'),
    ('2024-11-03', '2024-11-03 20:00:00', '2024-11-03 19:00:00'),
    ('2024-11-03', '2024-11-03 21:00:00', '2024-11-03 20:00:00'),
    ('2024-11-03', '2024-11-03 22:00:00', '2024-11-03 21:00:00'),
    ('2024-11-03', '2024-11-03 23:00:00', '2024-11-03 22:00:00'),
    ('2024-11-03', '2024-11-04 00:00:00', '2024-11-03 23:00:00'),
    ('2024-11-03', '2024-11-04 01:00:00', '2024-11-04 00:00:00'),
    ('2024-11-03', '2024-11-04 02:00:00', '2024-11-04 01:00:00'),
    ('2024-11-03', '2024-11-04 03:00:00', '2024-11-04 02:00:00'),
    ('2024-11-03', '2024-11-04 04:00:00', '2024-11-04 03:00:00') as written(period, at, looked_at)
) as periods
join sales_at_members_hour
  on periods.looked_at = sales_at_members_hour.at;

-- at_hour
select
  keys.period,
  keys.at,
  sales_at_members_hour.members,
  at_hour_moved0.members__previous
from (
  select
    period,
    at
  from sales_at_members_hour
  union
  select
    period,
    at
  from at_hour_moved0
) as keys
left join sales_at_members_hour
  on keys.period = sales_at_members_hour.period
  and keys.at is not distinct from sales_at_members_hour.at
left join at_hour_moved0
  on keys.period = at_hour_moved0.period
  and keys.at is not distinct from at_hour_moved0.at
where
  keys.period >= cast('2024-11-03' as date)
  and keys.period < cast('2024-11-04' as date);

-- at_store_hour_moved0
select
  periods.period,
  periods.at,
  store,
  members as members__previous
from (
  select
    cast(period as date) as period,
    cast(at as timestamp) as at,
    cast(looked_at as timestamp) as looked_at
  from values
    ('2024-11-03', '2024-11-03 04:00:00', '2024-11-03 03:00:00'),
    ('2024-11-03', '2024-11-03 05:00:00', '2024-11-03 04:00:00'),
    ('2024-11-03', '2024-11-03 06:00:00', '2024-11-03 05:00:00'),
    ('2024-11-03', '2024-11-03 07:00:00', '2024-11-03 06:00:00'),
    ('2024-11-03', '2024-11-03 08:00:00', '2024-11-03 07:00:00'),
    ('2024-11-03', '2024-11-03 09:00:00', '2024-11-03 08:00:00'),
    ('2024-11-03', '2024-11-03 10:00:00', '2024-11-03 09:00:00'),
    ('2024-11-03', '2024-11-03 11:00:00', '2024-11-03 10:00:00'),
    ('2024-11-03', '2024-11-03 12:00:00', '2024-11-03 11:00:00'),
    ('2024-11-03', '2024-11-03 13:00:00', '2024-11-03 12:00:00'),
    ('2024-11-03', '2024-11-03 14:00:00', '2024-11-03 13:00:00'),
    ('2024-11-03', '2024-11-03 15:00:00', '2024-11-03 14:00:00'),
    ('2024-11-03', '2024-11-03 16:00:00', '2024-11-03 15:00:00'),
    ('2024-11-03', '2024-11-03 17:00:00', '2024-11-03 16:00:00'),
    ('2024-11-03', '2024-11-03 18:00:00', '2024-11-03 17:00:00'),
    ('2024-11-03', '2024-11-03 19:00:00', '2024-11-03 18:00:00'),
    ('2024-11-03', '2024-11-03 20:00:00', '2024-11-03 19:00:00'),
    ('2024-11-03', '2024-11-03 21:00:00', '2024-11-03 20:00:00'),
    ('2024-11-03', '2024-11-03 22:00:00', '2024-11-03 21:00:00'),
    ('2024-11-03', '2024-11-03 23:00:00', '2024-11-03 22:00:00'),
    ('2024-11-03', '2024-11-04 00:00:00', '2024-11-03 23:00:00'),
    ('2024-11-03', '2024-11-04 01:00:00', '2024-11-04 00:00:00'),
    ('2024-11-03', '2024-11-04 02:00:00', '2024-11-04 01:00:00'),
    ('2024-11-03', '2024-11-04 03:00:00', '2024-11-04 02:00:00'),
    ('2024-11-03', '2024-11-04 04:00:00', '2024-11-04 03:00:00') as written(period, at, looked_at)
) as periods
join sales_at_store_members_hour
  on periods.looked_at = sales_at_store_members_hour.at;

-- at_store_hour
select
  keys.period,
  keys.at,
  keys.store,
  sales_at_store_members_hour.members,
  at_store_hour_moved0.members__previous
from (
  select
    period,
    at,
    store
  from sales_at_store_members_hour
  union
  select
    period,
    at,
    store
  from at_store_hour_moved0
) as keys
left join sales_at_store_members_hour
  on keys.period = sales_at_store_members_hour.period
  and keys.at is not distinct from sales_at_store_members_hour.at
  and keys.store is not distinct from sales_at_store_members_hour.store
left join at_store_hour_moved0
  on keys.period = at_store_hour_moved0.period
  and keys.at is not distinct from at_store_hour_moved0.at
  and keys.store is not distinct from at_store_hour_moved0.store
where
  keys.period >= cast('2024-11-03' as date)
  and keys.period < cast('2024-11-04' as date);

-- values
select
  'm' as metric,
  'hour' as grain,
  period,
  'at' as slice,
  cast(at as string) as at,
  cast(null as string) as store,
  cast(coalesce(members, 0) - coalesce(members__previous, 0) as decimal(28, 6)) as value,
  cast(coalesce(members, 0) - coalesce(members__previous, 0) as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'a754b8d8c27cb11a' as definition
from at_hour
where
  not (
    coalesce(members, 0) - coalesce(members__previous, 0)
  ) is null
  and (
    members__previous is not null or members is not null
  );

-- values
select
  'm' as metric,
  'hour' as grain,
  period,
  'at,store' as slice,
  cast(at as string) as at,
  cast(store as string) as store,
  cast(coalesce(members, 0) - coalesce(members__previous, 0) as decimal(28, 6)) as value,
  cast(coalesce(members, 0) - coalesce(members__previous, 0) as decimal(28, 6)) as numerator,
  cast(null as decimal(28, 6)) as denominator,
  'a754b8d8c27cb11a' as definition
from at_store_hour
where
  not (
    coalesce(members, 0) - coalesce(members__previous, 0)
  ) is null
  and (
    members__previous is not null or members is not null
  );
