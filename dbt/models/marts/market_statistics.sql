-- Option volumes of a whole day by product. Open interest is the clearing's, known the next morning only.
with told as (
    select * from {{ source('facts', 'market_statistics') }}
    qualify {{ one_of(['session', 'product', 'available_at'], 'ingested_at desc, body_sha256') }}
),

both_moments as (
    select * replace (
        null::double as call_open_interest, null::double as put_open_interest, null::double as total_open_interest
    )
    from told
    where available_at < {{ midnight('session + 1') }}
    union all
    select * replace (greatest(available_at, {{ midnight('session + 1') }}) as available_at)
    from told
    qualify {{ one_of(['session', 'product', 'greatest(available_at, ' ~ midnight('session + 1') ~ ')'],
        'told.available_at desc') }}
)

select
    session, product,
    call_volume, put_volume, total_volume,
    call_open_interest, put_open_interest, total_open_interest,
    put_call_ratio,
    event_time, available_at, ingested_at
from both_moments
qualify {{ changed(['call_volume', 'put_volume', 'total_volume', 'call_open_interest', 'put_open_interest',
    'total_open_interest', 'put_call_ratio'], ['session', 'product']) }}
