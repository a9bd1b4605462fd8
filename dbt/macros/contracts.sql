{#
  Rows of futures under their contract's permanent id, without what was told of a contract past its expiration. The
  year of a symbol and the expiration are those of its definition where one was known when the row was, else of the
  exchange's rules.
#}
{% macro of_living_contracts(rows, moment) %}
    (
        select
            told.*,
            'CME:' || told.symbol || ':' || coalesce(defined.contract_year, ends.contract_year) as instrument_id
        from {{ rows }} as told
        left join {{ ref('stg_contract_ends') }} as ends
            on ends.symbol = told.symbol and ends.session = told.session
        asof left join {{ ref('stg_definitions') }} as defined
            on defined.symbol = told.symbol
            and defined.instrument_no = told.instrument_no
            and told.available_at >= defined.available_at
        where told.{{ moment }} < coalesce(defined.expires_at, ends.ends_at, timestamptz 'infinity')
    )
{% endmacro %}
