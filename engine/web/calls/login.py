"""The login of people in a browser: with a token, or at the OpenID provider by code and PKCE; and who is logged in."""

import html
import secrets
from functools import lru_cache
from importlib.resources import files
from string import Template
from urllib.parse import parse_qs, quote

import msgspec
from aiohttp import web

from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.gate import LoginGate
from engine.access.principal import Login
from engine.access.provider import Begun
from engine.access.sending import own_source
from engine.web.admission import ADMISSION, SESSION_COOKIE
from engine.web.answers import Me, as_json
from engine.web.headers import policy
from engine.web.ports import CONTEXT, INSECURE, PUBLIC_URL, login_of, principal_of
from engine.web.problems import Problem

LOGIN_COOKIE = "__Host-stockline-login"
ENDED = "Your login has ended. Log in again to go on where you were."
LOGIN_SECONDS = 600.0
"""How long a person may take at the provider."""
CALLBACK = "/login/callback"


class _Under(msgspec.Struct):
    """What a login at the provider must bring back, and where the person wanted to go."""

    begun: Begun
    following: str


async def who_am_i(request: web.Request) -> web.Response:
    """Who calls, with which roles, and how long that lasts."""
    principal, login = principal_of(request), login_of(request)
    means = "none" if login is None else login.means
    return as_json(
        Me(
            name=principal.name,
            roles=sorted(principal.roles),
            source=own_source(principal),
            supplier=principal.supplier,
            login=means,
            expires=None if login is None else login.expires,
            insecure=request.app[INSECURE],
        )
    )


async def show(request: web.Request) -> web.StreamResponse:
    """The page on which a person logs in."""
    gate, following = _gate(request), _following(request.query.get("next"))
    # A browser keeps the cookie of a session that has ended; who never logged in, or logged out, has none.
    return _page(gate, following, ENDED if SESSION_COOKIE in request.cookies else "")


async def with_token(request: web.Request) -> web.StreamResponse:
    """Begins a session with a token that a person has entered."""
    gate = _gate(request)
    async with request.app[CONTEXT].intake.body(request) as body:
        form = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    following = _following(_first(form, "next"))
    try:
        login = await gate.by_token(_first(form, "token").strip())
    except (NotLoggedIn, Forbidden) as denial:
        request.app[ADMISSION].failed(request)
        return _page(gate, following, str(denial), 401)
    return _enter(gate, login, following)


async def begin(request: web.Request) -> web.StreamResponse:
    """Leads a person to the provider."""
    gate = _gate(request)
    if gate.provider is None:
        raise Problem(404, "this engine has no OpenID provider: log in with a token", "no_provider")
    url, begun = await gate.provider.begin(_address(request) + CALLBACK)
    following = _following(request.query.get("next"))
    leading = _see(url)
    cookie = gate.logins.sign(msgspec.to_builtins(_Under(begun, following)), LOGIN_SECONDS)
    _set(leading, LOGIN_COOKIE, cookie, LOGIN_SECONDS)
    return leading


async def finish(request: web.Request) -> web.StreamResponse:
    """Begins a session for a person who comes back from the provider."""
    gate = _gate(request)
    if gate.provider is None:
        raise Problem(404, "this engine has no OpenID provider: log in with a token", "no_provider")
    try:
        under = msgspec.convert(gate.logins.read(request.cookies.get(LOGIN_COOKIE, "")), _Under)
        if not secrets.compare_digest(under.begun.state, request.query.get("state", "")):
            raise NotLoggedIn("the provider's answer belongs to another login; begin again", "login_invalid")
        gate.provider.check_issuer(request.query.get("iss"))
        if "code" not in request.query:
            raise NotLoggedIn("the provider did not let you in; ask its administrator, or begin again", "login_invalid")
        login = await gate.provider.finish(request.query["code"], _address(request) + CALLBACK, under.begun)
    except (NotLoggedIn, Forbidden) as denial:
        return _page(gate, "/", str(denial), 401 if isinstance(denial, NotLoggedIn) else 403)
    entered = _enter(gate, login, under.following)
    _forget(entered, LOGIN_COOKIE)
    return entered


async def log_out(request: web.Request) -> web.StreamResponse:
    """Ends the session of a browser."""
    gate, login = request.app[ADMISSION].gate, login_of(request)
    if isinstance(gate, LoginGate) and login is not None:
        await gate.log_out(login)
    left = web.Response(status=204)
    _forget(left, SESSION_COOKIE)
    return left


def _gate(request: web.Request) -> LoginGate:
    """The gate that asks for a login; where none is asked for, the person is led to the view."""
    gate = request.app[ADMISSION].gate
    if not isinstance(gate, LoginGate):
        raise web.HTTPSeeOther("/")
    return gate


def _enter(gate: LoginGate, login: Login, following: str) -> web.Response:
    entered = _see(following)
    _set(entered, SESSION_COOKIE, gate.sessions.begin(login), gate.sessions.seconds)
    return entered


def _see(url: str) -> web.Response:
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def _set(answer: web.Response, name: str, value: str, seconds: float) -> None:
    # Lax and not strict: a person who comes back from the provider brings no strict cookie.
    answer.set_cookie(name, value, max_age=int(seconds), path="/", secure=True, httponly=True, samesite="Lax")


def _forget(answer: web.Response, name: str) -> None:
    answer.del_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")


def _following(path: str | None) -> str:
    """Where to go after the login: a path of ours, for a link to our login must not lead to another site."""
    if path is None or not path.startswith("/") or path[1:2] in ("/", "\\") or not path.isprintable():
        return "/"
    return path


def _first(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[0]


def _address(request: web.Request) -> str:
    return request.app[PUBLIC_URL] or f"{request.scheme}://{request.host}"


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template(files("engine.web").joinpath("static", "login.html").read_text(encoding="utf-8"))


def _page(gate: LoginGate, following: str, fault: str, status: int = 200) -> web.Response:
    nonce = secrets.token_urlsafe(16)
    text = _template().substitute(
        nonce=nonce,
        following=html.escape(following),
        provider=f"/login/provider?next={quote(following, safe='')}",
        without="hidden" if gate.provider is None else "",
        fault=html.escape(fault),
    )
    # Without a referrer a browser sends a form with the origin `null`, as it sends those of foreign pages.
    headers = {"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
