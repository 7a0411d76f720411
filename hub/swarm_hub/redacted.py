"""The last thing an answer passes: no credential in use leaves the hub, whatever it got into."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm_api.redaction import Redactor
from swarm_hub.settings import Settings
from swarm_hub.settings_table import SETTINGS

_WORKERS, _CLAIM, _GIT = "/worker/v1/", "/claim", "/git/"


def credentials(settings: Settings) -> list[str]:
    """What of the settings is secret."""
    found: list[str] = []
    for name, setting in SETTINGS.items():
        value = getattr(settings, name) if setting.secret else None
        if isinstance(value, Mapping):  # headers: the last word of each is what is secret of it
            value = [words[-1] for each in value.values() if (words := each.split())]
        found += [value] if isinstance(value, str) else value or ()
    return found


class Redacted:
    """Puts as many other bytes in the place of a credential in use, in bodies and in messages of a WebSocket.

    All else stays to the byte: an answer may well hold what only looks like a credential, a diff or a new API key.
    Pure ASGI, at a microsecond for each answer.
    """

    def __init__(self, app: ASGIApp, redactor: Redactor) -> None:
        self._app = app
        self._redactor = redactor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if (path.startswith(_WORKERS) and path.endswith(_CLAIM)) or path.startswith(_GIT):
            # The work order is how a worker gets the key it works with, and a changed byte spoils a pack.
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _filter(send, self._redactor))


def _filter(send: Send, redactor: Redactor) -> Send:
    held = b""

    async def filtered(message: Message) -> None:
        nonlocal held
        if body := message.get("body"):
            body = held + body if held else body
            if message.get("more_body"):
                body, held = redactor.mask_piece(body, more=True)
            else:
                body, held = redactor.mask(body), b""
            message["body"] = body
        elif held and not message.get("more_body"):  # the end, without a word of its own
            message["body"] = held
        elif text := message.get("text"):
            message["text"] = redactor.mask(text.encode()).decode()
        elif reason := message.get("reason"):  # of a WebSocket's end
            message["reason"] = redactor.mask(reason.encode()).decode()
        await send(message)

    return filtered
