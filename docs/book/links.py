"""Says which links of the built book lead nowhere: python3 docs/book/links.py FOLDER

Every address of a page is followed: a file of the book must be there, and a place on a page must have its name. Addresses of other
sites are counted and not asked. Ends with 1 where a link is dead.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What holds an address, by the element's name.
HOLDS = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """Names of places on a page, and addresses it holds with their lines."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[tuple[str, int]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value for key, value in attrs if value}
        self.places.update(given[key] for key in ("id", "name") if key in given)
        if address := given.get(HOLDS.get(tag, "")):
            self.links.append((address, self.getpos()[0]))


def main() -> int:
    book = Path(sys.argv[1]).resolve()
    # What is printed holds all pages again; its addresses are made of theirs.
    paths = [path for path in sorted(book.rglob("*.html")) if path.name not in ("print.html", "404.html", "toc.html")]
    pages = {path: Page(path) for path in paths}
    dead, inside, outside = [], 0, 0
    for path, page in pages.items():
        for address, line in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                outside += 1
                continue
            inside += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            at = f"{path.relative_to(book)}:{line}: {address}"
            if not target.is_relative_to(book) or not target.is_file():
                dead.append(f"{at}: no such page")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                dead.append(f"{at}: no such place on the page")
    print("\n".join(dead + [f"{len(pages)} pages, {inside} links, {len(dead)} of them dead; {outside} to other sites"]))
    return 1 if dead or inside < len(pages) else 0


if __name__ == "__main__":
    sys.exit(main())
