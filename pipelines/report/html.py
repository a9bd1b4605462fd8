"""HTML as values: every text is escaped on its way in, so nothing that a vendor sent can break or script the page."""

from html import escape
from typing import Any

VOID = frozenset({"meta", "br", "hr", "link"})


class Html(str):
    """Markup that is safe already. Joined with plain text it is plain text again, and escaped: safe by default."""

    __slots__ = ()


def _child(value: Any) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, Html):
        return value
    if isinstance(value, list | tuple):
        return "".join(_child(item) for item in value)
    return escape(str(value), quote=False)


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f' {name}="{escape(str(value))}"'


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """`tag("a", "text", href="#x", class_="soft")`. None and False vanish, lists are flattened."""
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{_child(children)}</{name}>")


def join(*parts: Any) -> Html:
    return Html(_child(parts))


def raw(text: str) -> Html:
    """Our own text that must not be escaped: the style sheet, nothing else."""
    return Html(text)


def paragraph(*parts: Any, class_: str | None = None) -> Html:
    return tag("p", *parts, class_=class_)


def note(*parts: Any) -> Html:
    return tag("p", *parts, class_="note")


def caption(*parts: Any) -> Html:
    """Under a picture or a table: the sample that its figures come from."""
    return tag("p", *parts, class_="sample")
