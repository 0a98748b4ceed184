"""Conditional calls by RFC 9110: entity tags of single things, `If-None-Match` on reads, `If-Match` on answers."""

from hashlib import blake2b

import msgspec
from aiohttp import ETag, hdrs, web
from msgspec import Raw, Struct

from engine.web.answers import raw_json
from engine.web.pages import Aggregates, FreshPage
from engine.web.problems import Problem

DIGEST_BYTES = 8
ANY = "*"


class _Revised(Struct):
    revision: int | None = None


_revised = msgspec.json.Decoder(_Revised)


def tag_of(thing: bytes) -> ETag:
    """The strong tag of a thing as it was published: its revision where it has one, as signals do, else a digest.

    A program that has a signal from a list or from the stream thereby knows its tag.
    """
    revision = _revised.decode(thing).revision
    return ETag(_digest(thing) if revision is None else str(revision))


def weak_tag_of(content: bytes) -> ETag:
    """The weak tag of an answer that says the same as long as `content`, a part of it, does not change."""
    return ETag(_digest(content), is_weak=True)


def with_tag(answer: FreshPage | Aggregates) -> tuple[bytes, ETag]:
    """The JSON of an answer that says how fresh it is, and its weak tag: the same while only the freshness differs.

    It is a digest of the content, not the version of the table: that changes with every event, also where nothing on
    the page does, and means nothing in another process of the same log.
    """
    said = msgspec.structs.replace(answer, as_of=None, lag_seconds=0.0)
    return msgspec.json.encode(answer), weak_tag_of(msgspec.json.encode(said))


def fresh(request: web.Request, content: bytes, tag: ETag) -> web.Response:
    """A list with its tag, or 304; a cache that is not the caller's keeps none, and none answers without asking."""
    response = tagged(request, content, tag)
    response.headers.update({hdrs.CACHE_CONTROL: "private, no-cache", hdrs.VARY: hdrs.ACCEPT})
    return response


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=DIGEST_BYTES).hexdigest()


def tagged(request: web.Request, thing: bytes, tag: ETag | None = None) -> web.Response:
    """The JSON answer with its tag, or 304 without a body where `If-None-Match` names what the caller has already."""
    tag = tag or tag_of(thing)
    known = request.if_none_match or ()
    # `If-None-Match` compares weakly: only what the tags say counts.
    is_known = any(each.value in (ANY, tag.value) for each in known)
    reads = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
    response = web.Response(status=304) if is_known and reads else raw_json(thing)
    response.etag = tag
    return response


def require_match(request: web.Request, thing: Raw) -> None:
    """Raises Problem 412, with the thing as it is now, where `If-Match` names none of its tags."""
    if hdrs.IF_MATCH not in request.headers:
        return
    tag = tag_of(thing)
    # `If-Match` compares strongly: a weak tag never matches, nor does what is no tag at all.
    if any(not each.is_weak and each.value in (ANY, tag.value) for each in request.if_match or ()):
        return
    detail = f'it has changed since: its tag is "{tag.value}" now, and `current` is what it says; nothing was written'
    raise Problem(412, detail, "changed", {hdrs.ETAG: f'"{tag.value}"'}, thing)
