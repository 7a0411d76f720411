"""Tokens of any age, as a client sees them: nobody here looks at the signature."""

import itertools
import time
from typing import Any

import jwt

_numbers = itertools.count()


def token(lives: float, age: float = 0.0, **claims: Any) -> str:
    """One that was made `age` seconds ago and is good for `lives` more. No two are the same."""
    now = time.time()
    told = {"sub": "key_ofthetests", "scope": ["tasks:read"], "jti": f"t{next(_numbers)}", **claims}
    return jwt.encode({**told, "iat": int(now - age), "exp": int(now + lives)}, "s" * 32, "HS256")


WEEK = 7 * 24 * 3600.0
ALMOST_OVER = 1800.0
"""Seconds: within the hour in which a token is renewed."""
