"""The API told to a person: its own OpenAPI as one page without a script, so that nothing is fetched from elsewhere."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
STYLE = Path(__file__).with_name("assets") / "docs.css"


def docs_html(openapi: Schema) -> tuple[str, str]:
    """The page and its content security policy."""
    style = STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
              "frame-ancestors 'none'")
    body = "".join(_operation(openapi, path, method, told)
                   for path, methods in openapi["paths"].items() for method, told in methods.items())
    about = "".join(f"<p>{_code(escape(part))}</p>" for part in openapi["info"]["description"].split("\n\n"))
    title = escape(openapi["info"]["title"])
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            f'content="width=device-width, initial-scale=1"><title>{title}: API</title><style>{style}</style></head>'
            f"<body><header><h1>{title}: the API</h1>{about}<p>The same for a program: <code>GET /openapi.json</code>."
            f"</p></header><main>{body}</main></body></html>"), policy


def _operation(openapi: Schema, path: str, method: str, told: Schema) -> str:
    parts = [f'<section><h2><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code></h2>',
             f"<p>{_code(escape(told.get('description', told.get('summary', ''))))}</p>"]
    given = [(one["name"], one["in"], _kind(openapi, one["schema"]), "") for one in told.get("parameters", ())]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        given += [(name, "body", kind, about) for name, kind, about in _fields(openapi, body)]
    if given:
        rows = "".join(f"<tr><td><code>{escape(name)}</code><td>{place}<td>{escape(kind)}"
                       for name, place, kind, _ in given)
        parts.append(f"<h3>Give</h3><table>{rows}</table>")
    answer = told["responses"]["200"].get("content", {}).get("application/json", {}).get("schema")
    if answer:
        rows = "".join(f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}"
                       for name, kind, _ in _fields(openapi, answer))
        many = " a list of" if _resolved(openapi, answer).get("type") == "array" else ""
        parts.append(f"<details><summary>Get{many}</summary><table>{rows}</table></details>")
    refusals = ", ".join(f"<b>{status}</b> {escape(one['description'].lower())}"
                         for status, one in sorted(told["responses"].items()) if status != "200")
    data = " -X POST -H 'Content-Type: application/json' -d '{\"mode\": \"halt\"}'" if method == "post" else ""
    parts.append(f'<p class="soft">{refusals}.</p><pre>curl -H "Authorization: Bearer $TOKEN"{escape(data)} '
                 f"http://127.0.0.1:8765{escape(path)}</pre></section>")
    return "".join(parts)


def _resolved(openapi: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _fields(openapi: Schema, schema: Schema) -> Iterator[tuple[str, str, str]]:
    schema = _resolved(openapi, schema)
    if schema.get("type") == "array":
        schema = _resolved(openapi, schema["items"])
    for one in schema.get("anyOf", ()):
        if _resolved(openapi, one).get("properties"):
            schema = _resolved(openapi, one)
    for name, told in schema.get("properties", {}).items():
        yield name, _kind(openapi, told), told.get("description", "")


def _kind(openapi: Schema, schema: Schema) -> str:
    """A type as a person says it."""
    schema = _resolved(openapi, schema)
    if "anyOf" in schema:
        kinds = [_kind(openapi, one) for one in schema["anyOf"]]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema or "const" in schema:
        return " or ".join(f"“{one}”" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        items = schema.get("items") or schema.get("prefixItems", [{}])[0]
        return f"list of {_kind(openapi, items)}"
    if schema.get("properties"):
        return "{" + ", ".join(schema["properties"]) + "}"
    kind = str(schema.get("type", "anything"))
    return {"integer": "whole number", "string": "text", "object": "by name"}.get(kind, kind)


def _code(text: str) -> str:
    """Backticks as code."""
    pieces = text.split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
