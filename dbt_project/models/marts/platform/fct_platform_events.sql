with platform_events as (
    select * from {{ ref('stg_platform_events') }}
),

final as (
    select
        {{ dbt.concat(["kind", "'-'", "event_id"]) }} as platform_event_id,
        happened_on,
        kind,
        subject,
        channel,
        cast(hours as decimal(18, 2)) as hours,
        counted,
        total
    from platform_events
)

select * from final
