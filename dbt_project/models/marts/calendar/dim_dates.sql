with days as (
    {{ dbt.date_spine('day', "cast('2016-01-01' as date)", "cast('2020-01-01' as date)") }}
),

final as (
    select
        cast(date_day as date) as date_day,
        {{ week_of('date_day') }} as week_start,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start,
        cast({{ dbt.date_trunc('quarter', 'date_day') }} as date) as quarter_start,
        cast({{ dbt.date_trunc('year', 'date_day') }} as date) as year_start,
        cast({{ dbt.datediff(dbt.date_trunc('week', 'date_day'), 'date_day', 'day') }} + 1 as bigint) as weekday,
        {{ dbt.datediff(dbt.date_trunc('week', 'date_day'), 'date_day', 'day') }} >= 5 as is_weekend
    from days
)

select * from final
