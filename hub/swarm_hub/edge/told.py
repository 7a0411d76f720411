"""What a request tells of itself, read in one pass: most of its headers are of no matter here."""

from collections.abc import Iterable

Told = dict[bytes, bytes]
"""Each header by its name in small letters. One that was sent several times is a list with commas, as in RFC 9110."""

HOST, ORIGIN, SITE, REQUEST_ID = b"host", b"origin", b"sec-fetch-site", b"x-request-id"
FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"
ASKED_METHOD = b"access-control-request-method"
FORWARDING = (FOR, PROTO, b"x-forwarded-host", b"x-real-ip", b"forwarded", b"via")
"""What a proxy adds, one or another of them; no client of ours sends any."""

_OF_MATTER = frozenset({HOST, ORIGIN, SITE, REQUEST_ID, ASKED_METHOD, *FORWARDING})


def told(headers: Iterable[tuple[bytes, bytes]]) -> Told:
    found: Told = {}
    for name, value in headers:
        if name in _OF_MATTER:
            found[name] = found[name] + b"," + value if name in found else value
    return found
