// Decisions: who decided what, when, and on what numbers.

import { get } from "../lib/api.js";
import { button, byId, el, empty, select } from "../lib/dom.js";
import { moment, quantity, title } from "../lib/format.js";
import { nameField } from "../lib/names.js";
import { followOpened, open } from "../row/opened.js";
import { terms } from "../row/why.js";

const PAGE = 50;
const KINDS = [["", "Every kind"], ...["accept", "reject", "reopen", "snooze", "acknowledge", "resolve", "assign", "order"].map((kind) => [kind, title(kind)])];
const FILTERS = ["by", "sku", "location", "kind", "signal", "alert", "since", "automatic"];
let cursor = null;
let reading = 0;
let shown = "";

/** Fills the page. */
export async function start(main) {
  main.append(el("div", { class: "head" }, el("h1", { text: "Decisions" }), el("span", { class: "faint", text: "newest first, each with what was known when it was taken" })),
    el("div", { class: "bar", id: "filters", role: "search" }, filters()), el("div", { class: "panel" }, el("ol", { class: "decisions", id: "decisions", "aria-label": "Decisions" })),
    el("div", { class: "bar", id: "after" }, button("Older", "older", () => read(), { id: "older", hidden: true })));
  addEventListener("popstate", followAddress);
  await read(true);
  followOpened();
}

/** Back and forward: the filters are those of the address, and the list is read again where they differ. */
function followAddress() {
  if (JSON.stringify(parameters()) === shown) return;
  byId("filters").replaceChildren(...filters());
  read(true);
}

const parameters = () => Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => FILTERS.includes(name)));

function filter(name, value) {
  const query = new URLSearchParams(location.search);
  if (value) query.set(name, value);
  else query.delete(name);
  history.pushState(null, "", query.size ? `?${query}` : location.pathname);
  read(true);
}

function filters() {
  const now = parameters();
  const place = nameField("location", "Location", now.location ?? "", (value) => filter("location", value));
  const input = (name, label) => el("input", { name, value: now[name] ?? "", placeholder: label, "aria-label": label, size: 14, on: { change: (event) => filter(name, event.target.value.trim()) } });
  const since = el("input", { type: "date", name: "since", "aria-label": "Since", value: (now.since ?? "").slice(0, 10), on: { change: (event) => filter("since", event.target.value && `${event.target.value}T00:00:00Z`) } });
  const automatic = button("By systems too", "automatic", (event) => {
    const pressed = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", pressed);
    filter("automatic", pressed && "true");
  }, { "aria-pressed": String(now.automatic === "true") });
  return [input("by", "Who"), input("sku", "SKU"), place,
    select("kind", KINDS, now.kind ?? "", (value) => filter("kind", value)), el("label", { class: "bar" }, "since", since), automatic];
}

async function read(anew = false) {
  const mine = ++reading;
  if (anew) shown = JSON.stringify(parameters());
  try {
    const page = await get("/v1/decisions", { ...parameters(), limit: PAGE, cursor: anew ? null : cursor });
    if (mine !== reading) return;
    cursor = page.next;
    byId("older").hidden = !cursor;
    const lines = page.items.map(line);
    if (anew) byId("decisions").replaceChildren(...(lines.length || cursor ? lines : [nothing()]));
    else byId("decisions").append(...lines);
  } catch (error) {
    byId("decisions").replaceChildren(el("li", {}, empty("The decisions could not be read", error.message, button("Try again", "retry", () => read(true)))));
  }
}

function nothing() {
  const filtered = Object.keys(parameters()).length > 0;
  return el("li", {}, empty(filtered ? "No decision matches" : "No decision yet",
    filtered ? "Nobody has decided anything that all of these filters let through." : "What is accepted, rejected, acknowledged or snoozed stands here, with who did it and what was known then."));
}

/** What was said with a decision, such as another quantity than the proposed one. */
function said({ kind, answer, before }) {
  const parts = [];
  if (answer.qty !== undefined && answer.qty !== before?.qty) parts.push(`${quantity(answer.qty)} instead of ${quantity(before?.qty)}`);
  else if (kind === "accept" && before?.qty !== undefined) parts.push(quantity(before.qty));
  if (answer.to) parts.push(`to ${answer.to}`);
  if (answer.until) parts.push(`until ${moment(answer.until)}`);
  if (answer.order) parts.push(`as ${answer.order}${answer.line ? ` / ${answer.line}` : ""}`);
  if (answer.reason || answer.note) parts.push(`“${answer.reason ?? answer.note}”`);
  return parts.join(", ");
}

function line(decision) {
  const { before } = decision;
  const row = el("a", { href: `/row/${encodeURIComponent(decision.sku)}/${encodeURIComponent(decision.location)}`, on: { click: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open([decision.sku, decision.location]);
  } } }, `${decision.sku} · ${decision.location}`);
  const sentence = before?.explanation?.sentence ?? before?.sentence ?? (before?.kind ? `${title(before.kind)} (${before.severity})` : "");
  return el("li", { class: "decision", data: { decision: decision.event, kind: decision.kind } },
    el("time", { datetime: decision.at, class: "faint", text: moment(decision.at) }), el("strong", { text: decision.by ?? "a system" }),
    el("div", {}, el("p", {}, el("span", { class: `tag ${TAGS[decision.kind] ?? ""}`, text: decision.kind }), " ", row, " ", said(decision)),
      numbers(before, sentence, decision)));
}

const TAGS = { accept: "open", reject: "critical", order: "info", acknowledge: "info", resolve: "open", snooze: "warning" };

function numbers(before, sentence, decision) {
  const figures = before?.explanation?.terms?.length ? terms(before.explanation.terms)
    : before?.evidence && el("pre", { class: "code", tabindex: "0", text: JSON.stringify(before.evidence, null, 2) });
  if (!figures) return el("p", { class: "faint", text: sentence });
  return el("details", {}, el("summary", { class: "faint", text: sentence }),
    el("div", { class: "stack" }, before.revision && el("p", { class: "faint", text: `Revision ${before.revision}, as it was decided upon.` }), figures,
      el("p", { class: "faint" }, "Event ", el("span", { class: "code", text: decision.event }))));
}
