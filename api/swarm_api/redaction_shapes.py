"""The shapes of credentials that everybody uses: one table, by which they are known without being told.

Every pattern takes time in proportion to the text, whatever that holds: what repeats without a limit is possessive or
excludes what the pattern begins with, and what looks ahead is bounded. None matches across the end of a line.
"""

import re
from functools import cache
from typing import NamedTuple


class Shape(NamedTuple):
    """`anchors`: every match holds one of them, in lower case when it is `folded`; to look for them is cheap.

    `rare`: a character that each anchor holds, to look for which costs next to nothing. A match is replaced but for
    its group `keep`, if it has one: the label by which it was known.
    """

    name: str
    rare: str
    anchors: tuple[str, ...]
    pattern: str
    folded: bool = False


def _at_start(prefix: str, word: str = "A-Za-z0-9") -> str:
    """The prefix of a token, not in the middle of a word; an escaped character may stand before it.

    It is checked after the prefix, because the search for a pattern that begins with a literal is ten times as fast.
    """
    escaped = (r"\\[nrtbf]", r"\\u[0-9a-fA-F]{4}", r"%[0-9a-fA-F]{2}")
    return f"{prefix}(?:(?<![{word}]{prefix})" + "".join(f"|(?<={each}{prefix})" for each in escaped) + ")"


# Opaque text holds digits soon; prose and the names of variables do not.
_DIGIT_SOON = r"(?=[A-Za-z._~+/=-]{0,64}[0-9])"
_NO_WORD = r"(?=[A-Za-z._~+/=-]{0,64}(?:[0-9]|[a-z][A-Z]))"
_MIXED = r"(?=[a-z0-9+/=_-]{0,40}[A-Z])(?=[A-Za-z+/=_-]{0,40}[0-9])"
_IS = r"""["'\\]{0,4}[ \t]{0,8}(?:=>|[:=])[ \t]{0,8}["'\\]{0,4}"""
_OPAQUE = r"[A-Za-z0-9._~+/=-]"

_MARKER = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_BREAK = r"\\{1,8}[nr]"
_ON_ONE_LINE = (
    rf"-----BEGIN {_MARKER}"
    rf"""(?:[ \t"'+,]|{_BREAK})*+"""
    rf"(?:[A-Z][A-Za-z-]{{3,20}}: (?:(?!-----)[^\\\r\n]){{0,200}}+(?:{_BREAK})++)*+"
    r"[A-Za-z0-9+/]{32}"
    rf"""(?:[A-Za-z0-9+/= \t"',]|{_BREAK})*+"""
    rf"(?:-----END {_MARKER})?"
)

SHAPES = (
    Shape("Anthropic", "-", ("sk-ant-",), _at_start("sk-ant-") + r"[A-Za-z0-9_-]{8,}"),
    Shape("Swarm API key", "_", ("sk_swarm_",), _at_start("sk_swarm_") + r"[a-z0-9]{6,16}_[A-Za-z0-9]{16,}"),
    Shape("Swarm agent's token", "-", ("-agent-",), r"-agent-[0-9a-f]{8}\.[0-9]{1,12}\.[A-Za-z0-9_=-]{40,}"),
    Shape("GitHub", "_", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _at_start("gh[pousr]_") + r"[A-Za-z0-9]{30,}"),
    Shape("GitHub, fine-grained", "_", ("github_pat_",), _at_start("github_pat_") + _MIXED + r"[A-Za-z0-9_]{22,}"),
    Shape("Fly", "_", ("fm2_",), _at_start("fm2_") + _MIXED + r"[A-Za-z0-9+/=_-]{16,}"),
    Shape("Fly, of an organisation", "_", ("fo1_",), _at_start("fo1_") + _MIXED + r"[A-Za-z0-9+/=_-]{16,}"),
    Shape("Fly, old", "_", ("fm1",), _at_start("fm1_") + _MIXED + r"[A-Za-z0-9+/=_-]{16,}"),
    Shape("Fly, older", "_", ("fm1",), _at_start("fm1[ar]_") + _MIXED + r"[A-Za-z0-9+/=_-]{16,}"),
    Shape("Fly, labelled", "V", ("FlyV1",), r"(?P<keep>FlyV1[ \t]{1,4})" + _MIXED + r"[A-Za-z0-9+/=_,-]{20,}"),
    Shape("AWS key id", "I", ("AKIA", "ASIA"), _at_start("A[KS]IA") + r"[A-Z2-7]{16}(?![A-Za-z0-9+/=])"),
    Shape(
        "AWS secret key",
        "k",
        ("secret",),
        rf"(?P<keep>(?i:secret[_-]?(?:access[_-]?)?key){_IS})[A-Za-z0-9/+]{{40}}(?![A-Za-z0-9/+=])",
        folded=True,
    ),
    Shape("JWT", "J", ("eyJ",), _at_start("eyJ", "A-Za-z0-9_-") + r"(?:[A-Za-z0-9_-]{10,}+\.){2}[A-Za-z0-9_-]*"),
    Shape("private key on one line", "K", ("PRIVATE KEY",), _ON_ONE_LINE),
    Shape(
        "Authorization header",
        "z",
        ("authorization",),
        rf"(?P<keep>(?i:authorization){_IS}(?i:bearer|basic|token)[ \t]{{1,8}}){_NO_WORD}{_OPAQUE}{{8,}}",
        folded=True,
    ),
    Shape(
        "Authorization header without a scheme",
        "z",
        ("authorization",),
        rf"(?P<keep>(?i:authorization){_IS}){_DIGIT_SOON}{_OPAQUE}{{16,}}",
        folded=True,
    ),
    Shape(
        "bearer token",
        "b",
        ("bearer",),
        rf"(?P<keep>(?i:bearer)[ \t]{{1,8}}){_DIGIT_SOON}{_OPAQUE}{{16,}}",
        folded=True,
    ),
    Shape(
        "API key header",
        "x",
        ("x-api-key",),
        rf"(?P<keep>(?i:x-api-key){_IS}){_DIGIT_SOON}{_OPAQUE}{{16,}}",
        folded=True,
    ),
    Shape(
        "password in a URL",
        "@",
        ("://",),
        r"""(?P<keep>://[^\s/?#@:"'<>\\]{0,256}:)[^\s/?#@"'<>\\]{1,1024}(?=@)""",
    ),
)


@cache
def compiled(shape: Shape) -> re.Pattern[str]:
    """Only when an anchor was found: compiling all of them takes a worker's start several milliseconds."""
    return re.compile(shape.pattern)
