"""Read a page as a browser would: elements with their attributes, and the text they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

NO_END = "area base br col embed hr img input link meta source track wbr"
VOID = frozenset(NO_END.split())


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    parent: Element | None = None
    content: list[str | Element] = field(default_factory=list)

    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text() for c in self.content)

    @property
    def children(self) -> list[Element]:
        return [c for c in self.content if isinstance(c, Element)]

    def walk(self) -> list[Element]:
        return [self, *(e for c in self.children for e in c.walk())]

    def all(self, tag: str, **attrs: str) -> list[Element]:
        found = (e for e in self.walk() if e.tag == tag)
        return [e for e in found if all(e.attrs.get(k.rstrip("_")) == v for k, v in attrs.items())]

    def one(self, tag: str, **attrs: str) -> Element:
        (only,) = self.all(tag, **attrs)
        return only


class Page(HTMLParser):
    """The tree of a page; elements must be closed where they are opened."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._at = self.root
        self.feed(html)
        self.close()
        assert self._at is self.root, f"<{self._at.tag}> is never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        e = Element(tag, {k: v or "" for k, v in attrs}, self._at)
        self._at.content.append(e)
        if tag not in VOID:
            self._at = e

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._at.content.append(Element(tag, {k: v or "" for k, v in attrs}, self._at))

    def handle_endtag(self, tag: str) -> None:
        assert self._at.tag == tag, f"</{tag}> closes <{self._at.tag}>"
        assert self._at.parent is not None
        self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.content.append(data)


def read(html: str) -> Element:
    return Page(html).root
