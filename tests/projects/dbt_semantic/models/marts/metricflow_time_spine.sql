with days as (
    select
        cast(range as date) as date_day,
        date_diff('day', date '2023-01-01', cast(range as date)) // 7 as week
    from range(date '2023-01-01', date '2027-12-31', interval 1 day)
)

-- Retail months of four, four and five weeks, from the first Sunday of 2023.
select
    date_day,
    date '2023-01-01' + cast(7 * (week - case when week % 13 < 8 then week % 13 % 4 else week % 13 - 8 end) as integer) as retail_month
from days
