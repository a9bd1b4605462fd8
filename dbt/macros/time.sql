{# Dated facts count from midnight New York of their day. #}
{% macro midnight(day) -%}
    timezone('America/New_York', cast({{ day }} as timestamp))
{%- endmacro %}

{% macro feed_delay() -%}
    to_minutes({{ var('delay_minutes') }})
{%- endmacro %}
