with platform_events as (
    select * from {{ source('clean', 'platform_events') }}
),

final as (
    select
        event_id,
        day as happened_on,
        kind,
        subject,
        channel,
        hours,
        counted,
        total
    from platform_events
)

select * from final
