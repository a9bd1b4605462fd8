"""Following a list from page to page, and no further than a list can go."""

from pipelines.progress import say
from pipelines.vendors.contents import Unusable, load_json
from pipelines.vendors.hosts import VendorError

MOST_PAGES = 10_000  # of the longest list there is, the dividends of all years, this is ten times as much


class Followed:
    """The pages of one list that were asked for."""

    def __init__(self, what: str, first: str) -> None:
        self._what, self._seen = what, {first}

    def on(self, following: str | None) -> str | None:
        """The next page to ask for; None where the list ends, or names a page that was had already."""
        if following is None:
            return None
        if following in self._seen:
            say(f"    {self._what}: page {len(self._seen)} names a page that was had already; taken as the list's end")
            return None
        if len(self._seen) >= MOST_PAGES:
            raise VendorError(f"{self._what}: still another page after {MOST_PAGES:,}, which no list of theirs has; "
                              "what was received is kept")
        self._seen.add(following)
        return following


def next_url(body: bytes) -> object:
    """What a page says of the one after it; None of a body that is no page."""
    try:
        document = load_json(body)
    except Unusable:
        return None
    return document.get("next_url") if isinstance(document, dict) else None
