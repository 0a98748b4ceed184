// The ledger of why: the formula with each of its terms, where each number comes from, and what was not counted.

import { el, table } from "../lib/dom.js";
import { date, figure, moment, quantity, title, words } from "../lib/format.js";

/** A table of the terms of a formula. */
export const terms = (found) => table("Terms", [
  { title: "Term", value: (term) => words(term.term) },
  { title: "Value", number: true, value: (term) => (typeof term.value === "number" ? figure(term.value) : term.value) },
  { title: "Unit", value: (term) => term.unit },
  { title: "From", value: (term) => term.source },
], found);

/** The terms behind s and S, or behind the open proposal; null for a row without a policy. */
export function why(row) {
  const explained = row.signal?.explanation;
  const found = explained?.terms ?? row.reorder?.terms;
  if (!found?.length) return null;
  const late = row.supply.filter((piece) => piece.overdue);
  return el("section", { class: "panel", "aria-label": "Why", data: { part: "why" } },
    el("header", {}, el("h2", { text: row.signal ? "Why this much, and why now" : "What the policy asks for" })),
    el("div", { class: "body stack" },
      explained?.formula && el("p", { class: "code", text: explained.formula }),
      terms(found),
      explained?.binding && el("p", { text: `The quantity was made by: ${words(explained.binding)}.` }),
      late.length > 0 && el("p", { class: "text-warning", text: `Overdue supply is counted as of tomorrow: ${late.map((piece) => `${quantity(piece.qty)} of ${piece.document}`).join(", ")}.` }),
      explained?.events?.length > 0 && sources(explained)));
}

function sources(explained) {
  const links = [explained.cause, ...explained.events.filter((event) => event !== explained.cause)].filter(Boolean);
  return el("details", {}, el("summary", { text: `${links.length === 1 ? "The event" : `The ${links.length} events`} behind it` }),
    el("ul", { class: "plain" }, links.map((event) => el("li", { class: "code", text: event }))));
}

const DAYS = /^\d{4}-\d\d-\d\d$/;
const MOMENTS = /^\d{4}-\d\d-\d\dT/;

function shown(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "number") return figure(value);
  if (DAYS.test(value)) return date(value);
  return MOMENTS.test(value) ? moment(value) : value;
}

/** The evidence of an alert: its sentence where it has one, and its figures. */
export function evidence(alert) {
  const plain = Object.entries(alert.evidence).filter(([name, value]) => name !== "sentence" && value !== null && typeof value !== "object");
  const sentence = alert.sentence ?? alert.evidence.sentence;
  return [sentence && el("p", { text: sentence }),
    el("dl", { class: "figures small" }, plain.map(([name, value]) => el("div", {}, el("dt", { text: title(name) }), el("dd", { text: shown(value) })))),
    causes(alert.evidence.causes), alert.note && el("p", { text: `${alert.by ?? "Somebody"}: ${alert.note}` })];
}

function causes(found) {
  if (!found?.length) return null;
  return table("Likely causes", [
    { title: "Likely cause", value: (cause) => title(cause.cause) },
    { title: "Explains", number: true, value: (cause) => figure(cause.explains) },
    { title: "Score", number: true, value: (cause) => figure(cause.score) },
    { title: "Events", value: (cause) => el("span", { class: "code", text: (cause.events ?? []).join(", ") }) },
  ], found);
}

