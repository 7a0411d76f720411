"""What every refusal must look like."""

import httpx


def assert_problem(answer: httpx.Response, status: int, code: str, loc: str | None = None) -> None:
    """An RFC 9457 document with this code, that names the field at fault and tells nothing of the hub's inside."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["title"]
    assert problem["type"]
    assert problem["detail"]
    assert "Traceback" not in answer.text
    if loc is not None:
        assert loc in [error["loc"] for error in problem["errors"]]
        assert all(error["msg"] for error in problem["errors"])
