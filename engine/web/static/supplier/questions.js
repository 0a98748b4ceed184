// What the supplier's page asks: the parts of a line's promise, and what is in a shipment.

import { ask, dialog } from "../lib/dialog.js";
import { button, el, field, select, table } from "../lib/dom.js";
import { count, quantity } from "../lib/format.js";

const STATUSES = [["accepted", "Deliver as asked"], ["changed", "Deliver on another day"], ["backordered", "Back-order"], ["rejected", "Do not deliver"]];
const MOST_PARTS = 104;

/** Asks for the whole promise of a line, beginning with `draft` where there is one; resolves to its schedule, or to null where it was left. */
export async function schedule(line, draft = null) {
  const parts = el("div", { class: "stack", data: { part: "parts" } });
  const sum = el("p", { role: "status" });
  const rows = [];
  const recount = () => { sum.textContent = balance(line, rows.reduce((all, row) => all + (Number(row.qty.value) || 0), 0)); };
  const add = (part) => {
    const row = partRow(part, rows.length + 1, recount);
    row.element.append(button("✕", "remove-part", () => { rows.splice(rows.indexOf(row), 1); row.element.remove(); recount(); }, { class: "quiet", "aria-label": "Remove this part" }));
    rows.push(row);
    parts.append(row.element);
    recount();
  };
  (draft ?? (line.schedule.length ? line.schedule : [{ status: "accepted", qty: line.ordered, due: line.due }])).forEach(add);
  const split = button("Add a part", "split", () => {
    const left = line.ordered - rows.reduce((all, row) => all + (Number(row.qty.value) || 0), 0);
    if (rows.length < MOST_PARTS) add({ status: "backordered", qty: Math.max(left, 0), due: null });
    rows.at(-1).qty.focus();
  });
  const told = await ask(`Line ${line.line} of ${line.order}`, [parts, el("div", { class: "bar" }, split, sum)], {
    name: "schedule", wide: true, text: `${line.sku} ${line.description ?? ""}: ${quantity(line.ordered)} ${line.unit ?? "units"} asked for. What you say here replaces what you said before.`,
  });
  return told && rows.map((row) => ({ status: row.status.value, qty: Number(row.qty.value), due: row.due.value || undefined }));
}

function partRow(part, number, change) {
  const status = select("status", STATUSES, part.status);
  const qty = el("input", { name: "qty", type: "number", min: 0, step: 1, required: true, value: part.qty, on: { input: change } });
  const due = el("input", { name: "due", type: "date", value: part.due ?? "" });
  status.setAttribute("aria-label", `What happens, part ${number}`);
  return { status, qty, due, element: el("div", { class: "bar part", data: { part: "entry" } }, field("What happens", status), field("Quantity", qty), field("Day", due)) };
}

function balance(line, all) {
  if (all === line.ordered) return "This is the whole line.";
  const difference = quantity(Math.abs(line.ordered - all));
  return all < line.ordered ? `${difference} of the line are not spoken for.` : `${difference} more than was ordered.`;
}

/** Asks what is in a shipment of these lines, beginning with `draft`; resolves to the body of the call, or to null where it was left. */
export async function shipment(lines, draft = null) {
  const drafted = (line) => draft && (draft.lines.find((each) => each.order === line.order && each.line === line.line)?.qty ?? 0);
  const fields = lines.map((line) => ({ line, qty: el("input", { type: "number", min: 0, step: 1, value: drafted(line) ?? line.open, "aria-label": `Quantity of line ${line.line} of ${line.order}`, data: { part: "shipped" } }) }));
  const number = el("input", { name: "shipment", required: true, maxlength: 128, autocomplete: "off", value: draft?.shipment });
  const eta = el("input", { name: "eta", type: "date", value: draft?.eta });
  const content = table("What is in the shipment", [
    { title: "Order", value: ({ line }) => `${line.order} / ${line.line}` },
    { title: "Item", value: ({ line }) => `${line.sku} ${line.description ?? ""}` },
    { title: "To ship", number: true, value: ({ line }) => quantity(line.open) },
    { title: "In it", value: ({ qty }) => qty },
  ], fields);
  const told = await ask("Announce a shipment", [el("div", { class: "bar" }, field("Shipment number", number), field("Arrives on", eta)), content], {
    name: "shipment", submit: "Announce", wide: true, text: "Lines with a quantity of 0 are not in it.",
  });
  if (!told) return null;
  const inside = fields.filter(({ qty }) => Number(qty.value) > 0).map(({ line, qty }) => ({ order: line.order, line: line.line, qty: Number(qty.value) }));
  return { shipment: told.shipment.trim(), lines: inside, ...(told.eta ? { eta: told.eta } : {}) };
}

/** Shows what became of each line, or each row of a file. */
export function showOutcomes({ accepted, refused, lines }) {
  const ofFile = lines.some((each) => each.row);
  const sorted = [...lines].sort((a, b) => a.accepted - b.accepted || (a.row ?? 0) - (b.row ?? 0));
  const columns = [
    ...(ofFile ? [{ title: "Row", number: true, value: (each) => quantity(each.row) }] : []),
    { title: "Order", value: (each) => `${each.order} / ${each.line}` },
    { title: "Outcome", value: (each) => el("span", { class: each.accepted ? "" : "text-critical", data: { accepted: String(each.accepted) }, text: each.accepted ? "Taken." : `Refused: ${each.detail}` }) },
  ];
  const summary = !accepted && !refused ? "The file says nothing: fill in a status with a quantity, or a shipment with a quantity." : refused ? `${count(accepted, "line was taken", "lines were taken")}, ${quantity(refused)} refused. What was refused changed nothing.` : `${count(accepted, "line was taken", "lines were taken")}.`;
  dialog("What became of it", el("div", { class: "content" }, el("p", { text: summary }), lines.length ? table("Outcomes", columns, sorted) : null), { name: "outcomes", wide: true });
}
