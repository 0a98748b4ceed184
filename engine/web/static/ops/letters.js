// Dead letters by reason and source: tried and replayed together, or looked at, mended, replayed and discarded alone.

import { get, post } from "../lib/api.js";
import { ask, dialog } from "../lib/dialog.js";
import { button, el, empty, field, table, toast } from "../lib/dom.js";
import { count, moment, quantity, words } from "../lib/format.js";
import { by } from "../lib/me.js";

const PAGE = 50;
const MOST = 1000;

/** A source as it is shown: in quotes where spaces at its ends, or characters that are not seen, tell it from another. */
export function sourceName(source) {
  if (source === null || source === undefined) return "not readable";
  return source === source.trim() && !/[\p{C}]|\s\s/u.test(source) ? source : JSON.stringify(source);
}

/** The panel of the open dead letters; `changed` is called after anything was done about one. */
export async function lettersPanel(changed) {
  const { items } = await get("/v1/aggregates", { table: "dead-letters", by: "reason,event_source", status: "open", limit: 1000 });
  const host = el("div", { class: "stack", id: "letters" });
  const columns = [
    { title: "Reason", value: ({ group }) => words(group.reason) }, { title: "Source", value: ({ group }) => sourceName(group.event_source) },
    { title: "Open", number: true, value: (each) => quantity(each.count) },
    { title: "", value: ({ group }) => groupActs(group, host, changed) },
  ];
  return el("section", { class: "panel", data: { part: "dead-letters" } }, el("header", {}, el("h2", { text: "Dead letters" }), el("span", { class: "faint", text: count(items.reduce((all, each) => all + each.count, 0), "open one", "open ones") })),
    el("div", { class: "body stack" }, items.length ? table("Open dead letters by reason and source", columns, items) : empty("No dead letter is open", "Every record was taken, or somebody has dealt with it."), host));
}

function groupActs(group, host, changed) {
  const label = (what) => ({ "aria-label": `${what}: ${words(group.reason)}, ${group.event_source === null || group.event_source === undefined ? "source not readable" : sourceName(group.event_source)}` });
  // Of records without a readable source there is no selection by source; they are dealt with one by one.
  const together = group.event_source !== null && group.event_source !== undefined;
  return el("div", { class: "bar" }, button("Show", "show-letters", () => list(group, host, changed), label("Show")),
    together && button("Try", "try-letters", () => many(group, true, changed), label("Try")), together && button("Replay…", "replay-letters", () => many(group, false, changed), label("Replay")));
}

async function list(group, host, changed) {
  try {
    const page = await get("/v1/dead-letters", { status: "open", reason: group.reason, event_source: group.event_source, limit: PAGE });
    const items = page.items.filter((letter) => (letter.event_source ?? null) === (group.event_source ?? null));
    host.replaceChildren(table(`Dead letters: ${words(group.reason)}`, [
      { title: "Arrived", value: (letter) => moment(letter.arrived) },
      { title: "Event", value: (letter) => el("span", { class: "code", text: letter.event_id ?? "not readable" }) },
      { title: "What is wrong", value: (letter) => letter.detail },
      { title: "", value: (letter) => button("Open…", "open-letter", () => open(letter, changed), { "aria-label": `Open dead letter ${letter.event_id ?? letter.id}` }) },
    ], items), page.next ? el("p", { class: "faint", text: `The first ${PAGE} are shown.` }) : "");
    host.querySelector("button")?.focus();
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

async function many(group, tried, changed) {
  const title = tried ? "Try them again" : "Replay them";
  const limit = el("input", { name: "limit", type: "number", min: 1, max: MOST, value: 100, required: true });
  const told = await ask(title, field("At most", limit), { name: "many", submit: tried ? "Try" : "Replay", text: tried ? "Nothing is written: you see what would be refused again." : "What is refused again becomes a dead letter anew." });
  const name = told && (tried ? "" : await by());
  if (name === null || !told) return;
  try {
    const done = await post("/v1/dead-letters/replay", { reason: group.reason, source: group.event_source, limit: Number(told.limit), dry_run: tried, ...(tried ? {} : { by: name }) });
    const connector = done.found ? null : await connectorOf(group);
    if (connector) return void dialog(title, el("div", { class: "content" }, translatedAgain(connector)), { name: "outcome", wide: true });
    const sentence = `${tried ? "Would be taken" : "Taken"}: ${quantity(done.accepted)}. ${tried ? "Would be refused" : "Refused"} again: ${quantity(done.refused.length)}.${done.more ? " There are more." : ""}`;
    dialog(title, el("div", { class: "content" }, el("p", { text: sentence, data: { part: "outcome" } }), done.refused.length > 0 && table("Refused again", [
      { title: "Dead letter", value: (each) => el("span", { class: "code", text: each.id }) }, { title: "Why", value: (each) => each.detail }], done.refused)), { name: "outcome", wide: true });
    if (!tried) changed();
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

/** The connector that could not translate the records of a group; null where they are events. */
async function connectorOf(group) {
  const page = await get("/v1/dead-letters", { status: "open", reason: group.reason, event_source: group.event_source, limit: 1 });
  return connectorOfLetter(page.items[0]);
}

function connectorOfLetter(letter) {
  try {
    const told = JSON.parse(letter.raw);
    return told.type === "record.refused" && told.data.reason === letter.reason ? told.data.connector : null;
  } catch {
    return null;
  }
}

/** What to do about records of another system: only the connector can make events of them. */
function translatedAgain(connector) {
  return el("p", { data: { part: "outcome" } }, `These are records of another system, which the connector ${connector} could not translate. Mend the cause: the profile, or for an unmapped identifier a row of its mapping (`,
    el("code", { text: "stockline identifiers missing" }), " prints those that lack). Then run ", el("code", { text: `stockline connectors replay ${connector}` }), ".");
}

function open(letter, changed) {
  const text = el("textarea", { class: "code", rows: 14, "aria-label": "The event", text: pretty(letter), readonly: letter.raw === undefined, spellcheck: "false" });
  const connector = connectorOfLetter(letter);
  const note = el("input", { maxlength: 500, "aria-label": "Note" });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const run = (sentence, calling) => async () => {
    try {
      const name = await by();
      if (!name) return;
      const told = await calling(name);
      const refused = told?.refused?.[0];
      shown.close();
      toast(refused ? `It was refused again: ${refused.detail}` : sentence, { kind: refused ? "error" : "info" });
      changed();
    } catch (error) {
      problem.hidden = false;
      problem.textContent = error instanceof SyntaxError ? `This is no JSON: ${error.message}` : error.message;
    }
  };
  const path = (verb) => `/v1/dead-letters/${encodeURIComponent(letter.id)}/${verb}`;
  const say = () => (note.value.trim() ? { note: note.value.trim() } : {});
  const replay = run("It was taken.", (name) => post(path("replay"), { by: name, ...say(), ...(text.value === pretty(letter) ? {} : { event: JSON.parse(text.value) }) }));
  const discard = run("It is discarded.", (name) => {
    if (!note.value.trim()) throw new Error("Say in the note why it needs nothing more.");
    return post(path("discard"), { by: name, note: note.value.trim() });
  });
  const shown = dialog(`Dead letter ${letter.event_id ?? ""}`, el("div", { class: "content" },
    el("p", {}, el("strong", { text: `${words(letter.reason)}: ` }), letter.detail), el("p", { class: "faint", text: `${letter.place}, ${moment(letter.arrived)}` }),
    connector && translatedAgain(connector), text, letter.raw === undefined && el("p", { class: "faint", text: "Its bytes are no text: they are shown in base64, and can only be replayed as they are." }), field("Note", note), problem,
    el("footer", {}, button("Discard", "discard", discard), button("Replay", "replay", replay, { class: "primary" }))), { name: "letter", wide: true });
  text.focus();
}

function pretty(letter) {
  try {
    return JSON.stringify(JSON.parse(letter.raw), null, 2);
  } catch {
    return letter.raw ?? letter.raw_base64 ?? "";
  }
}
