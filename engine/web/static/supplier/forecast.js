// The forecast that is shared with a supplier, a row for each item and place, a column for each bucket.

import { get } from "../lib/api.js";
import { button, el, empty, table } from "../lib/dom.js";
import { briefDate, date, quantity } from "../lib/format.js";

const LOOKED_AT = 1000;
const SHOWN = 200;
const MOST_CALLS = 20;

/** A panel that reads the forecast once it is opened. */
export function forecastPanel(supplier) {
  const host = el("div", { class: "body", id: "forecast" });
  const panel = el("details", { class: "panel", data: { part: "forecast" } }, el("summary", {}, el("h2", { text: "Forecast shared with you" })), host);
  panel.addEventListener("toggle", () => { if (panel.open && !host.childElementCount) read(host, supplier, [], null); });
  return panel;
}

async function read(host, supplier, items, cursor) {
  try {
    const all = [...items];
    let page = { next: cursor };
    // A page of the API has the shared rows of those that it looked at, which may be none of them.
    for (let calls = 0; calls < MOST_CALLS && all.length < items.length + SHOWN && (page.next || !calls); calls++) {
      page = await get("/v1/supplier/forecast", { supplier, limit: LOOKED_AT, cursor: page.next });
      all.push(...page.items);
    }
    host.replaceChildren(all.length ? grid(all) : empty("No forecast is shared", page.weeks
      ? `No item has a forecast for the next ${page.weeks} weeks.` : "Ask your customer's planner to share one: it is a setting for each supplier."),
    page.next ? button("More", "more-forecast", () => read(host, supplier, all, page.next)) : "");
  } catch (error) {
    host.replaceChildren(empty("The forecast could not be read", error.message, button("Try again", "retry", () => read(host, supplier, items, cursor))));
  }
}

function grid(items) {
  const starts = [...new Set(items.flatMap((item) => item.buckets.map((bucket) => bucket.start)))].sort();
  const columns = starts.map((start) => ({ title: el("span", { title: `from ${date(start)}`, text: briefDate(start) }), number: true, value: (item) => cell(item, start) }));
  return table("Forecast by item and period", [
    { title: "Item", value: (item) => el("span", {}, el("strong", { text: item.sku }), ` ${item.description ?? ""}`) },
    { title: "Place", value: (item) => item.location }, { title: "Unit", value: (item) => item.unit ?? "" }, ...columns,
  ], items);
}

function cell(item, start) {
  const found = item.buckets.find((bucket) => bucket.start === start);
  return found ? el("span", { title: `for ${found.days} days`, text: quantity(found.qty) }) : "";
}
