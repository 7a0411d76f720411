"""Made-up credentials of every shape, drawn for each run: none stands in a file where a scanner would find it."""

import base64
import random
import string

from swarm_api.redaction_shapes import SHAPES

DRAW = random.Random(20261123)  # noqa: S311  # made up, and the same in every run
ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"


def drawn(length: int, alphabet: str = ALNUM) -> str:
    """With a capital and a digit soon, as what is drawn nearly always has."""
    return "aB3" + "".join(DRAW.choices(alphabet, k=length - 3))


def pem(kind: str = "RSA ", lines: int = 12) -> str:
    body = base64.b64encode(DRAW.randbytes(48 * lines + 20)).decode()
    parts = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *parts, f"-----END {kind}PRIVATE KEY-----"])


JWT = ".".join(["eyJ" + drawn(30, URL_SAFE), "eyJ" + drawn(90, URL_SAFE), drawn(43, URL_SAFE)])
PASSWORD = drawn(20)
AWS_SECRET = drawn(40, BASE64)
OPAQUE = drawn(32)
FLY = "fm2_" + drawn(120, BASE64)

SAID: dict[str, tuple[str, str]] = {
    "Anthropic": (key := "sk-ant-api03-" + drawn(93, URL_SAFE), f"the key is {key}."),
    "Swarm API key": (key := f"sk_swarm_abc123_{drawn(32)}", f"SWARM_API_KEY={key}"),
    "Swarm agent's token": (key := f"local-agent-0a1b2c3d.1790000000.{drawn(43, URL_SAFE)}=", f"token {key}"),
    "GitHub": (key := "ghp_" + drawn(36), f"https://{key}@github.com/ada/demo"),
    "GitHub, fine-grained": (key := f"github_pat_{drawn(22)}_{drawn(59)}", f'"{key}"'),
    "Fly": (FLY, f"{FLY},{FLY}"),
    "Fly, of an organisation": (key := "fo1_" + drawn(43, URL_SAFE), f"FLY_API_TOKEN={key}"),
    "Fly, old": (key := "fm1_" + drawn(80, BASE64), key),
    "Fly, older": (key := "fm1r_" + drawn(80, BASE64), f"({key})"),
    "Fly, labelled": (key := drawn(60, BASE64), f"FlyV1 {key}"),
    "AWS key id": (key := "AKIA" + "".join(DRAW.choices("ABCDEFGHIJKLMNOP234567", k=16)), f"aws_access_key_id = {key}"),
    "AWS secret key": (AWS_SECRET, f"aws_secret_access_key = {AWS_SECRET}"),
    "JWT": (JWT, f"token={JWT}"),
    "private key on one line": (pem().splitlines()[3], pem().replace("\n", "\\n")),
    "Authorization header": (OPAQUE, f"Authorization: Bearer {OPAQUE}"),
    "Authorization header without a scheme": (OPAQUE, f'"authorization": "{OPAQUE}"'),
    "bearer token": (OPAQUE, f"curl -H 'x: BEARER {OPAQUE}'"),
    "API key header": (OPAQUE, f"< x-api-key: {OPAQUE}"),
    "password in a URL": (PASSWORD, f"postgres://ada:{PASSWORD}@db.example.org:5432/shop"),
}
"""For each shape a credential, and a line of output that holds it."""

ONE_KEY = pem().replace("\n", "\\n")
SAID["private key on one line"] = (ONE_KEY[40:90], f'{{"key": "{ONE_KEY}"}}')
assert SAID.keys() == {shape.name for shape in SHAPES}
