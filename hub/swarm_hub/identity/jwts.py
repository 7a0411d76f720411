"""JSON web tokens: HS256 and nothing else (RFC 7519, RFC 8725)."""

import re
import secrets
from collections.abc import Sequence
from typing import Any

import jwt
from jwt.types import Options

from swarm_api.errors import NotAuthenticated
from swarm_hub.identity.callers import SCOPES, Caller

SKEW = 30  # seconds that two clocks may differ
REQUIRED = ("sub", "iat", "exp", "jti", "scope")
MOST = 2**53  # seconds; beyond it is no moment

# The library takes a token with padding too, so that one token would have thousands of texts.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")
# The times are looked at here: by the hub's one clock, and as the whole numbers that the library does not insist on.
_CHECKED: Options = {"require": list(REQUIRED), "verify_exp": False, "verify_iat": False}


class Signer:
    """The first secret signs; all of them are believed, so that one can follow another."""

    def __init__(self, secrets_: Sequence[str | bytes]) -> None:
        self._secrets = tuple(secrets_)

    def sign(self, caller: Caller, now: float) -> str:
        """Raises `ValueError` for a caller without an end."""
        if caller.expires is None:
            raise ValueError("a token has an end")
        claims = {
            "sub": caller.id,
            "iat": int(now),
            "exp": int(caller.expires),
            "jti": caller.jti,
            "scope": [scope for scope in SCOPES if scope in caller.scopes],
            "root": caller.root,
        }
        if caller.device is not None:
            claims["device"] = caller.device
        return jwt.encode(claims, self._secrets[0], "HS256")

    def read(self, token: str, now: float) -> Caller:
        """Whom a token stands for. Raises `NotAuthenticated`."""
        for secret in self._secrets if _FORM.fullmatch(token) else ():
            try:
                claims = jwt.decode(token, secret, ["HS256"], leeway=SKEW, options=_CHECKED)
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, RecursionError):
                break
            return _caller(claims, now)
        raise NotAuthenticated("the token is not valid here")


def new_jti() -> str:
    return secrets.token_hex(12)


def _caller(claims: dict[str, Any], now: float) -> Caller:
    scopes, device, jti = claims["scope"], claims.get("device"), claims["jti"]
    texts = [claims["sub"], jti, claims.get("root", jti), *([] if device is None else [device])]
    if not isinstance(scopes, list) or not all(isinstance(text, str) for text in [*scopes, *texts]):
        raise NotAuthenticated("the token is not valid here")
    if not all(_is_time(claims[name]) for name in ("iat", "exp")) or claims["iat"] > now + SKEW:
        raise NotAuthenticated("the token is not valid here")
    if now > claims["exp"] + SKEW:
        raise NotAuthenticated("the token has expired")
    return Caller(claims["sub"], frozenset(scopes), claims["exp"], jti, root=texts[2], device=device)


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST
