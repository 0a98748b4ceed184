// A supplier's order lines, grouped by order, with what it has said of each.

import { button, el } from "../lib/dom.js";
import { briefDate, count, date, quantity, title } from "../lib/format.js";

const TAGS = { accepted: "open", changed: "info", backordered: "warning", rejected: "critical" };

/** The name of a line on this page. */
export const nameOf = (line) => `${line.order}\n${line.line}`;

/** Whether the supplier has still to say something of a line. */
export const isUnanswered = (line) => !line.closed && line.schedule.length === 0;

/** Whether something of a line is neither received nor announced as shipped. */
export const isToShip = (line) => !line.closed && line.open > 0;

/** The lines by order, orders in the order in which they stand. */
export function byOrder(lines) {
  const orders = new Map();
  for (const line of lines) orders.set(line.order, [...orders.get(line.order) ?? [], line]);
  return [...orders];
}

/** An order with its lines. `page` has `selected`, `select`, `selectAll`, `confirm`, `change` and `ship`. */
export function orderPanel([order, lines], page) {
  const waiting = lines.filter(isUnanswered);
  const open = lines.filter(isToShip);
  return el("section", { class: "panel", data: { order }, "aria-label": `Order ${order}` },
    el("header", {}, el("h2", { text: order }),
      el("span", { class: "faint", text: [count(lines.length, "line"), waiting.length ? `${quantity(waiting.length)} not confirmed` : "all confirmed"].join(" · ") }),
      el("span", { class: "spring" }),
      waiting.length > 0 && button(`Confirm ${quantity(waiting.length)}`, "confirm-order", () => page.confirm(waiting), { class: "primary", "aria-label": `Confirm all of order ${order}` }),
      open.length > 0 && button("Ship…", "ship-order", () => page.ship(open), { "aria-label": `Announce a shipment of order ${order}` }),
      lines.length > 1 && button("Select all", "select-order", () => page.selectAll(lines), { class: "quiet", "aria-label": `Select all of order ${order}` })),
    el("ul", { class: "items" }, lines.map((line) => lineItem(line, page))));
}

function lineItem(line, page) {
  const name = nameOf(line);
  return el("li", { class: "item line", tabindex: "-1", data: { line: name }, "aria-label": `Order ${line.order}, line ${line.line}` },
    el("input", { type: "checkbox", checked: page.selected.has(name), disabled: line.closed, "aria-label": `Select line ${line.line} of ${line.order}`, data: { action: "select" }, on: { change: () => page.select(name) } }),
    el("div", { class: "what" }, el("strong", { text: line.sku }), el("span", { text: line.description ?? "" }), el("small", { text: `line ${line.line} · to ${line.location}` })),
    el("div", { class: "why" }, said(line), el("p", { class: "faint", text: progress(line) })),
    el("div", { class: "numbers" }, el("strong", { text: `${quantity(line.ordered)} ${line.unit ?? ""}` }), el("small", { title: date(line.due), text: line.due ? `due ${briefDate(line.due)}` : "no day asked for" })),
    el("div", { class: "bar acts" }, !line.closed && acts(line, page)));
}

function acts(line, page) {
  const label = (what) => ({ "aria-label": `${what} line ${line.line} of ${line.order}` });
  return [
    isUnanswered(line) && button("Confirm", "confirm", () => page.confirm([line]), label("Confirm")),
    button("Change…", "change", () => page.change(line), label("Change")),
    isToShip(line) && button("Ship…", "ship", () => page.ship([line]), label("Announce a shipment of")),
  ].filter(Boolean);
}

function said(line) {
  if (!line.schedule.length) return el("p", { text: line.closed ? "Closed: nothing more is expected." : "Not confirmed yet." });
  return el("span", { class: "tags" }, line.schedule.map((part) => el("span", {
    class: `tag ${TAGS[part.status] ?? ""}`, data: { status: part.status },
    text: [title(part.status), quantity(part.qty), part.due && `for ${briefDate(part.due)}`].filter(Boolean).join(" "),
  })));
}

function progress(line) {
  const shipments = line.shipments.map((each) => `${each.shipment}: ${quantity(each.qty)}${each.eta ? `, there ${briefDate(each.eta)}` : ""}`);
  const parts = [
    line.received ? `${quantity(line.received)} received` : null,
    line.in_transit ? `${quantity(line.in_transit)} on the way` : null,
    line.received || line.in_transit ? `${quantity(line.open)} to ship` : null,
    shipments.length ? `shipments ${shipments.join("; ")}` : null,
  ];
  return parts.filter(Boolean).join(" · ");
}
