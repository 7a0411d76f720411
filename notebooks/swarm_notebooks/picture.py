"""A picture: drawn by matplotlib, shown as SVG that takes the colours and the font of the page around it."""

import io
import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast
from xml.etree import ElementTree  # nosec B405  # reads what matplotlib wrote, nothing else

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swarm_notebooks.look import INK, STYLE

_SVG = "http://www.w3.org/2000/svg"
_FONT = re.compile(r"(font:[^;]*?[\d.]+px)\s[^;]*")
_PAGE_FONT = r"\1 var(--jp-ui-font-family, system-ui), sans-serif"
_PAGE_INK = f"color: var(--jp-content-font-color1, {INK}); max-width: 100%; height: auto"
_PNG_DOTS = 144  # per inch

# matplotlib's settings belong to the process, and panels draw in threads of their own.
_drawing = threading.RLock()


@contextmanager
def _styled() -> Iterator[None]:
    with _drawing, rc_context(cast(Any, STYLE)), warnings.catch_warnings():
        # The page's fonts have what matplotlib's own, which measures, may lack.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ ")
        yield


class Picture:
    """`titles`: what a reader sees of an artist (by its `gid`) on which the pointer rests."""

    def __init__(self, figure: Figure, titles: Mapping[str, str], name: str) -> None:
        self.figure = figure
        self.titles = titles
        self.name = name

    @cached_property
    def svg(self) -> str:
        """To be put into a page. As a file of its own it is grey where the page's colour would be."""
        return _for_pages(self._written("svg"), self.titles, self.name)

    @cached_property
    def png(self) -> bytes:
        return self._written("png")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"image/svg+xml": self.svg, "image/png": self.png, "text/plain": f"<picture: {self.name}>"}

    def _written(self, kind: str) -> bytes:
        file = io.BytesIO()
        with _styled():
            self.figure.savefig(file, format=kind, dpi=_PNG_DOTS if kind == "png" else "figure")
        return file.getvalue()


class Sheet:
    """A picture that is being drawn."""

    def __init__(self, name: str, width: float, height: float, columns: int = 1) -> None:
        """In inches."""
        self.name = name
        self.figure = Figure(figsize=(width, height), layout="constrained")
        self.axes: list[Axes] = list(self.figure.subplots(1, columns, squeeze=False)[0])
        self.titles: dict[str, str] = {}

    def tell(self, artist: Artist, text: str) -> None:
        """Show a text where the pointer rests on the artist."""
        gid = f"told{len(self.titles)}"
        artist.set_gid(gid)
        self.titles[gid] = text

    def picture(self) -> Picture:
        return Picture(self.figure, self.titles, self.name)


@contextmanager
def sheet(name: str, height: float = 3.2, width: float = 9.4, columns: int = 1) -> Iterator[Sheet]:
    """An empty sheet, in our style. One is drawn on at a time."""
    with _styled():
        yield Sheet(name, width, height, columns)


def one_below_another(pictures: Sequence[Picture]) -> str:
    """All of them as one SVG."""
    parts = [_parsed(picture.svg.encode()) for picture in pictures]
    sizes = [(float(part.get("width", "0pt")[:-2]), float(part.get("height", "0pt")[:-2])) for part in parts]
    width, height = max(width for width, _ in sizes), sum(height for _, height in sizes)
    root = ElementTree.Element(f"{{{_SVG}}}svg", {"width": f"{width}pt", "height": f"{height}pt"})
    root.set("viewBox", f"0 0 {width} {height}")
    root.set("style", _PAGE_INK)
    top = 0.0
    for part, (of_part, high) in zip(parts, sizes, strict=True):
        for name, value in (("y", top), ("width", of_part), ("height", high)):
            part.set(name, f"{value}")
        root.append(part)
        top += high
    return ElementTree.tostring(root, encoding="unicode")


def _parsed(written: bytes) -> ElementTree.Element:
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    return ElementTree.fromstring(written)  # noqa: S314  # nosec B314  # matplotlib's own


def _for_pages(written: bytes, titles: Mapping[str, str], name: str) -> str:
    root = _parsed(written)
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    for node in root.iter():
        _repaint(node)
        if text := titles.get(node.get("id", "")):
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = text
            node.insert(0, title)
            del node.attrib["id"]  # several pictures stand in one page
    root.set("role", "img")
    root.set("aria-label", name)
    root.set("style", _PAGE_INK)
    return ElementTree.tostring(root, encoding="unicode")


def _repaint(node: ElementTree.Element) -> None:
    for name in ("style", "fill", "stroke"):
        if value := node.get(name):
            node.set(name, _FONT.sub(_PAGE_FONT, value.replace(INK, "currentColor")))
