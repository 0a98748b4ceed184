"""The OpenID provider `oidc-provider` from npm, which is certified: a process that serves on this machine."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

from tests.real.alone import CACHE, alone
from tests.real.kafka import Missing

VERSION = "9.13.3"
PACKAGE = CACHE / f"oidc-provider-{VERSION}"
INSTALL_SECONDS = 600
CLIENT, SECRET, MACHINE, MACHINE_SECRET, AUDIENCE = "stockline", "s-secret", "wms", "m-secret", "urn:stockline"

SERVER = """
const { createServer } = require("node:http");
const load = import("oidc-provider");
const [callback, vendor] = process.argv.slice(1);
const ROLES = { pia: ["stock-planners"], olga: ["stock-admins"], nobody: ["cooks"], vera: ["vendors"] };
const server = createServer();
server.listen(0, "127.0.0.1", async () => {
  const { Provider } = await load;
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      { client_id: "stockline", client_secret: "s-secret", redirect_uris: [callback], response_types: ["code"],
        grant_types: ["authorization_code"] },
      { client_id: "wms", client_secret: "m-secret", redirect_uris: [], response_types: [],
        grant_types: ["client_credentials"] },
    ],
    pkce: { required: () => true },
    claims: { profile: ["preferred_username", "groups", "vendor"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({
      sub: id, preferred_username: id, groups: ROLES[id] || [], vendor: id === "vera" ? vendor : undefined }) }),
    extraTokenClaims: () => ({ preferred_username: "wms-leeds", groups: ["machines"], system: "wms/leeds" }),
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: "", audience: "urn:stockline", accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } } }),
      },
    },
    cookies: { keys: ["only for tests"] },
  });
  server.on("request", provider.callback());
  console.log(`ready ${issuer}`);
});
"""


@contextmanager
def provider(callback: str, vendor: str = "ACME") -> Iterator[str]:
    """The issuer's URL of a provider that knows one client with this redirect address, and vera of a vendor; raises
    Missing."""
    process = subprocess.Popen(
        ["node", "-e", SERVER, callback, vendor],
        cwd=_package(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield _announced(process.stdout)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _announced(output: IO[str]) -> str:
    said: list[str] = []
    for line in output:
        said.append(line)
        if found := re.match(r"ready (\S+)", line):
            return found[1]
    raise AssertionError(f"the provider does not start: {''.join(said)}")


def _package() -> Path:
    if not PACKAGE.exists():
        with alone(PACKAGE.name):
            if not PACKAGE.exists():
                _fetch()
    return PACKAGE


def _fetch() -> None:
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Missing(f"the OpenID provider needs Node (no `{program}` on the path)")
    with tempfile.TemporaryDirectory(dir=PACKAGE.parent) as fresh:
        command = ["npm", "install", "--prefix", f"{fresh}/provider", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(
            [*command, f"oidc-provider@{VERSION}"], capture_output=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode:
            raise Missing(f"`npm install` failed: {done.stderr.decode(errors='replace')[-500:]}")
        (Path(fresh) / "provider").replace(PACKAGE)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Person:
    """A person with a browser at the provider, who follows redirects and fills its two forms."""

    def __init__(self, name: str) -> None:
        self._name = name
        # Python's cookies take no secure ones over HTTP, as browsers do on this machine.
        policy = DefaultCookiePolicy(secure_protocols=("http", "https"))
        self._open: OpenerDirector = build_opener(_NoRedirect, HTTPCookieProcessor(CookieJar(policy)))

    def log_in(self, url: str, back: str) -> str:
        """The address at which the person comes back, from the one to which it was led."""
        for _ in range(12):
            status, where, page = self._get(url)
            if where is not None and where.startswith(back):
                return where
            if where is not None:
                url = urljoin(url, where)
                continue
            assert status == 200, page
            found = re.search(r'<form[^>]* action="([^"]+)"', page)
            assert found is not None, page
            prompt = "login" if 'name="login"' in page else "consent"
            _, where, page = self._get(urljoin(url, found[1]), {"prompt": prompt, "login": self._name, "password": "x"})
            assert where is not None, page
            if where.startswith(back):
                return where
            url = urljoin(url, where)
        raise AssertionError(f"no way back from {url}")

    def _get(self, url: str, form: dict[str, str] | None = None) -> tuple[int, str | None, str]:
        data = None if form is None else urlencode(form).encode()
        try:
            with self._open.open(Request(url, data), timeout=60) as answer:
                return answer.status, answer.headers.get("Location"), answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.headers.get("Location"), error.read().decode()
