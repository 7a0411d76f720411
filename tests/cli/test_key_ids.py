"""Which key somebody means."""

from datetime import UTC, datetime
from typing import Any

import pytest

from swarm_api.auth import KeyOut
from swarm_cli.faults import NOT_FOUND, USAGE, Fault
from swarm_cli.key_ids import ends_with, find, plain_id


def key(id_: str, **fields: Any) -> KeyOut:
    known = {"prefix": "", "name": "", "scopes": ["tasks:read"], "created_by": "local", "expires_at": None}
    return KeyOut(**{**known, "id": id_, "created_at": datetime.now(UTC), **fields})


KEYS = [key("key_abcdef"), key("key_abcxyz"), key("key_abc")]


@pytest.mark.parametrize(("wanted", "found"), [("key_abcd", "key_abcdef"), ("key_abc", "key_abc")])
def test_a_beginning_that_only_one_has_and_a_whole_id_are_found(wanted: str, found: str) -> None:
    assert find(KEYS, wanted).id == found


@pytest.mark.parametrize(("wanted", "code"), [("key_ab", USAGE), ("key_b", NOT_FOUND), ("key_", NOT_FOUND)])
def test_what_fits_several_or_none_is_told(wanted: str, code: int) -> None:
    with pytest.raises(Fault) as refused:
        find(KEYS, wanted)
    assert refused.value.exit_code == code


def test_a_whole_key_is_known_by_its_public_part_alone() -> None:
    assert plain_id("sk_swarm_abcdef_" + "k" * 40) == "key_abcdef"
    assert plain_id("sk_swarm_abcdef_" + "k" * 5) == "key_abcdef"


def test_keys_end_with_their_maker_unless_it_may_do_everything() -> None:
    maker, child = key("key_a"), key("key_b", created_by="key_a")
    admin, of_admin = key("key_c", scopes=["admin"]), key("key_d", created_by="key_c")
    ended = key("key_e", created_by="key_a", revoked_at=datetime.now(UTC))
    keys = [maker, child, admin, of_admin, ended]
    assert ends_with(keys, maker) == [child]
    assert ends_with(keys, admin) == []
