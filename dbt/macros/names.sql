{#
  By what name an instrument went on a session, as known at a moment, and since when it had any: one row a moment. `moments`
  has moment_no, session, session_no, instrument_id and available_at.
#}
{% macro names_at(moments, symbols) %}
    (
        with intervals as (
            select m.moment_no, m.session, m.session_no, s.symbol, s.valid_from, s.valid_to, s.withdrawn, s.ingested_at
            from {{ moments }} as m
            join {{ symbols }} as s
                on s.instrument_id = m.instrument_id and s.available_at <= m.available_at and s.valid_from <= m.session
            qualify row_number() over (partition by m.moment_no, s.valid_from order by s.available_at desc) = 1
        )

        select
            moment_no, session_no,
            min(valid_from) filter (not withdrawn) as listed_from,
            arg_max(symbol, valid_from) filter (not withdrawn and (valid_to is null or session < valid_to)) as symbol,
            max(ingested_at) as ingested_at
        from intervals
        group by all
    )
{% endmacro %}
