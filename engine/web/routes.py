"""Every HTTP call in one table, with what it takes and what it answers; the OpenAPI document is made from it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from aiohttp.typedefs import Handler

from engine.core.events import AnyEvent
from engine.core.outputs import Alert, DeadLetterAnswer, Signal
from engine.core.payloads import ClockAcceptedData, PolicySetData
from engine.core.topics import OUTPUT_TOPICS
from engine.runtime.sources import SourcesActivity
from engine.trace.answer import Trace
from engine.web import site
from engine.web.answers import (
    AlertAnswer,
    Assignment,
    ClockAnswer,
    Discarding,
    Health,
    ListedAlert,
    ListedPosition,
    ListedSignal,
    Me,
    OrderLine,
    PolicySetting,
    Replayed,
    Replaying,
    ReplayingMany,
    Running,
    ShownLetter,
    SignalAnswer,
    SignalReopening,
    Snooze,
    Sync,
    Taken,
)
from engine.web.calls import (
    connectors,
    decided,
    decisions,
    documents,
    events,
    letters,
    live,
    login,
    operations,
    pages,
    policies,
    positions,
    process,
    published,
    stream,
    supplier,
    trace,
    work,
)
from engine.web.calls.supplier import ForecastPage, LinePage
from engine.web.connectors import ConnectorHealth, ConnectorReport
from engine.web.csv import MEDIA_TYPE as CSV
from engine.web.flow import Flow
from engine.web.pages import Aggregates
from engine.web.parameters import (
    AS_OF,
    CURSOR,
    IF_NONE_MATCH,
    LIMIT,
    OF_AGGREGATES,
    OF_DECISIONS,
    OF_SUPPLIER_LINES,
    ON_ANSWERS,
    SUPPLIER,
    Parameter,
    of_list,
)
from engine.web.supplying import Acknowledging, Announcing, Outcomes
from engine.work.worklist import Work
from tables.figures import KEPT_DAYS

JSON = "application/json"
NDJSON = "application/x-ndjson"
FORM = "application/x-www-form-urlencoded"
STREAM = "text/event-stream"
CLOUDEVENT = "application/cloudevents+json"
CLOUDEVENTS = "application/cloudevents-batch+json"


class Listed(NamedTuple):
    """The answer of a list: a page of things of the type `kind`."""

    kind: object


class Fresh(Listed):
    """The answer of a list of the read model in columns, which says how fresh it is."""


class Route(NamedTuple):
    """A call.

    Attributes:
        method, path, handler: how the server finds it.
        operation: its id in the OpenAPI document.
        what: what it does; the first sentence is its summary.
        answer: the type of the JSON in the answer, `Listed`, or another media type.
        status: the status of a success.
        body: media type -> type of what is in it; None where the call has no body.
        parameters: those of the query; the parameters of the path are in the path.
        headers: the headers that it heeds.
        problems: the statuses of its answers with problem details.
    """

    method: str
    path: str
    handler: Handler
    operation: str
    what: str
    answer: object
    status: int = 200
    body: Mapping[str, object] | None = None
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """What the server takes: HEAD where GET is, but for what has no end and for the steps of a login."""
        is_whole = self.method == "GET" and self.status == HTTPStatus.OK and self.answer != STREAM
        return ("GET", "HEAD") if is_whole else (self.method,)


_DAYS = Parameter(
    "days",
    {"type": "integer", "minimum": 1, "maximum": positions.MAX_DAYS, "default": positions.DEFAULT_DAYS},
    "the horizon of the projection",
)
_KPI_DAYS = Parameter(
    "days", {"type": "integer", "minimum": 1, "maximum": KEPT_DAYS}, "the last so many days; the whole log where absent"
)
_TABLES = Parameter(
    "tables", {"type": "string", "default": stream.DEFAULT_TABLES}, f"some of {', '.join(OUTPUT_TOPICS)}"
)
_CONFLATE = Parameter(
    "conflate",
    {"type": "boolean", "default": False},
    "for a reader that is behind only the latest of each thing waits; `conflated` tells how many were left out",
)
_WAIT = Parameter(
    "wait", {"type": "number", "minimum": 0, "maximum": process.MAX_WAIT_SECONDS}, "seconds to wait at most"
)

_ROW = "/v1/positions/{sku}/{location}"
_PAGES = f"/{{page:{'|'.join(site.by_path())}}}"
_EVENTS = {CLOUDEVENT: AnyEvent, CLOUDEVENTS: list[AnyEvent], NDJSON: str, JSON: AnyEvent | list[AnyEvent]}

_OF_ANSWERS = (400, 404, 408, 409, 412, 413, 422, 429, 503)
"""The problems of an answer to a signal or an alert; 409 where its life cycle does not allow it."""

ROUTES = (
    Route(
        "POST",
        "/v1/events",
        events.post,
        "postEvents",
        "Take events: one, an array, or one a line. Answers once the accepted ones are durable, on one machine also "
        "applied. What is refused costs only itself and is a dead letter, on Kafka also where the fold refuses it "
        "after the answer; a body that cannot be read as any event is a dead letter, and a 400. Repeats are among the "
        "accepted; `duplicates` says how many. On Kafka it is absent: there only the fold tells, after the answer.",
        Taken,
        status=202,
        body=_EVENTS,
        problems=(400, 408, 413, 429, 503),
    ),
    Route(
        "GET", "/v1/positions", published.list_of("positions"), "listPositions", "Rows.", Fresh(ListedPosition),
        parameters=of_list("positions"), headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", _ROW, positions.get_position, "getPosition",
        "One row with its projection, available to promise, orders, forecast, policy, signal and alerts. With `as_of` "
        "only its stock at that moment: `available`, `held`, `on_hand`, and `kept_since`, the earliest moment that can "
        "be asked for.",
        dict[str, Any], parameters=(_DAYS, AS_OF), headers=IF_NONE_MATCH, problems=(400, 404, 410, 429),
    ),
    Route(
        "GET", _ROW + "/events", positions.list_row_events, "listRowEvents",
        "The last events of the row, newest first, as they arrived.",
        Listed(AnyEvent), parameters=(LIMIT, CURSOR), problems=(400, 404),
    ),
    Route(
        "POST", _ROW + "/policy", policies.put, "setPolicy",
        "Set the policy of a row; answers with the row after it.",
        dict[str, Any], body={JSON: PolicySetting}, headers=ON_ANSWERS[1:],
        problems=(400, 408, 409, 413, 422, 429, 503),
    ),
    Route(
        "POST", _ROW + "/policy/preview", policies.preview, "previewPolicy",
        "Say what a policy would make of its row, without setting it: s, S and the quantity that would be ordered now, "
        "before and after.",
        dict[str, Any], body={JSON: PolicySetData}, problems=(400, 404, 408, 413, 429, 503),
    ),
    Route(
        "GET", "/v1/signals", published.list_of("signals"), "listSignals",
        "The latest revision of every signal, with what is known today of its item and of the price.",
        Fresh(ListedSignal), parameters=of_list("signals"), headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/signals/{id}", published.one_of("signals"), "getSignal", "One signal, with its explanation.",
        Signal, parameters=(AS_OF,), headers=IF_NONE_MATCH, problems=(400, 404, 410),
    ),
    Route(
        "POST", "/v1/signals/{id}/{verb:accept|reject}", decisions.decide(decisions.OF_SIGNALS), "answerSignal",
        "Accept or reject a signal; answers with the signal after it. 409 where its life cycle does not allow it.",
        Signal, body={JSON: SignalAnswer}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "POST", "/v1/signals/{id}/reopen", decisions.decide(decisions.REOPENING), "reopenSignal",
        "Undo an acceptance or a rejection that was not ordered yet; answers with the signal after it.",
        Signal, body={JSON: SignalReopening}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "POST", "/v1/signals/{id}/snooze", decisions.decide(decisions.SNOOZE_OF_SIGNALS), "snoozeSignal",
        "Show a signal as snoozed until then, or until it asks for more; answers with the signal after it.",
        Signal, body={JSON: Snooze}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "POST", "/v1/signals/{id}/assign", decisions.decide(decisions.ASSIGNMENT_OF_SIGNALS), "assignSignal",
        "Say who owns a signal; answers with the signal after it.",
        Signal, body={JSON: Assignment}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "GET", "/v1/alerts", published.list_of("alerts"), "listAlerts",
        "The latest state of every alert, with what is known today of its item and of the price.",
        Fresh(ListedAlert), parameters=of_list("alerts"), headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/alerts/{id}", published.one_of("alerts"), "getAlert", "One alert, with its evidence.",
        Alert, parameters=(AS_OF,), headers=IF_NONE_MATCH, problems=(400, 404, 410),
    ),
    Route(
        "POST", "/v1/alerts/{id}/{verb:acknowledge|resolve|reopen}", decisions.decide(decisions.OF_ALERTS),
        "answerAlert",
        "Acknowledge or resolve an alert, or take an acknowledgement back (reopen); answers with the alert after it. "
        "409 where its life cycle does not allow it.",
        Alert, body={JSON: AlertAnswer}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "POST", "/v1/alerts/{id}/snooze", decisions.decide(decisions.SNOOZE_OF_ALERTS), "snoozeAlert",
        "Show an alert as snoozed until then, or until it gets worse; answers with the alert after it.",
        Alert, body={JSON: Snooze}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "POST", "/v1/alerts/{id}/assign", decisions.decide(decisions.ASSIGNMENT_OF_ALERTS), "assignAlert",
        "Say who owns an alert; answers with the alert after it.",
        Alert, body={JSON: Assignment}, headers=ON_ANSWERS, problems=_OF_ANSWERS,
    ),
    Route(
        "GET", "/v1/decisions", decided.list_decisions, "listDecisions",
        "Who decided what, when, and on what numbers, newest first. A page may be short, or empty, and yet another one "
        "follow.",
        Listed(decided.Shown), parameters=OF_DECISIONS, problems=(400,),
    ),
    Route(
        "GET", "/v1/dead-letters", published.list_of("dead-letters"), "listDeadLetters",
        "Refused records, newest first.",
        Fresh(ShownLetter), parameters=of_list("dead-letters"), headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/dead-letters/{id}", letters.get, "getDeadLetter", "One refused record, and what became of it.",
        ShownLetter, headers=IF_NONE_MATCH, problems=(404,),
    ),
    Route(
        "POST", "/v1/dead-letters/{id}/replay", letters.replay, "replayDeadLetter",
        "Take the exact bytes of a dead letter again, or the `event` of the body in their place. 409 for a record that "
        "a connector refused: its connector must translate it again, by `stockline connectors replay NAME`.",
        Taken, status=202, body={JSON: Replaying}, problems=(400, 404, 408, 409, 413, 429, 503),
    ),
    Route(
        "POST", "/v1/dead-letters/{id}/discard", letters.discard, "discardDeadLetter",
        "Say that a dead letter needs nothing more; answers with it as it is then.",
        ShownLetter, body={JSON: Discarding}, problems=(400, 404, 408, 413, 429, 503),
    ),
    Route(
        "POST", "/v1/dead-letters/replay", letters.replay_many, "replayDeadLetters",
        "Take the open dead letters of a reason or a source again, oldest first within a partition, at most `limit`; "
        "with `dry_run` nothing is written, and the answer says what would be refused. Records that a connector "
        "refused are left to it.",
        Replayed, body={JSON: ReplayingMany}, problems=(400, 408, 413, 429, 503),
    ),
    Route(
        "GET", "/v1/dead-letter-answers", published.list_of("dead-letter-answers"), "listDeadLetterAnswers",
        "What people did about dead letters, newest first.",
        Fresh(DeadLetterAnswer), parameters=of_list("dead-letter-answers"), headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/work", work.get, "getWork",
        "What needs a decision, worst first by value at risk: proposals by supplier, late supply, drift, projected "
        "stock-outs and other alerts, each with its sentence. What is snoozed is counted and not shown.",
        Work, parameters=work.OF_WORK, problems=(400,),
    ),
    Route(
        "GET", "/v1/trace", trace.get, "trace",
        "What led to a forecast, signal, order, shipment, receipt or event, and what it led to: things and the edges "
        "from causes to effects, each with a sentence.",
        Trace, parameters=trace.OF_TRACE, problems=(400, 404),
    ),
    Route(
        "GET", "/v1/order-lines", published.list_of("order-lines"), "listOrderLines",
        "The lines of purchase orders, with what is open of each and by when it is promised.",
        Fresh(OrderLine), parameters=of_list("order-lines"), headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/aggregates", published.aggregates, "aggregate",
        "Counts, sums, least and greatest values of what a table lists, by up to two fields; those with the greatest "
        "first sum come first, else those of the most things. The filters of the table's list apply.",
        Aggregates, parameters=OF_AGGREGATES, headers=IF_NONE_MATCH, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/supplier/lines", supplier.lines, "listSupplierLines",
        "A supplier's own order lines, the open ones unless `status` asks for others. Also as CSV, with empty columns "
        "to fill in and to upload.",
        LinePage, parameters=OF_SUPPLIER_LINES, problems=(400, 503),
    ),
    Route(
        "GET", "/v1/supplier/forecast", supplier.forecast, "getSupplierForecast",
        "The forecasts that are shared with a supplier, in the buckets of the planner.",
        ForecastPage, parameters=(SUPPLIER, LIMIT, CURSOR), problems=(400, 503),
    ),
    Route(
        "POST", "/v1/supplier/acknowledgements", supplier.acknowledge, "acknowledgeLines",
        "What a supplier promises of its lines: each schedule replaces what it said of the line before. Each line is "
        "taken or refused for itself; what was said already is taken, and changes nothing.",
        Outcomes, body={JSON: Acknowledging}, parameters=(SUPPLIER,), problems=(400, 408, 413, 429, 503),
    ),
    Route(
        "POST", "/v1/supplier/shipments", supplier.announce, "announceShipment",
        "A shipment that is on its way, line by line.",
        Outcomes, body={JSON: Announcing}, parameters=(SUPPLIER,), problems=(400, 408, 413, 429, 503),
    ),
    Route(
        "POST", "/v1/supplier/upload", supplier.upload, "uploadLines",
        "The CSV of the lines with what the supplier has filled in; each row is taken or refused for itself.",
        Outcomes, body={CSV: str}, parameters=(SUPPLIER,), problems=(400, 408, 413, 429, 503),
    ),
    Route(
        "GET", "/v1/kpis", process.kpis, "getKpis",
        "Business figures. Events are counted by type; the engine's own `clock.ticked` is none. A signal counts once "
        "among the opened and at most once among the withdrawn and closed; `open` are those that are neither. "
        "`business` has the figures by location, by supplier and by day; with `days` those of the last days (UTC), and "
        "what is open now.",
        dict[str, Any], parameters=(_KPI_DAYS,), problems=(400,),
    ),
    Route(
        "GET", "/v1/stream", stream.get, "followChanges",
        "Every change as it happens: the event's name is the CloudEvents type, its data the CloudEvent. The id stands "
        "at the end of each commit; with it as `Last-Event-ID` the stream goes on from there, also after a restart, or "
        "answers 410. A comment every 15 seconds of silence. A reader that is too slow is cut off.",
        STREAM, parameters=(_TABLES, _CONFLATE), problems=(400, 410, 429, 503),
    ),
    Route(
        "GET", "/v1/live", live.get, "followWindows",
        "A WebSocket: a page names windows of lists, and is sent the latest state of each at most four times a second, "
        "where it has changed. docs/live.md has the messages.",
        "application/json", status=101, problems=(400, 403, 426),
    ),
    Route(
        "GET", "/v1/sync", process.sync, "sync",
        "How far the engine is; with `wait` once all that was accepted before the call is applied.",
        Sync, parameters=(_WAIT,), problems=(400, 503),
    ),
    Route(
        "GET", "/v1/flow", process.flow, "getFlow",
        "By partition how long the log is, how far it is applied, and how many events a second arrive and are applied, "
        "measured between the calls of about the last minute; by topic and partition what else was published.",
        Flow,
    ),
    Route(
        "GET", "/v1/sources", operations.sources, "listSources",
        "What has come from whom since the log began: declared feeds, whether they are silent, and other sources, each "
        "with its last arrival, its accepted, repeated, late and refused records, and its open dead letters.",
        SourcesActivity, problems=(503,),
    ),
    Route(
        "GET", "/v1/settings", operations.settings, "getSettings",
        "What this process and the others of its cluster run with, by setting, what each is at, when it told so "
        "last, and by which rules the log is folded; no secret is among it. Workers tell of themselves at their own "
        "ports.", Running,
    ),
    Route(
        "GET", "/v1/schemas", documents.list_types, "listTypes", "The types of all events.", dict[str, list[str]]
    ),
    Route(
        "GET", "/v1/schemas/{type}", documents.schema, "getSchema", "The JSON Schema of a type of event.",
        dict[str, Any], problems=(404,),
    ),
    Route(
        "POST", "/v1/clock/accept", process.accept_clock, "acceptClock",
        "Take the machine's clock for right, which has jumped ahead by more than an hour while the engine ran, so that "
        "events are taken again. 409 where it has not.",
        ClockAcceptedData, body={JSON: ClockAnswer}, problems=(400, 408, 409, 413, 503),
    ),
    Route(
        "GET", "/v1/connectors", connectors.list_all, "listConnectors",
        "The connectors that have reported to this process since it began, by name, at most 1,000 of them; one that "
        "has not reported for three of its intervals is silent.",
        Listed(ConnectorHealth),
    ),
    Route(
        "GET", "/v1/connectors/{name}", connectors.get, "getConnector", "One connector.",
        ConnectorHealth, problems=(404,),
    ),
    Route(
        "PUT", "/v1/connectors/{name}", connectors.put, "reportConnector",
        "Take what a connector says of itself; it is kept in memory only. Answers with what is shown of it.",
        ConnectorHealth, body={JSON: ConnectorReport}, problems=(400, 408, 413, 429),
    ),
    Route(
        "GET", "/v1/me", login.who_am_i, "whoAmI",
        "Who calls: the name of the login, its roles, and what it is limited to.", Me,
    ),
    Route("GET", "/healthz", process.alive, "isAlive", "Whether the process works.", Health),
    Route("GET", "/readyz", process.ready, "isReady", "Whether calls are taken.", Health),
    Route("GET", "/metrics", process.metrics, "getMetrics", "Prometheus' text format.", "text/plain"),
    Route("GET", "/openapi.json", documents.openapi, "getOpenapi", "This document.", dict[str, Any]),
    Route("GET", "/asyncapi.json", documents.asyncapi, "getAsyncapi", "The topics and events.", dict[str, Any]),
    Route("GET", "/", pages.page, "getFrontPage", "The live view: what needs a decision today.", "text/html"),
    Route("GET", _PAGES, pages.page, "getPage", "Another page of the live view.", "text/html"),
    Route("GET", "/row/{sku}/{location}", pages.page, "getRowPage", "The page of one row.", "text/html"),
    Route("GET", "/static/{name:.+}", pages.static, "getPart", "A part of the live view.", "*/*", problems=(404,)),
    Route(
        "GET", "/login", login.show, "showLogin",
        "The page on which a person logs in. Leads to the view where nobody has to log in.", "text/html",
    ),
    Route(
        "POST", "/login", login.with_token, "logIn",
        "Begin a session with a token, and be led to the page `next`.", "text/html", status=303,
        body={FORM: str}, problems=(408, 413, 429),
    ),
    Route(
        "GET", "/login/provider", login.begin, "beginLogin",
        "Be led to the OpenID provider.", "text/html", status=303, problems=(404, 503),
    ),
    Route(
        "GET", login.CALLBACK, login.finish, "finishLogin",
        "Come back from the OpenID provider, and begin a session.", "text/html", status=303, problems=(404, 503),
    ),
    Route(
        "POST", "/logout", login.log_out, "logOut",
        "End the session of a browser.", "text/plain", status=204, problems=(403,),
    ),
)  # fmt: skip
