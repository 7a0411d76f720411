"""What the value of a setting may be: from its text, or a `ValueError` that says what is allowed."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError

from swarm_api.ids import API_KEY

_HS256 = HMACAlgorithm(HMACAlgorithm.SHA256)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SHOWN = re.compile(r"[\x20-\x7e]*")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(text: str) -> str:
    if text != "localhost":
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise ValueError("an IP address of this machine, or localhost") from None
    return text


def secrets(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if len(parts) > 2 or any(len(part.encode()) < 32 or part != part.strip() for part in parts):
        raise ValueError("a secret of at least 32 bytes; or two, comma separated: the first one signs")
    try:
        for part in parts:
            _HS256.prepare_key(part)
    except InvalidKeyError:
        raise ValueError("a secret, which a public key, a certificate or a JSON object is not") from None
    return parts


def api_key(text: str) -> str:
    if not API_KEY.fullmatch(text):
        raise ValueError("sk_swarm_<id>_<secret>, id 6 to 16 of a-z0-9, secret 32 to 43 of A-Za-z0-9")
    return text


def origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(part.strip()) for part in text.split(","))


def _origin(text: str) -> str:
    allowed = (
        "origins, comma separated, each as a browser sends it: https://host, or https://host:port if it is not 443"
    )
    try:
        if origin_of(text) != text.lower() or not text.isascii():
            raise ValueError
    except ValueError:
        raise ValueError(allowed) from None
    return text.lower()


def origin_of(text: str) -> str:
    """The origin of a URL as a browser sends it, without the port that the scheme has anyway. Raises `ValueError`."""
    parts = urlsplit(text)
    usual = {"http": 80, "https": 443}[parts.scheme] if parts.scheme in ("http", "https") else None
    if usual is None or not parts.hostname:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError("addresses or networks, comma separated: 10.0.0.7, 172.16.0.0/12, fdaa::/16") from None


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


cents = whole(0, 999_999_999)


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # names that are none, and paths out of the folder of zones
        raise ValueError("the name of a time zone, as Europe/Berlin or UTC") from None


def minutes(text: str) -> float:
    if not re.fullmatch(r"\d{1,5}(\.\d{1,4})?", text) or not 0.01 <= float(text) <= 10_080:
        raise ValueError("a number of minutes from 0.01 to 10080")
    return float(text)


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words))
        return text

    return parse


def truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("true or false")
    return text.lower() in ("true", "1")


def url(text: str) -> str:
    allowed = "an http or https URL without credentials, query or fragment"
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(allowed) from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError(allowed)
    return text.rstrip("/")


def folder(text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # `~somebody` whom this machine does not know
        path = Path(text)
    if not path.is_absolute():
        raise ValueError("an absolute path")
    return path


def folders(text: str) -> tuple[Path, ...]:
    return tuple(folder(part.strip()) for part in text.split(","))


def name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._()-]{0,89}", text):
        raise ValueError("a name of letters, digits, dots, hyphens and underscores")
    return text


def names(text: str) -> tuple[str, ...]:
    """None at all is a wish, too: `none`."""
    return () if text == "none" else tuple(name(part.strip()) for part in text.split(","))


def image(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}", text):
        raise ValueError("a container image: registry/name:tag, or registry/name@sha256:…")
    return text


def token(text: str) -> str:
    """A credential of somebody else's, which may begin with the name of its scheme."""
    if not re.fullmatch(r"[\x20-\x7e]{1,8192}", text) or text != text.strip():
        raise ValueError("the token alone: printable characters in one line")
    return text


def program(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9/][A-Za-z0-9._/-]{0,255}", text):
        raise ValueError("a program's path or name, without spaces")
    return text


def url_or_socket(text: str) -> str:
    return f"unix:{folder(text.removeprefix('unix:'))}" if text.startswith("unix:") else url(text)


def slurm_version(text: str) -> str:
    if not re.fullmatch(r"v0\.0\.\d{2}", text):
        raise ValueError("a version as v0.0.38")
    return text


def key(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", text):
        raise ValueError("the key alone: printable characters, no spaces")
    return text


def headers(text: str) -> dict[str, str]:
    """As https://opentelemetry.io/docs/specs/otel/protocol/exporter/ has them; by their names in small letters."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    pairs = [tuple(unquote(each).strip() for each in part.split("=", 1)) for part in parts]
    if not all(len(pair) == 2 and _HEADER.fullmatch(pair[0]) and _SHOWN.fullmatch(pair[1]) for pair in pairs):
        raise ValueError("headers, comma separated: name=value, values with %20 for a space")
    return {name.lower(): value for name, value in pairs}
