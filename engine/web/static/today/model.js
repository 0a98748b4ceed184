// What needs a decision, as the engine lists it, and what has changed since it was listed. The order stays as it was
// read, so that nothing moves under a pointer; what is new is counted until somebody asks for it.

import { get } from "../lib/api.js";
import { decisionOf, forget } from "../lib/decide.js";
import { fresh } from "../lib/status.js";

const TAKE_IN_MS = 500;
const RETRY_MS = 2000;
const OVER = new Set(["withdrawn", "ordered", "rejected", "expired", "accepted", "resolved"]);
const TYPES = ["signal.opened", "signal.amended", "signal.withdrawn", "signal.closed", "alert.opened", "alert.updated", "alert.resolved"];

/** The list of today's decisions. `changed(ids or null)` is called for items that changed, or null for all of them. */
export class Today {
  constructor(changed) {
    Object.assign(this, { changed, work: null, items: new Map(), over: new Map(), fresh: new Set(), waiting: new Map(), parameters: {} });
    setInterval(() => this.takeIn(), TAKE_IN_MS);
    this.follow();
  }

  /** Asks for the list anew; what was decided leaves it. */
  async load(parameters = this.parameters) {
    this.parameters = parameters;
    const work = await get("/v1/work", parameters);
    // Another list was asked for meanwhile, and this answer is not of it.
    if (this.parameters !== parameters) return;
    fresh(work.lag_seconds);
    this.work = work;
    this.items = new Map(work.groups.flatMap((group) => group.items.map((item) => [item.id, item])));
    this.fresh.clear();
    for (const id of this.over.keys()) forget(id);
    this.over.clear();
    this.changed(null);
  }

  /** All items of a group, also those that are not shown. */
  async whole(group) {
    if (!group.more) return group.items;
    const work = await get("/v1/work", { ...this.parameters, kind: group.kind, supplier: group.supplier, limit: 1000 });
    return work.groups.find((each) => each.title === group.title && each.currency === group.currency)?.items ?? group.items;
  }

  /** What became of an item that needs no decision any more: `{status, by}`; null while it does. */
  outcome(id) {
    const decision = decisionOf(id);
    if (decision?.state === "done") {
      const { status, by } = decision.thing;
      const told = { accept: status, reject: status, ...PAST }[decision.verb];
      if (told) return { status: told, by, mine: true };
    }
    return this.over.get(id) ?? null;
  }

  follow() {
    const source = new EventSource("/v1/stream?tables=signals,alerts&conflate=true");
    for (const type of TYPES) source.addEventListener(type, (message) => this.hear(JSON.parse(message.data)));
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.follow(), RETRY_MS);
    };
  }

  hear({ type, data }) {
    this.waiting.set(data.id, { type, data });
  }

  /** Takes in what was heard, at once for many events, so that the page costs the same at any rate. */
  takeIn() {
    if (!this.waiting.size || !this.work) return;
    const ids = [];
    for (const [id, { type, data }] of this.waiting) {
      const item = this.items.get(id);
      if (item) {
        ids.push(id);
        // What somebody did after the decision that was taken here counts instead of it.
        if (data.revision > decisionOf(id)?.thing?.revision) forget(id);
        this.update(item, data);
      } else if (type === "signal.opened" || type === "alert.opened") this.fresh.add(id);
    }
    this.waiting.clear();
    this.changed(ids);
  }

  update(item, data) {
    for (const name of ["qty", "due", "status", "owner", "snoozed_until", "revision"]) if (data[name] !== undefined) item[name] = data[name];
    if (data.explanation?.sentence) item.sentence = data.explanation.sentence;
    if (OVER.has(data.status)) this.over.set(item.id, { status: data.status, by: data.by });
    else this.over.delete(item.id);
  }
}

// Who gives an alert to an owner, or opens a proposal again, leaves it to be decided.
const PAST = { snooze: "snoozed", acknowledge: "acknowledged", resolve: "resolved" };
