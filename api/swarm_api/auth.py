"""Keys, tokens and the audit trail: who may do what, and who did what. No secret shows in a model's `repr`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from swarm_api.base import Answer, Model, Timestamp
from swarm_api.tasks import Name
from swarm_api.words import Scope


def _each_once(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) != len(scopes):
        raise ValueError("must name each scope once")
    return scopes


class KeyIn(Model):
    """An API key to make."""

    name: Annotated[Name, Field(description="What people know it by.")]
    scopes: Annotated[
        list[Scope],
        Field(min_length=1, description="None that its maker lacks. `admin` opens everything."),
        AfterValidator(_each_once),
    ]
    expires_in_days: Annotated[
        int | None, Field(ge=1, le=3_650, description="None: as long as its maker's; an admin's for ever.")
    ] = None


class KeyMade(Answer):
    """A new key. It is shown this once."""

    id: str
    key: Annotated[str, Field(repr=False)]
    name: str
    scopes: list[Scope]
    expires_at: Timestamp | None


class KeyOut(Answer):
    """What is known of a key. `prefix` is its part that may be shown; `created_by` is a key's id, or `local`."""

    id: str
    prefix: str
    name: str
    scopes: list[Scope]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    revoked_at: Timestamp | None = None


class KeyList(Answer):
    keys: list[KeyOut]


class TokenIn(Model):
    """A key to exchange for a token."""

    api_key: Annotated[str, Field(repr=False)]
    device: Annotated[Name | None, Field(description="Tokens of one device are revoked together.")] = None


class TokenOut(Answer):
    token: Annotated[str, Field(repr=False)]
    expires_at: Timestamp
    scope: list[Scope]


class RevokeIn(Model):
    device: Annotated[Name | None, Field(description="All tokens of this device; none: this token alone.")] = None


class AuditEntry(Answer):
    """Who did what, when, from where. `who` is a key's id, an agent's, or `local`; nobody known: null."""

    seq: int
    at: Timestamp
    who: str | None
    action: str
    target: str | None = None
    address: str
    request_id: str
    outcome: str
    detail: str | None = None


class AuditList(Answer):
    """Newest first; older ones come with `before=<nextBefore>`. `refused`: by reason, since the hub was started."""

    entries: list[AuditEntry]
    next_before: int | None = None
    refused: dict[str, int] = {}
