{# dbt enforces contracts on SQL models only; this one holds a Python model to the columns that its .yml declares. #}
{% test declared_shape(model) %}
{%- if execute -%}
    {%- set node = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('alias', 'equalto', model.identifier) | first -%}
    {%- set declared = [] -%}
    {%- for column in node.columns.values() -%}
        {%- do declared.append(column.name ~ ' ' ~ column.data_type | lower) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for column in adapter.get_columns_in_relation(model) -%}
        {%- do found.append(column.name ~ ' ' ~ column.dtype | lower) -%}
    {%- endfor -%}
    select '{{ declared | sort | join(", ") }}' as declared, '{{ found | sort | join(", ") }}' as found
    where declared <> found
{%- else -%}
    select 1 where false
{%- endif -%}
{% endtest %}
