{# Keep a version only where its values differ from the version known before it. An equal value is no new version. #}
{% macro changed(values, within, at='available_at') -%}
    {%- set before %}over (partition by {{ within | join(', ') }} order by {{ at }}){% endset -%}
    (
        row_number() {{ before }} = 1
        {%- for value in values %}
        or {{ value }} is distinct from lag({{ value }}) {{ before }}
        {%- endfor %}
    )
{%- endmacro %}

{# One row a key and moment, the best of several that were learned at once. #}
{% macro one_of(key, best) -%}
    row_number() over (partition by {{ key | join(', ') }} order by {{ best }}) = 1
{%- endmacro %}

{#
  Versions out of `answers`: what was believed at each moment at which belief may have changed. `instrument_id` is whom
  the thing belonged to then, null when to nobody. When it moves, the row of the former owner is withdrawn, so that an
  as-of view of every moment shows exactly what was believed.
#}
{% macro versions_of(answers, key, values) %}
    (
        -- A row that says nothing new has its predecessor's owner, so that the former owner may be asked of all rows.
        with moved as (
            select *, lag(instrument_id) over (partition by {{ key | join(', ') }} order by available_at) as former_id
            from {{ answers }}
            qualify {{ changed(['instrument_id'] + values, key) }}
        )

        select * exclude (former_id), false as withdrawn
        from moved
        where instrument_id is not null
        union all by name
        select * exclude (former_id) replace (former_id as instrument_id), true as withdrawn
        from moved
        where former_id is not null and former_id is distinct from instrument_id
    )
{% endmacro %}
