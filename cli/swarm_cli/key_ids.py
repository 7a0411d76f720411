"""API keys by what people type: an id, its beginning, or a key's own text."""

from collections.abc import Sequence

from swarm_api.auth import KeyOut
from swarm_api.ids import API_KEY
from swarm_cli.faults import NOT_FOUND, USAGE, Fault

_ID, _KEY = "key_", "sk_swarm_"


def plain_id(word: str) -> str:
    """`key_` and what of its id was typed. A whole key is taken for its id: the secret goes nowhere."""
    if whole := API_KEY.fullmatch(word):
        return _ID + whole[1]
    if word.startswith(_KEY):
        return _ID + word.removeprefix(_KEY).partition("_")[0].rstrip("….")
    return word if word.startswith(_ID) else _ID + word


def find(keys: Sequence[KeyOut], wanted: str) -> KeyOut:
    """The one key that is meant. Raises a `Fault` when there is none, or several."""
    if exact := [key for key in keys if key.id == wanted]:
        return exact[0]
    found = [key for key in keys if key.id.startswith(wanted)] if wanted != _ID else []
    if not found:
        raise Fault(f"there is no API key {wanted}", hint="swarm keys list", exit_code=NOT_FOUND)
    if len(found) > 1:
        several = ", ".join(key.id for key in found)
        raise Fault(f"{wanted} begins several: {several}", hint="give more of the id", exit_code=USAGE)
    return found[0]


def ends_with(keys: Sequence[KeyOut], key: KeyOut) -> list[KeyOut]:
    """The keys that end with this one: those it has made, and theirs, as long as none in between may do everything."""
    if "admin" in key.scopes:
        return []
    made = [other for other in keys if other.created_by == key.id and other.revoked_at is None]
    return [one for other in made for one in (other, *ends_with(keys, other))]
