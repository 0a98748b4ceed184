"""What a person does in Tryton, done over its JSON-RPC by tests: no code of the connector here."""

import json
from base64 import b64encode
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from tests.real.tryton_series import Series


class Refused(Exception):
    """Tryton answered a call with an error; `kind` is its name."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail[:500]}")
        self.kind = kind


class Rpc:
    """Calls of the models of a database at `url`, as one login or another, each with one session."""

    def __init__(self, url: str, series: Series, database: str, password: str) -> None:
        self.url, self.database, self.series = url, database, series
        self._password = password
        self._sessions: dict[str, str] = {}
        self._contexts: dict[str, dict[str, Any]] = {}

    def answers(self) -> bool:
        """Whether the server answers."""
        body = {"id": 0, "method": "common.server.version", "params": []}
        try:
            return self._post(f"/{self.series.path}", body, None)[0] == 200
        except (OSError, HTTPException):
            return False

    def rpc(self, method: str, *params: Any, login: str = "admin", context: dict[str, Any] | None = None) -> Any:
        """Call a method ("model.stock.move.search") as `login`; the context of the login is its last parameter.

        A warning is a question: it is answered with yes, and the call is repeated. Raises `Refused`.
        """
        for _ in range(5):
            if login not in self._sessions:
                self._log_in(login)
            body = {"id": 1, "method": method, "params": [*params, self._contexts[login] | (context or {})]}
            status, answer = self._post(f"/{self.database}/{self.series.path}", body, self._sessions[login])
            if status == 401:
                del self._sessions[login]
                continue
            if status != 200:
                raise Refused(str(status), answer.decode(errors="replace"))
            decoded = json.loads(answer, object_hook=_decoded)
            if "error" not in decoded:
                return decoded["result"]
            kind, detail = decoded["error"][0], decoded["error"][1]
            if kind != "UserWarning":
                raise Refused(kind, str(detail))
            self.rpc("model.res.user.warning.skip", detail[0], False, login=login)
        raise Refused("UserWarning", "it asks again and again")

    def find(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        """The records of a model that meet a domain, by id."""
        found: list[dict[str, Any]] = self.rpc(
            f"model.{model}.search_read", domain, 0, None, [["id", "ASC"]], list(fields or ("id",))
        )
        return found

    def one(self, model: str, *domain: Any) -> int:
        """The id of the only record that meets a domain."""
        (found,) = self.find(model, list(domain))
        return int(found["id"])

    def _log_in(self, login: str) -> None:
        body = {"id": 0, "method": "common.db.login", "params": [login, {"password": self._password}, "en"]}
        status, answer = self._post(f"/{self.database}/{self.series.path}", body, None)
        user, token, *_ = json.loads(answer)["result"] or [None, None]
        if status != 200 or user is None:
            raise Refused(str(status), f"{login} may not log in")
        self._sessions[login] = "Session " + b64encode(f"{login}:{user}:{token}".encode()).decode()
        self._contexts[login] = {}
        self._contexts[login] = self.rpc("model.res.user.get_preferences", True, login=login)

    def _post(self, path: str, body: dict[str, Any], authorization: str | None) -> tuple[int, bytes]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=240)
        headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
        try:
            connection.request("POST", path, json.dumps(body, default=_encoded), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _encoded(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime"} | {name: getattr(value, name) for name in names}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    raise TypeError(f"{type(value).__name__} is no JSON")


def _decoded(value: dict[str, Any]) -> Any:
    kind = value.pop("__class__", None)
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "datetime":
        return datetime(**value)  # noqa: DTZ001 - Tryton's are naive, of UTC
    if kind == "date":
        return date(**value)
    if kind == "timedelta":
        return timedelta(seconds=value["seconds"])
    return value
