"""What must not be shown: the credentials in use, known exactly, and the shapes of common ones.

Everything that is logged, answered, stored as a log line or put in an event passes a `Redactor`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from swarm_api.redaction_forms import Groups, encoded, forms, grouped, likely, merged, places, plain_forms
from swarm_api.redaction_keys import SIGN, PrivateKeys, followed
from swarm_api.redaction_shapes import SHAPES, Shape, compiled

MARK = "[redacted]"
SHORTEST = 8
"""Characters of a credential in use: what is shorter is no secret, and would be found in every other word."""
LONG_LINE = 65_536
"""Characters of a line that are held back for its end; what is longer is passed on in pieces."""
LONGEST = 16_384
"""Characters of what is recognised over the ends of pieces. A longer one is a secret whose middle may be dropped."""

_WORD_ENDS = " \t\"'<>,;"
_Gates = tuple[tuple[str, tuple[tuple[str, Shape], ...]], ...]


def _gates(folded: bool) -> _Gates:
    """By their rare character, each anchor with its shape."""
    by_rare: dict[str, list[tuple[str, Shape]]] = {}
    for shape in SHAPES:
        if shape.folded is folded:
            by_rare.setdefault(shape.rare, []).extend((anchor, shape) for anchor in shape.anchors)
    return tuple((rare, tuple(anchors)) for rare, anchors in by_rare.items())


_EXACT, _FOLDED = _gates(folded=False), _gates(folded=True)


class Redactor:
    """Replaces credentials by `[redacted]`. May be used by several threads at once."""

    def __init__(self, known: Iterable[str | bytes] = ()) -> None:
        """`known`: the credentials in use."""
        self._credentials: tuple[str | bytes, ...] = ()
        self._known: Groups[str] = ()
        self._exact: Groups[bytes] = ()
        self._plain: tuple[bytes, ...] = ()
        self._bytes: frozenset[int] = frozenset()
        self.longest = LONGEST
        """Characters over which something to be redacted may extend."""
        self.learn(*known)

    def learn(self, *credentials: str | bytes) -> None:
        """Further credentials are in use from now on."""
        long_enough = (credential for credential in credentials if len(credential) >= SHORTEST)
        self._credentials = tuple(dict.fromkeys([*self._credentials, *long_enough]))
        known = {form for credential in self._credentials for form in forms(credential)}
        self._known = grouped(known)
        plain = {form for credential in self._credentials for form in plain_forms(credential)}
        self._exact = encoded(grouped(plain))
        self._plain = tuple(form.encode() for form in plain)
        self._bytes = frozenset(b"".join(self._plain))
        self.longest = max([LONGEST, *map(len, known)])

    def text(self, text: str) -> str:
        """The text with every credential replaced: those in use, also in base 64, and those that look like one."""
        text = self.in_lines(text)
        return "".join(followed(PrivateKeys(MARK), text)) if SIGN in text else text

    def beginning(self, text: str) -> str:
        """Of a text that was cut off: without its last `longest` characters, in which a credential may begin."""
        return self.in_lines(text[: self.settled(text)])

    def settled(self, text: str) -> int:
        """Up to where nothing depends on what comes next."""
        cut = max(0, len(text) - self.longest)
        for start, end in self.spans(text):
            if start < cut < end:
                return start if end - start <= self.longest else end
        return cut

    def value(self, value: Any) -> Any:
        """The same for every text in a JSON value, names too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        return [self.value(inner) for inner in value] if isinstance(value, list | tuple) else value

    def mask(self, data: bytes) -> bytes:
        """Data that is exact otherwise, with the credentials in use replaced by as many other bytes."""
        return self.mask_piece(data, more=False)[0] if likely(self._exact, data) else data

    def mask_piece(self, data: bytes, more: bool) -> tuple[bytes, bytes]:
        """The same for a piece of it; what may go on in the next piece is given back to come before that."""
        spans = merged(places(likely(self._exact, data), data))
        cut = len(data) - (self._begun(data) if more else 0)
        cut = next((end for start, end in spans if start < cut < end), cut)
        passed = bytearray(data[:cut])
        for start, end in spans:
            if end <= cut:
                passed[start:end] = MARK.encode().ljust(end - start, b"*")[: end - start]
        return bytes(passed), data[cut:]

    def known_in(self, text: str) -> bool:
        """Whether it holds a credential in use."""
        return bool(likely(self._known, text))

    def suspects(self, text: str) -> bool:
        """Whether there is anything to replace. One look at many lines costs less than a look at each."""
        return self.known_in(text) or SIGN in text or any(compiled(shape).search(text) for shape in _shapes(text))

    def stream(self) -> "RedactedStream":
        return RedactedStream(self)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the text holds a credential, with the label that tells it: in order, none overlapping."""
        found = [match.span() for shape in _shapes(text) for match in compiled(shape).finditer(text)]
        return merged([*found, *places(likely(self._known, text), text)])

    def in_lines(self, text: str) -> str:
        """The text without what is found within one line: all but keys that extend over several."""
        if forms_in_it := likely(self._known, text):
            text = "".join(_without(text, merged(places(forms_in_it, text))))
        for shape in _shapes(text):
            text = compiled(shape).sub(_replacement(shape), text)
        return text

    def _begun(self, data: bytes) -> int:
        """How many of the last bytes may be the beginning of a credential in use."""
        if not data or data[-1] not in self._bytes:
            return 0  # as after every frame of a stream and every line
        most = min(len(data), max(map(len, self._plain)) - 1)
        ends = (data[-length:] for length in range(most, 0, -1))
        return next((len(end) for end in ends if any(form.startswith(end) for form in self._plain)), 0)


class RedactedStream:
    """A text that comes in pieces, cut anywhere. Holds back a line until its end, or the end of what is too long."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self._keys = PrivateKeys(MARK)
        self._held: list[str] = []
        self._length = 0
        self._within = False
        """A secret without an end goes on: it was replaced already."""

    def feed(self, chunk: str) -> str:
        """What may be passed on by now: whole lines, or a piece of a long one."""
        if self._within:
            chunk = self._rest_of_word(chunk)
        end = max(chunk.rfind("\n"), chunk.rfind("\r")) + 1
        ended = self._ended(self._take() + chunk[:end]) if end else ""
        if end < len(chunk):
            self._held.append(chunk[end:])
            self._length += len(chunk) - end
        if self._length > LONG_LINE + 2 * self.redactor.longest:
            ended += self._settled(self._take())
        return ended

    def line(self, line: str) -> str:
        """A whole line, without its end, instead of pieces."""
        return self._ended(line)

    def end(self) -> str:
        """The rest, when nothing more will come."""
        return self._ended(self._take())

    def _take(self) -> str:
        held = "".join(self._held)
        self._held, self._length = [], 0
        return held

    def _ended(self, text: str) -> str:
        text = self.redactor.in_lines(text)
        return "".join(followed(self._keys, text)) if self._keys.inside or SIGN in text else text

    def _settled(self, text: str) -> str:
        """The beginning of a long line, up to where something may go on that cannot be told yet, which is held."""
        cut = self.redactor.settled(text)
        self._within = cut == len(text)
        self._held, self._length = [text[cut:]], len(text) - cut
        return self.redactor.in_lines(text[:cut])

    def _rest_of_word(self, chunk: str) -> str:
        """What follows the secret."""
        ends = [at for each in "\r\n" + _WORD_ENDS if (at := chunk.find(each)) >= 0]
        self._within = not ends
        return chunk[min(ends) :] if ends else ""


def _shapes(text: str) -> Iterator[Shape]:
    """The shapes of which the text holds an anchor."""
    for rare, anchors in _EXACT:
        if rare in text:
            for anchor, shape in anchors:
                if anchor in text:
                    yield shape
    folded = text.lower()
    for rare, anchors in _FOLDED:
        if rare in folded:
            for anchor, shape in anchors:
                if anchor in folded:
                    yield shape


def _replacement(shape: Shape) -> str:
    return rf"\g<keep>{MARK}" if "(?P<keep>" in shape.pattern else MARK


def _without(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    at = 0
    for start, end in spans:
        yield text[at:start]
        yield MARK
        at = end
    yield text[at:]
