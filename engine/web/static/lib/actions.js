// What can be decided about a thing now, as buttons: by its life cycle, and by the roles of who looks.

import { button } from "./dom.js";
import { decide, decisionOf } from "./decide.js";
import { by, may } from "./me.js";
import { question } from "./questions.js";

const SIGNAL = {
  open: [["accept", "Accept"], ["change", "Change…"], ["reject", "Reject…"], ["assign", "Assign…"], ["snooze", "Snooze…"]],
  accepted: [["reopen", "Reopen"], ["assign", "Assign…"], ["snooze", "Snooze…"]],
  rejected: [["reopen", "Reopen"]],
};
const ALERT = {
  open: [["acknowledge", "Acknowledge"], ["assign", "Assign…"], ["snooze", "Snooze…"], ["resolve", "Resolve…"]],
  acknowledged: [["reopen", "Reopen"], ["assign", "Assign…"], ["snooze", "Snooze…"], ["resolve", "Resolve…"]],
};

/** The decisions that a thing allows, as pairs of name and title. */
export const allowed = (thing) => (may("planner") ? (thing.type === "signal" ? SIGNAL : ALERT)[thing.status] ?? [] : []);

/** Takes a decision by its name; asks first where it needs details. Resolves as `decide` does. */
export async function act(thing, name, asOf = null) {
  // Who decides is asked before anything is typed.
  if (!await by()) return null;
  const verb = name === "change" ? "accept" : name;
  const asks = name === "change" || !["accept", "acknowledge", "reopen"].includes(name);
  const details = asks ? await question(verb, [thing], asOf) : {};
  return details && decide(thing, verb, details);
}

/** The buttons of a thing; disabled while a decision about it is pending. */
export function buttons(thing, { asOf = null, done = () => {} } = {}) {
  const pending = decisionOf(thing.id)?.state === "pending";
  return allowed(thing).map(([name, title], index) => button(title, name, async (event) => {
    event.stopPropagation();
    const after = await act(thing, name, asOf);
    if (after) done(after, name);
  }, { disabled: pending, class: index === 0 ? "primary" : "", "aria-label": `${title.replace("…", "")} ${thing.sku} at ${thing.location}` }));
}
