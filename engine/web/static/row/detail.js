// Everything about one row: what it holds and is to get, the projection, what is proposed and why, documents, history.

import { get, query } from "../lib/api.js";
import { buttons } from "../lib/actions.js";
import { decisionOf, onDecision } from "../lib/decide.js";
import { button, el, empty } from "../lib/dom.js";
import { date, money, moment, quantity, title, words } from "../lib/format.js";
import { projection } from "./chart.js";
import { documents } from "./documents.js";
import { history } from "./history.js";
import { policy } from "./policy.js";
import { evidence, why } from "./why.js";

const FIGURES = [
  ["available", "Available"], ["reserved", "Reserved"], ["sellable", "Sellable"], ["held", "Held"], ["on_order", "On order"],
  ["in_transit", "In transit"], ["position", "Position"],
];

/** Fills `host` with the row, and again after every decision about it. */
export async function rowDetail(host, sku, place) {
  const load = () => show(host, sku, place, load);
  onDecision((id) => {
    if (!host.isConnected) return;
    const state = decisionOf(id)?.state;
    if (state === "done" && host.querySelector(`[data-thing="${CSS.escape(id)}"]`)) load();
  });
  await load();
}

async function show(host, sku, place, reload) {
  const path = `/v1/positions/${encodeURIComponent(sku)}/${encodeURIComponent(place)}`;
  try {
    const [row, master] = await Promise.all([get(path), masterOf(sku, place)]);
    const parts = [heading(row, master), ...things(row, reload), await projection(row), why(row), documents(row), policy(row, path, reload), history(path, row)];
    host.replaceChildren(...parts.filter(Boolean));
  } catch (error) {
    const title_ = error.status === 404 ? "No such row" : "The row could not be read";
    host.replaceChildren(empty(title_, error.message, button("Try again", "retry", reload)));
  }
}

/** What the list of positions knows of a row besides its stock: item, supplier, money. */
async function masterOf(sku, place) {
  const page = await get("/v1/positions", { sku, location: place, limit: 1 });
  return page.items[0] ?? {};
}

function heading(row, master) {
  const facts = [master.description, master.abc && `class ${master.abc}`, master.supplier, master.unit_cost && `${money(master.unit_cost, master.currency)} each`];
  const triggers = row.reorder ? [["s", row.reorder.s], ["S", row.reorder.S]] : [];
  const figures = [...FIGURES.map(([name, label]) => [label, row[name]]), ...triggers];
  return el("section", { class: "panel", "aria-label": "Stock" }, el("div", { class: "body stack" },
    el("p", {}, facts.filter(Boolean).join(" · ") || "Nothing is known of this item but its stock.", " ", el("span", { class: "faint", text: `as of ${moment(row.as_of)}` })),
    el("dl", { class: "figures" }, figures.filter(([, value]) => value !== null).map(([label, value]) =>
      el("div", { data: { figure: label } }, el("dt", { text: label }), el("dd", { class: value < 0 && "negative", text: quantity(value) }))))));
}

function things(row, reload) {
  const signal = row.signal && card({ ...row.signal, type: "signal" }, row, reload);
  return [signal, ...row.alerts.map((alert) => card({ ...alert, type: "alert" }, row, reload))];
}

function card(thing, row, reload) {
  const signal = thing.type === "signal";
  const head = signal ? `Order ${quantity(thing.qty)} by ${date(thing.due)}` : title(thing.kind);
  const failed = decisionOf(thing.id)?.state === "failed" && decisionOf(thing.id).error;
  return el("section", { class: "panel", data: { thing: thing.id, type: thing.type } },
    el("header", {}, el("h2", { text: head }), el("span", { class: `tag ${thing.severity ?? thing.disposition}`, text: thing.severity ?? thing.disposition }),
      el("span", { class: `tag ${thing.status}`, text: thing.status }), thing.owner && el("span", { class: "tag", text: `owner ${thing.owner}` }),
      thing.snoozed_until && el("span", { class: "tag", text: `snoozed until ${moment(thing.snoozed_until)}` })),
    el("div", { class: "body stack" }, signal ? signalText(thing) : evidence(thing), failed && el("p", { class: "problem", role: "alert", text: failed }),
      el("div", { class: "bar" }, buttons(thing, { asOf: row.as_of, done: reload }),
        signal && el("a", { class: "button quiet", href: `/trace${query({ signal: thing.id })}` }, "Trace"))));
}

function signalText(signal) {
  const said = [signal.by && `${title(signal.status)} by ${signal.by}`, signal.note].filter(Boolean).join(": ");
  return [el("p", { text: signal.explanation.sentence }),
    ...(signal.explanation.notes ?? []).map((text) => el("p", { class: "text-warning", text: `Note: ${text}` })),
    signal.reasons.length ? el("p", { class: "faint", text: `For a planner because: ${signal.reasons.map(words).join(", ")}` }) : "", said && el("p", { text: said })];
}
