// Trace: from any forecast, signal, order, shipment or receipt along the chain, back to what led to it and on to what it
// led to. The chain is told in the order of time; each thing says what it led to, and can be traced from in its turn.

import { get, query } from "../lib/api.js";
import { button, byId, el, empty, select } from "../lib/dom.js";
import { moment, quantity, title, words } from "../lib/format.js";
import { bind } from "../lib/keys.js";
import { closeRow } from "../row/drawer.js";
import { followOpened, open } from "../row/opened.js";

const KINDS = [["order", "Order"], ["signal", "Proposal"], ["shipment", "Shipment"], ["receipt", "Receipt"], ["row", "Row"]];
const NAMES = ["signal", "order", "line", "shipment", "receipt", "sku", "location", "version", "event", "events"];
const MORE_EVENTS = 5000;

/** Fills the page. */
export async function start(main) {
  main.append(el("div", { class: "narrow" }, el("div", { class: "head" }, el("h1", { text: "Trace" }),
    el("span", { class: "faint", text: "what led to something, and what it led to" })), form(), el("div", { class: "stack live", id: "trace" })));
  addEventListener("popstate", () => { byId("ask").replaceWith(form()); read(); });
  bind({ "/": ["trace something", () => byId("ask").querySelector("input").focus()] });
  await read();
  followOpened();
}

const asked = () => Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => NAMES.includes(name)));

function form() {
  const now = asked();
  const kind = KINDS.map(([name]) => name).find((name) => now[name]) ?? (now.sku ? "row" : "order");
  const inputs = el("div", { class: "bar" });
  const input = (name, label) => el("input", { name, value: now[name] ?? "", placeholder: label, "aria-label": label, required: name !== "line" });
  const fill = (chosen) => inputs.replaceChildren(...({ order: [input("order", "Order"), input("line", "Line, if wanted")], row: [input("sku", "SKU"), input("location", "Location")] }[chosen]
    ?? [input(chosen, new Map(KINDS).get(chosen))]));
  fill(kind);
  const made = el("form", { class: "bar", id: "ask", role: "search", data: { part: "question" } }, select("kind", KINDS, kind, fill), inputs,
    el("button", { type: "submit", class: "primary", data: { action: "trace" } }, "Trace"));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    const { kind: _, ...told } = Object.fromEntries(new FormData(made));
    go(told);
  });
  return made;
}

function go(told) {
  closeRow();
  history.pushState(null, "", query(Object.fromEntries(Object.entries(told).map(([name, value]) => [name, String(value).trim()]))) || location.pathname);
  byId("ask").replaceWith(form());
  read();
}

async function read() {
  const host = byId("trace");
  const now = asked();
  if (!Object.keys(now).length) {
    return host.replaceChildren(empty("What do you want to trace?", "Name an order, a proposal, a shipment or a receipt; or a row, for everything that happened there. Order lines, proposals and events on other pages lead here too."));
  }
  try {
    host.replaceChildren(...shown(await get("/v1/trace", now)));
  } catch (error) {
    host.replaceChildren(empty(error.status === 404 ? "Nothing is known of it" : "The trace could not be read", error.message, error.status !== 404 && button("Try again", "retry", read)));
  }
}

function shown(trace) {
  const nodes = new Map(trace.nodes.map((node) => [node.key, node]));
  const led = grouped(trace.edges);
  return [el("section", { class: "panel", data: { part: "summary" } }, el("div", { class: "body stack" }, trace.summary.map((sentence) => el("p", { text: sentence })), cut(trace.truncated))),
    el("section", { class: "panel", "aria-label": "The chain" }, el("ol", { class: "chain" }, trace.nodes.map((node) => step(node, led.get(node.key) ?? [], nodes, trace.start.includes(node.key)))))];
}

/** What each node led to, by its key. */
function grouped(edges) {
  const found = new Map();
  for (const edge of edges) {
    if (!found.has(edge.from)) found.set(edge.from, []);
    found.get(edge.from).push({ key: edge.to, why: edge.why });
  }
  return found;
}

function cut({ forward, backward, rows, events, trimmed }) {
  const said = [
    (forward || backward) && "There is more than is shown here.", rows > 0 && `${quantity(rows)} more rows know of it.`,
    trimmed && "What is older is deleted, because the log keeps a limited time.",
  ].filter(Boolean);
  const more = events && !asked().events && button("Look at older events too", "more-events", () => go({ ...asked(), events: MORE_EVENTS }), { class: "quiet" });
  return (said.length > 0 || more) && el("p", { class: "text-warning" }, said.join(" "), " ", more);
}

/** The parameters that trace from a node. */
function question(node) {
  if (node.kind === "signal" || node.kind === "shipment" || node.kind === "receipt") return { [node.kind]: node.id };
  if (node.kind === "order") {
    const at = node.id.lastIndexOf("/");
    return { order: node.id.slice(0, at), line: node.id.slice(at + 1) };
  }
  if (node.kind === "forecast") return { sku: node.sku, location: node.location, version: node.id };
  return { sku: node.sku, location: node.location, event: node.events[0] };
}

function step(node, effects, nodes, isStart) {
  const link = el("a", { href: `/trace${query(question(node))}`, on: { click: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(question(node));
  } } }, node.id);
  const row = button(`${node.sku} · ${node.location}`, "open-row", () => open([node.sku, node.location]), { class: "quiet" });
  return el("li", { class: isStart ? "step start" : "step", id: `node-${node.key}`, data: { node: node.kind, start: String(isStart) } },
    el("time", { class: "faint", datetime: node.time, text: node.time ? moment(node.time) : "time not known" }),
    el("div", {}, el("p", {}, el("span", { class: "tag", text: title(node.kind) }), " ", link, " ", node.status && el("span", { class: `tag ${node.status}`, text: words(node.status) }), row),
      el("p", { text: node.sentence }),
      effects.length > 0 && el("ul", { class: "plain faint" }, effects.map((effect) => ledTo(effect, nodes)))));
}

function ledTo({ key, why }, nodes) {
  const node = nodes.get(key);
  if (!node) return null;
  return el("li", {}, `→ ${why} `, el("a", { href: `#node-${encodeURIComponent(key)}`, on: { click: (event) => {
    event.preventDefault();
    document.getElementById(`node-${key}`)?.scrollIntoView({ block: "center" });
  } } }, `${words(node.kind)} ${node.id}`));
}
