"""A Web of the tests' own."""

from nixery.errors import SourceUnavailable
from nixery.fetching.web import Page

SILENT = 0
"""The status of a page that does not come."""


class FakeWeb:
    """Pages by the last component of their URL: the status, the body, and where it was found where that differs."""

    def __init__(self, pages: dict[str, tuple[int, bytes, str]]) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []

    async def get(self, url: str, most: int) -> Page:
        self.asked.append(url)
        status, body, found = self.pages.get(url.rpartition("/")[2], (404, b"", url))
        if status == SILENT:
            raise SourceUnavailable("it is silent")
        return Page(status, found or url, body, None)
