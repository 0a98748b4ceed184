// Decisions about signals and alerts. Each is a call that becomes an event; until the engine has confirmed it the thing
// is pending, and a refusal stays on it as a sentence. Whoever shows things listens to what became of them.

import { newKey, post } from "./api.js";
import { quantity } from "./format.js";
import { by } from "./me.js";

// A rejection would be taken of a signal that somebody else has accepted meanwhile, too.
const CONDITIONAL = new Set(["accept", "reject"]);
const states = new Map();
const listeners = new Set();

/** Calls `listener(id)` whenever the state of a decision about the thing with this id has changed. */
export function onDecision(listener) {
  listeners.add(listener);
}

/**
 * The state of the latest decision about a thing: `{verb, state, error, thing, now}`, where state is pending, done or
 * failed; `thing` is what it is after it, `now` what it is where it was refused because it has changed.
 */
export const decisionOf = (id) => states.get(id) ?? null;

/** Forgets a decision, for instance once its thing has left the list. */
export const forget = (id) => states.delete(id);

function note(id, state) {
  states.set(id, state);
  listeners.forEach((listener) => listener(id));
}

/**
 * Decides about one thing, `{type: "signal" or "alert", id}`: `verb` is the last part of the call's path, `details` what
 * its body holds besides `by`. Resolves to the thing as it is afterwards, or to null where it failed or was not sent.
 * The same decision tried again has the same idempotency key, so that it counts once.
 */
export async function decide(thing, verb, details = {}) {
  const name = await by();
  if (!name) return null;
  const before = states.get(thing.id);
  if (before?.state === "pending") return null;
  const body = { by: name, ...details };
  const same = before?.state === "failed" && JSON.stringify(before.body) === JSON.stringify(body) && before.verb === verb;
  const decision = { verb, body, details, key: same ? before.key : newKey(), state: "pending", error: null, thing: null };
  note(thing.id, decision);
  try {
    // What was decided about must still be what was seen: of a signal that is its revision.
    const headers = thing.revision && CONDITIONAL.has(verb) ? { "If-Match": `"${thing.revision}"` } : {};
    const path = `/v1/${thing.type}s/${encodeURIComponent(thing.id)}/${verb}`;
    const after = await post(path, body, { key: decision.key, headers });
    note(thing.id, { ...decision, state: "done", thing: after });
    return after;
  } catch (error) {
    note(thing.id, { ...decision, state: "failed", error: said(thing, error), now: error.body?.current });
    return null;
  }
}

/** Why a decision was refused: where somebody or the engine was faster, what is there now. */
function said(thing, error) {
  const now = error.body?.current;
  if (!now || (error.status !== 409 && error.status !== 412)) return error.message;
  if (now.status !== thing.status) return `It was ${now.status}${now.by ? ` by ${now.by}` : ""} meanwhile. Your answer was not written.`;
  return `It has changed since you read it${now.qty === undefined ? "" : `: ${quantity(now.qty)} are proposed now`}. Your answer was not written.`;
}

/** Decides about several things, a few at a time; resolves to how many succeeded. */
export async function decideAll(things, verb, details = () => ({})) {
  const left = [...things];
  let done = 0;
  const work = async () => {
    for (let thing = left.shift(); thing; thing = left.shift()) {
      if (await decide(thing, verb, details(thing))) done += 1;
    }
  };
  // The name is asked for once, before the calls begin.
  if (!await by()) return 0;
  await Promise.all(Array.from({ length: 4 }, work));
  return done;
}

/** What undoes a decision, as verb and details; null where the life cycle has no way back. */
export function undoing(thing, decision) {
  if (thing.type === "signal" && (decision.verb === "accept" || decision.verb === "reject")) return ["reopen", { reason: "undone" }];
  if (thing.type === "alert" && decision.verb === "acknowledge") return ["reopen", { note: "undone" }];
  if (decision.verb === "snooze") return ["snooze", { until: "1970-01-01T00:00:00Z", note: "undone" }];
  return null;
}
