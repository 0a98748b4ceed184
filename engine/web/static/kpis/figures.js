// The business figures that the page shows: where each stands in the answer, how it is shown, and what it says. The
// definitions are those of docs/kpis.md.

import { NONE, quantity } from "../lib/format.js";

const HOUR = 3600;

function time(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 60) return `${quantity(seconds)} s`;
  if (seconds < 48 * HOUR) return `${(seconds / HOUR).toFixed(1)} h`;
  return `${(seconds / 24 / HOUR).toFixed(1)} d`;
}

const percent = (share) => (share === null || share === undefined ? NONE : `${(share * 100).toFixed(1)} %`);
const count = (number) => (number === null || number === undefined ? NONE : quantity(number));

const figure = (name, group, field, title, what, show, of = null, things = of) => ({ name, group, field, title, what, show, of, things });

export const FIGURES = [
  figure("acknowledgement", "acknowledgement", "mean_seconds", "Acknowledgement", "from placing a line to the supplier's first answer", time, "lines"),
  figure("receipt-cycle", "receipts", "mean_seconds", "Receipt cycle", "from placing a line to its last receipt", time, "lines"),
  figure("fill-rate", "supplier_fill", "rate", "Supplier fill rate", "units received of units ordered, of complete lines", percent, "lines"),
  figure("notices", "notices", "share_before_receipt", "Announced before arrival", "lines with a shipment notice before the first receipt", percent, "lines"),
  figure("notices-in-time", "notices_by_policy", "share", "Announced in time", "notices not later than the policy asks for", percent, "judged", "lines"),
  figure("short", "receipts", "short_lines", "Short lines", "complete lines that received less than ordered", count, "completed", "lines"),
  figure("over", "receipts", "over_lines", "Over lines", "complete lines that received more than ordered", count, "completed", "lines"),
  figure("damaged", "receipts", "damaged_units", "Damaged units", "units that arrived damaged", count),
  figure("forecast-signal", "forecast_to_signal", "mean_seconds", "Forecast to proposal", "from a forecast's revision to the proposal that it opened or changed", time, "signals"),
  figure("alignment", "forecast_to_order", "alignment", "Forecast to order", "how close orders came to what the forecast's policy proposed", percent, "orders"),
  figure("acceptance", "acceptance", "rate", "Acceptance", "proposals accepted of those that were answered", percent, "answers"),
  figure("answer-time", "acceptance", "mean_seconds", "Time to answer", "from a proposal's opening to its answer", time, "answers"),
  figure("signal-order", "signal_to_order", "mean_seconds", "Proposal to order", "from a proposal's opening to its order", time, "orders"),
  figure("automation", "automation", "share", "Ordered automatically", "orders of proposals that nobody had to answer", percent, "orders"),
  figure("accuracy", "inventory_accuracy", "rate", "Inventory accuracy", "counts that agree with the kept balance to the unit", percent, "counts"),
  figure("alert-age", "open_alerts", "mean_age_seconds", "Age of open alerts", "the mean time since the open alerts opened", time, "count", "alerts"),
  figure("drift", "reconciliation", "units", "Drift to reconcile", "units by which open drifts differ", count, "open", "alerts"),
];

export const BY_NAME = new Map(FIGURES.map((each) => [each.name, each]));

/** The figure of an answer's item, as a number or null. */
export const valueOf = (item, each) => item?.[each.group]?.[each.field] ?? null;

/** The figure as people read it. */
export const shown = (item, each) => each.show(valueOf(item, each));

/** Of how many it was made, in words; empty where it is a count itself. */
export const base = (item, each) => (each.of && item?.[each.group] ? `of ${count(item[each.group][each.of])} ${each.things}` : "");
