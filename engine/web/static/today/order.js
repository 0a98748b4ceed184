// What an order is worth, and how far it is from the minimum and the truck of its supplier.

import { el } from "../lib/dom.js";
import { count, money, quantity } from "../lib/format.js";

const isOrder = (group) => group.kind === "order" || group.kind === "automatic";

const isShort = ({ minimum: least }) => Boolean(least) && least.missing !== null && Number(least.missing) > 0;

/** The totals of a group, of an order also what lacks a cost. A minimum that is not reached says the value itself. */
export function totals(group) {
  return [
    group.total_qty && count(group.total_qty, "unit"),
    group.total_value && !isShort(group) && `${isOrder(group) ? "" : "goods worth "}${money(group.total_value, group.currency)}`,
    group.uncosted > 0 && `${count(group.uncosted, "proposal")} without a cost`,
    group.distance_to_minimum > 0 && `${count(group.distance_to_minimum, "unit")} below the minimum order`,
  ].filter(Boolean);
}

/** What a supplier asks of an order, as tags: a minimum that is not reached stands out. */
export const terms = (group) => [group.minimum && minimum(group), group.truck && truck(group.truck)];

const minimum = (group) => el("span", { class: `tag ${isShort(group) ? "warning" : ""}`, data: { part: "minimum" }, text: minimumText(group) });

/** A minimum as a sentence; amounts of two currencies are told apart and never compared. */
function minimumText(group) {
  const { value, currency, missing } = group.minimum;
  const least = money(value, currency);
  if (missing === null) return `minimum ${least}${currency ? "" : " in no stated currency"}, not compared: the order is in ${group.currency ?? "no stated currency"}`;
  if (!isShort(group)) return `minimum ${least} is reached`;
  const about = group.uncosted > 0 ? "at most " : "";
  return `${money(group.total_value ?? "0", currency)} of ${money(value)} minimum: ${about}${money(missing)} short`;
}

/** What is on the truck, in the unit that it is counted in. */
function truckText({ units, uom, load, trucks, free, unmeasured }) {
  const on = trucks > 1 ? `${quantity(trucks)} trucks: ` : "truck: ";
  const unknown = unmeasured > 0 ? `, without ${count(unmeasured, "proposal")} of items that declare no ${uom}` : "";
  return `${on}${quantity(Number(load))} of ${quantity(units * trucks)} ${uom}, ${quantity(Number(free))} free${unknown}`;
}

const truck = (about) => el("span", { class: "tag", data: { part: "truck" }, text: truckText(about) });
