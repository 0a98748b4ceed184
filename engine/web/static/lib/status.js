// The strip that every page has: how fresh what is shown is, and whether the engine answers. Never by colour alone.

import { announce, byId } from "./dom.js";
import { get, onReachability } from "./api.js";
import { quantity, span } from "./format.js";
import { ownSupplier } from "./me.js";

const ASK_MS = 2000;
const STALE_SECONDS = 10;
const state = { reached: true, seen: -Infinity, lag: null, connection: "" };

/** Tells how old the data of an answer is: `lag_seconds` of it, and optionally how it came ("live", "every 2 s"). */
export function fresh(lagSeconds, connection = "") {
  if (lagSeconds === undefined || lagSeconds === null) return;
  Object.assign(state, { lag: lagSeconds, seen: performance.now(), connection });
  show();
}

/** How many seconds ago the engine's latest answer was as of, or null before the first. */
function old() {
  return state.lag === null ? null : state.lag + (performance.now() - state.seen) / 1000;
}

function show() {
  const seconds = old();
  const part = byId("freshness");
  const stale = seconds !== null && seconds > STALE_SECONDS;
  const kind = !state.reached ? "lost" : seconds === null ? "waiting" : stale ? "stale" : "fresh";
  const text = { lost: "no connection, trying again", waiting: "asking how fresh the data is" }[kind] ?? `data ${span(seconds)} old`;
  part.dataset.state = kind;
  part.textContent = state.connection && state.reached ? `${text} · ${state.connection}` : text;
  document.body.classList.toggle("stale", kind === "lost" || kind === "stale");
}

function reached(error) {
  const now = error === null;
  if (now !== state.reached) {
    announce(now ? "The engine answers again." : error.message);
    byId("banner").hidden = now;
    byId("banner").textContent = now ? "" : error.message;
  }
  state.reached = now;
  show();
}

async function look() {
  if (document.hidden) return;
  try {
    // A supplier is told how old its lines are, and not how many events there are.
    if (ownSupplier()) return fresh((await get("/v1/supplier/lines", { limit: 1 })).lag_seconds);
    const sync = await get("/v1/sync");
    // Where a list or a socket tells the seconds itself that is better known; this only bridges the quiet.
    if (sync.lag === 0 && performance.now() - state.seen > ASK_MS) fresh(0, state.connection);
    else if (sync.lag) byId("freshness").title = `${quantity(sync.lag)} events are accepted and not yet applied`;
  } catch {
    show();
  }
}

/** Keeps the strip up to date as long as the page is open. */
export function watch() {
  onReachability(reached);
  look();
  setInterval(look, ASK_MS);
}
