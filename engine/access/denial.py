"""The two ways to say no: nobody is logged in (401), and whoever is logged in may not do it (403)."""

from typing import Literal

from engine.core.errors import StocklineError


class NotLoggedIn(StocklineError):
    """The caller has not proven who it is; the reason tells a program whether to log in anew."""

    def __init__(self, detail: str, reason: Literal["login_required", "login_invalid", "login_expired"]) -> None:
        super().__init__(detail)
        self.reason = reason


class Forbidden(StocklineError):
    """The caller is known, and has no right to what it asks for."""

    def __init__(
        self, detail: str, reason: Literal["forbidden", "foreign_source", "foreign_name"] = "forbidden"
    ) -> None:
        super().__init__(detail)
        self.reason = reason
