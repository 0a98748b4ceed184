// The open documents of a row: order lines with promises and shipments, transfers, reservations.

import { el, table } from "../lib/dom.js";
import { briefDate, date, moment, quantity, words } from "../lib/format.js";

/** A panel of open documents; it says so where there are none. */
export function documents(row) {
  const parts = [orders(row.orders), transfers(row.transfers), reservations(row.reservations)].filter(Boolean);
  return el("section", { class: "panel", "aria-label": "Open documents", data: { part: "documents" } },
    el("header", {}, el("h2", { text: "Open orders and other documents" })),
    el("div", { class: "body stack" }, parts.length ? parts : el("p", { class: "faint", text: "Nothing is ordered, on its way or reserved." })));
}

const promise = (line) => line.acknowledged.map((part) => `${quantity(part.qty)} ${words(part.status)}${part.due ? ` for ${briefDate(part.due)}` : ""}`).join("; ");
const shipments = (line) => Object.entries(line.shipments)
  .map(([name, piece]) => `${name}: ${quantity(piece.qty)}${piece.received ? `, ${quantity(piece.received)} received` : ""}${piece.eta ? `, expected ${briefDate(piece.eta)}` : ""}`)
  .join("; ");

function orders(lines) {
  return lines.length > 0 && table("Open order lines", [
    { title: "Order", value: (line) => el("a", { href: `/trace?order=${encodeURIComponent(line.order)}&line=${encodeURIComponent(line.line)}` }, `${line.order} / ${line.line}`) },
    { title: "Supplier", value: (line) => line.supplier },
    { title: "Ordered", number: true, value: (line) => quantity(line.ordered) },
    { title: "Due", value: (line) => briefDate(line.due) },
    { title: "Promised", value: (line) => promise(line) || "not yet" },
    { title: "Shipments", value: (line) => shipments(line) || "none" },
    { title: "Received", number: true, value: (line) => quantity(line.received) },
    { title: "Open", number: true, value: (line) => quantity(line.on_order + line.in_transit) },
  ], lines);
}

function transfers(all) {
  return all.length > 0 && table("Transfers to here", [
    { title: "Transfer", value: (one) => one.transfer },
    { title: "From", value: (one) => one.from },
    { title: "Shipped", number: true, value: (one) => quantity(one.shipped) },
    { title: "Received", number: true, value: (one) => quantity(one.received) },
    { title: "Expected", value: (one) => date(one.eta) },
  ], all);
}

function reservations(all) {
  return all.length > 0 && table("Reservations", [
    { title: "Reservation", value: (one) => one.reservation },
    { title: "Quantity", number: true, value: (one) => quantity(one.qty) },
    { title: "Open", number: true, value: (one) => quantity(one.open) },
    { title: "Until", value: (one) => moment(one.expires) },
  ], all);
}
