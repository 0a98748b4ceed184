"""A profile of a system with a JSON interface over HTTP: its records, how they change, and how it takes orders.

    kind = "rest"
    name = "erp"
    url = "https://erp.example.com"

    [auth]                                  # or kind = "oauth2"; none: nothing is sent
    kind = "api_key"
    key = { env = "ERP_KEY" }

    [values]                                # for the templates, beside their own: a constant, or a secret
    company = "100"

    [[resources]]
    name = "movements"
    path = "/api/{company}/movements"
    query = { changed_from = "{since}", page = "{page}", per_page = "{limit}" }
    records = "items"                       # the path of the list in the answer; none: the answer is the list
    paging = { kind = "page", size = 200 }
    changes = { kind = "modified", column = "changed", overlap_seconds = 300 }
    [resources.reading]                     # as in a profile of files; columns are dotted paths
    id = "{number}"
    time = { columns = ["booked"] }
    [[resources.reading.rules]]
    type = "stock.issued"
    data = { sku = { column = "article" }, location = "LDS", qty = { column = "pieces", as = "integer" } }

`docs/connectors/rest.md` explains every key; two whole profiles are in `connectors/rest/data`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.mapping.language import Declared, Reading
from connectors.orders import PushSettings
from connectors.profiles import Address, ConnectorProfile, Secret

Template = dict[str, Any]
"""A JSON object; its texts may hold names in braces."""


class ApiKey(Declared):
    """A key in a header of every request."""

    kind: Literal["api_key"]
    key: Secret
    header: str = "Authorization"
    prefix: str = "Bearer "


class OAuth2(Declared):
    """OAuth 2.0 client credentials: a token, asked for anew before it ends and whenever it is refused."""

    kind: Literal["oauth2"]
    token_url: Address
    client_id: str
    client_secret: Secret
    scope: str | None = None


Auth = Annotated[ApiKey | OAuth2, Field(discriminator="kind")]


class Limits(Declared):
    """What the other system bears, and how long it may take."""

    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] = 10
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 30
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    longest_wait_seconds: Annotated[float, Field(ge=0, le=3600)] = 60
    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 16 << 20


class Request(Declared):
    """A request as a template. `error` is the path of what an answer holds that fails in spite of its status 200."""

    path: str
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"] = "GET"
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Template | None = None
    error: str | None = None


class Paging(Declared):
    """How the rest of a list is asked for; `next` is the path of the next link or cursor in the answer."""

    kind: Literal["none", "page", "offset", "cursor", "next_link", "keyset"] = "none"
    size: Annotated[int, Field(ge=1, le=100_000)] = 100
    first_page: int = 1
    next: str | None = None
    key: str | None = None
    first_key: str | int = 0

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.kind in ("cursor", "next_link")) != (self.next is not None):
            raise ValueError('`next` belongs to the kinds "cursor" and "next_link"')
        if (self.kind == "keyset") != (self.key is not None):
            raise ValueError('`key`, the column that the list is ordered by, belongs to the kind "keyset"')
        return self


class Changes(Declared):
    """How a pull asks for what has changed: since a time, less an overlap, or by the cursor of the last answer."""

    kind: Literal["modified", "cursor"]
    column: str | None = None
    overlap_seconds: Annotated[float, Field(ge=0, le=604_800)] = 120
    written: str = "%Y-%m-%dT%H:%M:%SZ"
    start: str = "1970-01-01T00:00:00Z"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.kind == "modified") != (self.column is not None):
            raise ValueError('`column`, which says when a record changed, belongs to the kind "modified"')
        return self


class Listing(Request):
    """A request whose answer holds records."""

    records: str = ""
    paging: Paging = Paging()


class Resource(Listing):
    """Records that become events. Without `changes` the whole list is read each time."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    changes: Changes | None = None
    reading: Reading

    @model_validator(mode="after")
    def _cursors_go_together(self) -> Self:
        if self.changes is not None and self.changes.kind == "cursor" and self.paging.kind != "cursor":
            raise ValueError("`changes` by cursor need `paging` by cursor")
        return self


class LineColumns(Declared):
    """Where a listed line of an order holds what; columns are dotted paths."""

    text: str
    document: str
    line: str
    state: str
    supplier: str | None = None
    location: str | None = None
    order: str | None = None
    order_line: str | None = None
    qty: str | None = None
    etag: str | None = None


class Push(PushSettings):
    """The table `[orders]`: how signals become lines of drafts.

    Templates know `{sku}`, `{supplier}`, `{location}`, `{qty}`, `{due}`, `{text}` of a line (`{text}` holds its key and
    must be kept), `{document}`, `{line}` and `{etag}`, and `{signal}` in a search. A list `[{each = ...}]` holds its
    template once for each line. `states` says which of the other system's words means draft, ordered or gone.
    """

    system: Annotated[str, Field(min_length=1, max_length=64)]
    partner: str | None = None
    columns: LineColumns
    states: dict[str, Literal["draft", "ordered", "gone"]]
    drafts: Listing
    search: Listing
    create: Request
    add: Request
    add_each: bool = False
    change: Request
    remove: Request
    left: Listing | None = None
    remove_document: Request | None = None
    idempotency_header: str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.left is None) != (self.remove_document is None):
            raise ValueError("`left`, the lines of a document, and `remove_document` belong together")
        return self


class Profile(ConnectorProfile):
    """See the module's example."""

    kind: Literal["rest"]
    url: Annotated[Address, Field(pattern=r"^https?://[^/?#]+(/[^?#]*)?$")]
    auth: Auth | None = None
    limits: Limits = Limits()
    values: dict[str, Secret | str | int] = Field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    orders: Push | None = None

    @model_validator(mode="before")
    @classmethod
    def _sources_have_names(cls, given: object) -> object:
        """The CloudEvents source of a resource's events is the connector's, unless its reading has one."""
        if isinstance(given, dict) and isinstance(given.get("resources"), list):
            source = given.get("source") or f"rest/{given.get('name')}"
            given = given | {"resources": [_with_source(each, source) for each in given["resources"]]}
        return given

    @field_validator("resources")
    @classmethod
    def _each_once(cls, resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
        names = [resource.name for resource in resources]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)}: more than one resource has this name")
        return resources

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.resources and self.orders is None:
            raise ValueError("a profile has `resources`, or `orders`, or both")
        return self


def _with_source(resource: object, source: str) -> object:
    if not isinstance(resource, dict) or not isinstance(resource.get("reading"), dict):
        return resource
    return resource | {"reading": {"source": f"{source}/{resource.get('name')}", **resource["reading"]}}
