"""The page of a Great Expectations verdict: the library's own rendering, with nothing in it that asks the network."""

import re
from typing import Any

# Theirs comes styled and iconed by five addresses elsewhere; offline it would be bare, so it is dressed here.
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }
th, td { border-bottom: 1px solid #ddd; padding: .35rem .6rem; text-align: left; vertical-align: top }
.badge { background: #eef; border-radius: .3rem; padding: 0 .35rem } .alert { padding: .5rem 1rem; background: #f6f6f6 }
.text-success::before { content: "✓"; color: #2a7a3b } .text-danger::before { content: "✗"; color: #b5453c }
.fa-exclamation-triangle::before { content: "!" } .hide-succeeded-validations-column-section-div { display: none }
"""
_FOREIGN = re.compile(r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<iframe\b.*?</iframe>", re.DOTALL | re.I)
_ADDRESS = re.compile(r"""\b(?:href|src)\s*=\s*["'](?!#)[^"']*["']""", re.IGNORECASE)
# What has no answer here (a run's name, an asset's), and a link that unfolded by a script.
_EMPTY = re.compile(
    r"<tr>\s*<td[^>]*><div[^>]*>Run (?:Name|Time)</div></td>.*?</tr>|Data asset: None<br>|"
    r"<a[^>]*>\s*Show more info\.\.\.\s*</a>",
    re.DOTALL,
)


def page(verdict: Any, title: str) -> str:
    """One file that opens anywhere."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    for clock in ("batch_markers", "batch_spec", "run_id"):  # when the library looked, which says nothing of the rows
        verdict.meta.pop(clock, None)
    rendered = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(verdict), "page_minimal.j2")
    body = _ADDRESS.sub("", _FOREIGN.sub("", rendered.partition("<body>")[2].rpartition("</body>")[0]))
    body = _EMPTY.sub("", body)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )
