// The events of a row as they arrived, newest first; each opens to the exact event.

import { get, query } from "../lib/api.js";
import { button, el } from "../lib/dom.js";
import { moment, quantity, title } from "../lib/format.js";

const PAGE = 20;
const NAMES = ["qty", "on_hand", "held", "order", "line", "shipment", "receipt", "reservation", "transfer", "signal", "alert", "by", "reason", "note", "version"];

/** A panel that asks for the events when it is opened, so that a row is there sooner. */
export function history(path, row) {
  const list = el("ol", { class: "events" });
  const next = button("Older", "older", () => load(), { class: "quiet", hidden: true });
  const panel = el("details", { class: "panel", data: { part: "history" } }, el("summary", {}, el("h2", { text: "Event history" })), el("div", { class: "body stack" }, list, next, decided(row)));
  let cursor = null;
  const load = async () => {
    try {
      const page = await get(`${path}/events`, { limit: PAGE, cursor });
      list.append(...page.items.map(line));
      cursor = page.next;
      next.hidden = !cursor;
    } catch (error) {
      list.append(el("li", { class: "problem", text: error.message }));
    }
  };
  panel.addEventListener("toggle", () => { if (panel.open && !list.children.length) load(); });
  return panel;
}

const decided = (row) => el("a", { href: `/decisions${query({ sku: row.sku, location: row.location })}` }, "Who decided what about this row");

function line(event) {
  const data = event.data ?? {};
  const facts = NAMES.filter((name) => ["number", "string"].includes(typeof data[name]))
    .map((name) => `${name.replaceAll("_", " ")} ${typeof data[name] === "number" ? quantity(data[name]) : data[name]}`);
  return el("li", { data: { event: event.id } }, el("details", {},
    el("summary", {}, el("span", { class: "faint", text: moment(event.time) }), " ", el("strong", { text: title(String(event.type).replace(".", " ")) }), " ",
      facts.join(", "), " ", el("span", { class: "faint", text: `from ${event.source}` })),
    el("pre", { class: "code", tabindex: "0", text: JSON.stringify(event, null, 2) })));
}
