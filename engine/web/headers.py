"""The headers of every answer: no page of another origin may embed, read or drive this one."""

from collections.abc import Mapping


def policy(nonce: str | None = None) -> str:
    """The Content-Security-Policy: nothing comes from elsewhere, and no script stands in a page.

    With a nonce a page may add styles that bear it, as the grid does.
    """
    styles = "'self'" if nonce is None else f"'self' 'nonce-{nonce}'"
    return (
        f"default-src 'self'; script-src 'self'; style-src {styles}; img-src 'self' data:; font-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


HEADERS: Mapping[str, str] = {
    "Server": "stockline",
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What an answer has that says nothing else; a page has a policy of its own, with a nonce."""
STRICT_TRANSPORT: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""What an answer over HTTPS has besides: for a year a browser asks this name by HTTPS only, at every port."""
