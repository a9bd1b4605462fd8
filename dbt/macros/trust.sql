{# Order of trust between sources of one fact: flat file, grouped daily, aggregates. #}
{% macro distrust(column) -%}
    case {{ column }} when 'flatfile' then 0 when 'grouped' then 1 else 2 end
{%- endmacro %}
