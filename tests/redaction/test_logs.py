"""The hub's own log shows no credentials."""

import json
import logging
from collections.abc import Iterator

import pytest

from redaction.credentials import SAID, drawn, pem
from swarm_api.redaction import MARK, Redactor
from swarm_hub import logs
from swarm_hub.about import REQUEST_ID

KEY = "sk-ant-api03-" + drawn(95)
REDACTOR = Redactor([KEY])
FORMATTERS = pytest.mark.parametrize("formatter", [logs.JsonLines(REDACTOR), logs.TextLines(REDACTOR)])


def logged(formatter: logging.Formatter, message: str, *arguments: object, error: BaseException | None = None) -> str:
    about = None if error is None else (type(error), error, error.__traceback__)
    return formatter.format(logging.LogRecord("hub", logging.ERROR, "hub.py", 1, message, arguments, about))


@FORMATTERS
@pytest.mark.parametrize("secret", [KEY, SAID["GitHub"][0], SAID["JWT"][0]], ids=["key", "github", "jwt"])
def test_neither_a_message_nor_an_exception_shows_a_credential(formatter: logging.Formatter, secret: str) -> None:
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError as error:
        line = logged(formatter, "failed with %s", secret, error=error)
    assert f"failed with {MARK}" in line
    assert f"cannot use {MARK}" in line
    assert secret not in line


@FORMATTERS
def test_the_number_of_a_request_shows_none(formatter: logging.Formatter) -> None:
    token = REQUEST_ID.set(KEY)
    try:
        assert KEY not in logged(formatter, "a message")
    finally:
        REQUEST_ID.reset(token)


def test_a_line_of_json_stays_json() -> None:
    said = f'{{"key": "{pem()}", "next": "{KEY}", "x": "\\"{KEY}"}}'
    shown = json.loads(logged(logs.JsonLines(REDACTOR), said))["message"]
    assert shown.endswith(f'", "next": "{MARK}", "x": "\\"{MARK}"}}')
    assert pem()[40:90] not in shown


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """Everything as it was before, afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("swarm_hub.test")
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_is_logged_goes_to_standard_error_redacted(
    log: logging.Logger, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(form, "info", REDACTOR)
    log.warning("the key is %s", KEY)
    said = capsys.readouterr().err
    assert f"the key is {MARK}" in said
    assert KEY not in said
