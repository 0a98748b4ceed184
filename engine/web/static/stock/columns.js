// The columns of the stock grid: what each is called, how it is shown, and what a filter on it may say.

import { briefDate, figure, money, moment, quantity } from "../lib/format.js";

const number = (field, title, what, more = {}) => ({ field, title, what, kind: "number", width: 94, show: quantity, ...more });
const text = (field, title, what, more = {}) => ({ field, title, what, kind: "text", width: 130, show: (value) => value ?? "", ...more });
const day = (field, title, what, more = {}) => ({ field, title, what, kind: "date", width: 100, show: briefDate, ...more });
const amount = (field, title, what) => number(field, title, what, { width: 112, show: (value, row) => money(value, row.currency) });

export const COLUMNS = [
  text("sku", "SKU", "the item", { width: 120, fixed: true }),
  text("description", "Item", "what the item is called", { width: 240 }),
  text("location", "Location", "where the stock is", { width: 100, values: true }),
  text("abc", "ABC", "the class of the item", { width: 68, values: true }),
  text("supplier", "Supplier", "from whom it is ordered", { width: 170, values: true }),
  number("available", "Available", "on hand that is not held"),
  number("sellable", "Sellable", "available that is not reserved"),
  number("reserved", "Reserved", "promised to customers"),
  number("held", "Held", "blocked, in quality or damaged"),
  number("on_hand", "On hand", "all that is there"),
  number("on_order", "On order", "ordered and not yet announced"),
  number("in_transit", "In transit", "announced and not yet received"),
  number("position", "Position", "sellable, on order and in transit"),
  number("s", "s", "the position at which goods are ordered", { width: 84 }),
  number("S", "S", "the position that an order brings back", { width: 84 }),
  number("days_of_cover", "Days of cover", "how long what is sellable lasts", { show: figure, width: 112 }),
  number("forecast_28_days", "28 days' demand", "the forecast of the next 28 days", { width: 124 }),
  day("stockout_date", "Stock-out", "when the projection falls below 0"),
  text("signal_status", "Signal", "the state of the open proposal", { width: 100, values: true }),
  number("signal_qty", "Proposed", "how much the open proposal orders"),
  day("signal_due", "Needed by", "by when the proposal needs it"),
  number("open_alerts", "Alerts", "how many alerts are open", { width: 84 }),
  amount("unit_cost", "Unit cost", "the cost of one unit"),
  amount("value", "Value", "on hand at unit cost"),
  number("lead_time_days", "Lead time", "in days", { show: figure }),
  text("policy", "Policy", "the kind of the replenishment policy", { width: 120, values: true }),
  text("base_unit", "Unit", "the unit of all quantities", { width: 76 }),
  { field: "updated", title: "Updated", what: "the latest event", kind: "moment", width: 150, show: moment },
];

export const BY_FIELD = new Map(COLUMNS.map((column) => [column.field, column]));

const USUAL = [
  "sku", "description", "location", "abc", "supplier", "available", "sellable", "on_order", "in_transit", "position", "s",
  "days_of_cover", "stockout_date", "signal_status", "signal_qty", "open_alerts", "value",
];
const NARROW = ["sku", "location", "available", "position", "s", "signal_qty", "description"];

/** The columns that are shown before somebody chooses; few where the screen is narrow. */
export const usual = () => (matchMedia("(max-width: 48rem)").matches ? NARROW : USUAL);

const preset = (name, title, query, ...columns) => ({ name, title, query: `${query}&columns=sku,description,location,supplier,${columns.join(",")}` });

/** Views that planners ask for most, as parameters of the list; each has its own columns beside those that name a row. */
export const PRESETS = [
  preset("below-zero", "Below zero", "available.max=-1&sort=available", "available", "reserved", "on_order", "in_transit", "position", "open_alerts", "updated"),
  preset("signals", "With a proposal", "signal_status=open&sort=signal_due", "signal_qty", "signal_due", "sellable", "on_order", "in_transit", "position", "s", "S", "unit_cost"),
  preset("stockouts", "Stock-out ahead", "stockout_date.min=2000-01-01&sort=stockout_date", "stockout_date", "days_of_cover", "sellable", "on_order", "in_transit", "position", "signal_qty", "lead_time_days"),
  preset("alerts", "With alerts", "open_alerts.min=1&sort=-open_alerts", "open_alerts", "available", "on_order", "in_transit", "position", "stockout_date", "signal_qty", "updated"),
  preset("most-value", "Most value", "value.min=0.01&sort=-value", "value", "unit_cost", "on_hand", "days_of_cover", "forecast_28_days", "position", "abc"),
];
