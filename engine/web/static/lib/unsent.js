// Decisions that have no answer yet. They outlive a page that is left in the middle, and a login that has ended: once the
// same person is back they are sent again with the idempotency keys that they had, so that each counts once.

import { post } from "./api.js";
import { toast } from "./dom.js";
import { count } from "./format.js";
import { nameOf } from "./me.js";

const KEPT = "stockline.unsent";
const LONG_SECONDS = 60;
let ended = false;
let leaving = false;
addEventListener("beforeunload", () => { leaving = true; });

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(all) {
  try {
    if (Object.keys(all).length) sessionStorage.setItem(KEPT, JSON.stringify(all));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser may refuse storage; what has no answer then lasts as long as the page.
  }
}

function settle(key) {
  const { [key]: _, ...others } = kept();
  keep(others);
}

/**
 * Sends a write: `what` it does in a few words, `path`, `body`, its idempotency key and further `headers`. It is kept in
 * this tab until it has an answer; that the login has ended is none. Resolves and throws as `post` does.
 */
export async function send({ what, path, body, key, headers = {} }) {
  keep({ ...kept(), [key]: { what, path, body, headers, name: nameOf() } });
  // The page is about to be left for the login: what is not sent any more is sent from there.
  if (ended && !document.querySelector("dialog[open]")) throw new Error("Your login has ended. It is sent once you have logged in.");
  try {
    const answer = await post(path, body, { key, headers });
    settle(key);
    return answer;
  } catch (error) {
    if (error.status === 401) ended = true;
    else if (error.status !== 0 || !leaving) settle(key);
    throw error;
  }
}

/** Sends what had no answer when its page was left, and says what became of it. */
export async function sendUnsent() {
  let done = 0;
  for (const [key, write] of Object.entries(kept())) {
    if (ended) return;
    if (write.name !== nameOf()) {
      settle(key);
      toast(`What ${write.name} had decided last was not sent: it has to be decided again.`, { kind: "error", seconds: LONG_SECONDS });
      continue;
    }
    try {
      await send({ ...write, key });
      done += 1;
    } catch (error) {
      if (!ended) toast(`${write.what}: ${error.message}${typed(write.body)}`, { kind: "error", seconds: LONG_SECONDS });
    }
  }
  if (done) toast(`${count(done, "decision")} that had no answer yet ${done === 1 ? "is" : "are"} written now.`, { seconds: LONG_SECONDS });
}

/** What somebody typed, given back where it was not written. */
function typed({ reason, note }) {
  const text = reason ?? note;
  return text ? ` You had written: “${text}”` : "";
}
