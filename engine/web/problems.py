"""Problem details (RFC 9457): every answer with an error status has this shape."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Raw, Struct

from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.limits import TooOften
from engine.columns.loading import NotLoaded
from engine.core.errors import Busy, ClockAhead, EnvironmentFailure, StocklineError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
UNEXPECTED = "an unexpected error; the server's log has the details"


class ProblemDetails(Struct, kw_only=True, omit_defaults=True, rename={"kind": "type"}):
    """Why a call failed: `detail` is a sentence for a person, `reason` a stable code for programs.

    `kind` is given although RFC 9457 lets it be left out, because readers of all problems look at it first;
    `current` is the thing as it is now, where that is why the call failed.
    """

    kind: Literal["about:blank"]
    title: str
    status: int
    detail: str
    reason: str | None = None
    current: Any = None


class Problem(StocklineError):
    """An exception that ends a call with problem details."""

    def __init__(
        self,
        status: int,
        detail: str,
        reason: str | None = None,
        headers: dict[str, str] | None = None,
        current: Raw | None = None,
    ):
        super().__init__(detail)
        self.status, self.detail, self.reason, self.headers, self.current = status, detail, reason, headers, current


_encoder = msgspec.json.Encoder()


def details(status: int, detail: str, reason: str | None = None, current: Raw | None = None) -> ProblemDetails:
    """Problem details of a status, whose phrase is their title."""
    # A header that is not UTF-8 arrives as text with surrogates, and a detail may quote it.
    readable = detail.encode(errors="replace").decode()
    title = HTTPStatus(status).phrase
    return ProblemDetails(
        kind="about:blank", title=title, status=status, detail=readable, reason=reason, current=current
    )


def encoded(status: int, detail: str, reason: str | None = None, current: Raw | None = None) -> bytes:
    """Problem details as JSON."""
    return _encoder.encode(details(status, detail, reason, current))


def answer(
    status: int,
    detail: str,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
    current: Raw | None = None,
) -> web.Response:
    """An answer with problem details."""
    body = encoded(status, detail, reason, current)
    return web.Response(status=status, body=body, content_type=MEDIA_TYPE, headers=headers)


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception of a handler into problem details."""
    try:
        return await handler(request)
    except Problem as problem:
        return answer(problem.status, problem.detail, problem.reason, problem.headers, problem.current)
    except web.HTTPException as error:
        return _of_framework(request, error)
    except NotLoggedIn as denial:
        return answer(401, str(denial), denial.reason, {"WWW-Authenticate": "Bearer"})
    except Forbidden as denial:
        return answer(403, str(denial), denial.reason)
    except TooOften as limit:
        return answer(429, str(limit), "too_often", {"Retry-After": str(limit.retry_after_seconds)})
    except Busy as busy:
        return answer(429, str(busy) or "the engine is behind", "busy", {"Retry-After": str(busy.retry_after_seconds)})
    except ClockAhead as failure:
        return answer(503, str(failure), "clock_jump", {"Retry-After": str(failure.retry_after_seconds)})
    except NotLoaded as loading:
        return answer(503, str(loading), "loading", {"Retry-After": str(loading.retry_after_seconds)})
    except EnvironmentFailure as failure:
        return answer(503, str(failure) or "the engine has stopped", "unavailable")
    except StocklineError as failure:
        log.exception("%s %s met a failure of the engine", request.method, request.path)
        return answer(503, f"the engine has stopped: {failure}", "unavailable")
    except (ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("%s %s failed unexpectedly", request.method, request.path)
        return answer(500, UNEXPECTED, "unexpected")


def _of_framework(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """The problem details of an error that aiohttp found, such as an unknown path; a redirect is raised again."""
    if error.status < 400:
        raise error
    headers = {name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After")}
    sentences = {404: f"there is no {request.path}", 405: f"{request.path} does not take {request.method}"}
    return answer(error.status, sentences.get(error.status, error.text or error.reason), None, headers)
