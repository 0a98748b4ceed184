// The questions that a decision asks before it is sent: another quantity, a reason, until when, to whom.

import { ask } from "./dialog.js";
import { el, field } from "./dom.js";
import { by } from "./me.js";

const note = (label, required = false) => field(label, el("textarea", { name: "note", required, maxlength: 500 }));
const text = (told) => told.note.trim() || undefined;

const SNOOZES = [[1, "tomorrow"], [3, "in 3 days"], [7, "in a week"], [14, "in two weeks"], [30, "in 30 days"]];

async function accept(things) {
  if (things.length > 1) return {};
  const [thing] = things;
  const qty = el("input", { name: "qty", type: "number", min: 1, step: 1, required: true, value: thing.qty });
  const told = await ask("Accept with another quantity", [field("Quantity, in base units", qty, `proposed: ${thing.qty}`), note("Reason")], { name: "quantity", submit: "Accept" });
  return told && { ...(Number(told.qty) === thing.qty ? {} : { qty: Number(told.qty) }), reason: text(told) };
}

async function reject(things) {
  const what = things.length === 1 ? "Reject the proposal" : `Reject ${things.length} proposals`;
  const told = await ask(what, note("Reason", true), { name: "reject", submit: "Reject" });
  return told && { reason: text(told) };
}

async function snooze(things, asOf) {
  const days = el("select", { name: "days" }, SNOOZES.map(([value, title]) => el("option", { value }, title)));
  const told = await ask(things.length === 1 ? "Snooze" : `Snooze ${things.length}`, [field("Show it again", days), note("Note")],
    { name: "snooze", submit: "Snooze", text: "It comes back earlier if it gets worse." });
  if (!told) return null;
  // The engine's clock counts, which is not this browser's where an old log is looked at.
  const from = asOf ? Date.parse(asOf) : Date.now();
  return { until: new Date(from + Number(told.days) * 86_400_000).toISOString(), note: text(told) };
}

async function assign(things) {
  const to = el("input", { name: "to", required: true, maxlength: 64, value: await by() ?? "" });
  const told = await ask("Assign", [field("To", to), note("Note")], { name: "assign", submit: "Assign" });
  return told && { to: told.to.trim(), note: text(told) };
}

async function resolve(things) {
  const told = await ask(things.length === 1 ? "Resolve the alert" : `Resolve ${things.length} alerts`, note("What was the cause, what was done"), { name: "resolve", submit: "Resolve" });
  return told && { note: text(told) };
}

const QUESTIONS = { accept, reject, snooze, assign, resolve };

/** Asks what a decision about `things` needs to say; resolves to the details, or to null where it was left. */
export const question = (verb, things, asOf) => (QUESTIONS[verb] ? QUESTIONS[verb](things, asOf) : {});
