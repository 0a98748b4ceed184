// Operations: how events flow, which processes run, how connectors are, what was refused, and what events look like.

import { get } from "../lib/api.js";
import { button, byId, el, empty, select, table, toast } from "../lib/dom.js";
import { figure, moment, quantity, words } from "../lib/format.js";
import { lettersPanel, sourceName } from "../ops/letters.js";
import { processTable, settingsKey, settingsPanel } from "../ops/processes.js";

const REFRESH_MS = 3000;

/** Fills the page. */
export async function start(main) {
  main.append(el("div", { class: "head" }, el("h1", { text: "Operations" })), el("div", { class: "stack" },
    flowSection(), processesSection(), section("Sources", "sources"), section("Connectors", "connectors"), el("div", { id: "dead-letters" }), section("Schemas", "schemas"), section("Settings", "settings")));
  await Promise.all([flow(), processes(), sources(), connectors(), letters(), schemas()]);
  setInterval(() => { if (!document.hidden) flow().then(processes).then(sources).then(connectors).then(lettersUnlessUsed); }, REFRESH_MS);
}

const section = (title, id) => el("section", { class: "panel", data: { part: id } }, el("header", {}, el("h2", { text: title })), el("div", { class: "body stack", id }));

function flowSection() {
  const made = section("Flow", "flow-panel");
  made.lastElementChild.append(el("div", { id: "flow" }),
    el("p", { class: "faint", text: "Of the log, all records that it ever had; of other topics, what this process has published, or read, since it began." }),
    el("details", {}, el("summary", { text: "By partition" }), el("div", { id: "flow-partitions" })));
  return made;
}

function processesSection() {
  const made = section("Processes", "processes-panel");
  made.lastElementChild.append(el("div", { id: "processes" }),
    el("p", { class: "faint", text: "A process that ended in order is not listed; one that was lost is gone, and is listed for an hour. What waits is in a worker's own partitions, or in the whole log." }));
  return made;
}

async function fill(id, make) {
  try {
    show(byId(id), await make());
  } catch (error) {
    byId(id).replaceChildren(empty("This could not be read", error.message, button("Try again", "retry", () => fill(id, make))));
  }
}

/** Shows what was read anew; what has not changed stays, and so do the focus, a selection and how far it is scrolled. */
function show(host, made) {
  const before = host.firstElementChild;
  if (before && host.childElementCount === 1 && before.isEqualNode(made)) return;
  const focused = before !== null && before === document.activeElement;
  const left = before?.scrollLeft ?? 0;
  host.replaceChildren(made);
  made.scrollLeft = left;
  if (focused) made.focus({ preventScroll: true });
}

const rate = (value) => (value === null ? "measuring" : `${figure(value)} /s`);

const flow = () => fill("flow", async () => {
  const answer = await get("/v1/flow");
  const parts = [...answer.items.map(ofLog), ...answer.outputs.map(ofOutputs)];
  show(byId("flow-partitions"), flows("Flow by topic and partition", parts, [{ title: "Partition", number: true, value: (each) => quantity(each.partition) }]));
  return flows("Flow by topic", byTopic(parts));
});

const ofLog = (each) => ({ topic: each.topic, partition: each.partition, records: each.end, waiting: each.lag, arriving: each.arriving, applying: each.applying });
const ofOutputs = (each) => ({ topic: each.topic, partition: each.partition, records: each.records, waiting: each.lag, arriving: each.publishing, applying: undefined });

function flows(caption, rows, columns = []) {
  return table(caption, [
    { title: "Topic", value: (each) => each.topic }, ...columns,
    { title: "Records", number: true, value: (each) => quantity(each.records) },
    { title: "Waiting", number: true, value: (each) => el("span", { class: each.waiting ? "text-warning" : "", text: quantity(each.waiting) }) },
    { title: "Arriving", number: true, value: (each) => rate(each.arriving) },
    { title: "Being applied", number: true, value: (each) => (each.applying === undefined ? "" : rate(each.applying)) },
  ], rows);
}

/** The sums of the partitions of each topic; a rate that is not measured yet makes the sum so. */
function byTopic(parts) {
  const topics = new Map();
  for (const each of parts) {
    const sum = topics.get(each.topic);
    topics.set(each.topic, sum ? { ...sum, records: sum.records + each.records, waiting: sum.waiting + each.waiting, arriving: plus(sum.arriving, each.arriving), applying: plus(sum.applying, each.applying) } : { ...each });
  }
  return [...topics.values()];
}

const plus = (one, other) => (one === null || other === null ? null : one === undefined ? undefined : one + other);

const sources = () => fill("sources", async () => {
  const { items, others } = await get("/v1/sources");
  if (!items.length) return el("p", { class: "faint", text: "No feed is declared, and nothing has come." });
  const further = others.last_arrival || others.open ? [{ ...others, name: "all others" }] : [];
  return table("What has come from each source", [
    { title: "Source", value: (each) => each.name ?? sourceName(each.source) },
    { title: "Feed", value: feedOf },
    { title: "Last arrival", value: (each) => moment(each.last_arrival) },
    { title: "Accepted", number: true, value: (each) => quantity(each.accepted) },
    { title: "Duplicates", number: true, value: (each) => quantity(each.duplicates) },
    { title: "Late", number: true, value: (each) => el("span", { title: "Came more than an hour after it had happened", text: quantity(each.late) }) },
    { title: "Refused", number: true, value: (each) => quantity(each.refused) },
    { title: "Open dead letters", number: true, value: (each) => el("span", { class: each.open ? "text-warning" : "", text: quantity(each.open) }) },
    { title: "Last refused", value: ({ last_rejection: last }) => (last ? `${words(last.reason)}, ${moment(last.at)}` : "") },
  ], [...items, ...further]);
});

function feedOf({ feed }) {
  if (!feed) return el("span", { class: "faint", text: "not declared" });
  const expected = `expected every ${quantity(feed.interval_seconds)} s`;
  return el("span", {}, el("span", { class: `tag ${feed.stale ? "critical" : "open"}`, text: feed.stale ? "silent" : "in time" }), ` ${expected}`);
}

const processes = () => fill("processes", async () => {
  const answer = await get("/v1/settings");
  settings(answer);
  return processTable(answer.processes);
});

let settingsShown = null;

/** Shows the settings anew where other processes have come or gone, unless somebody is choosing one. */
function settings(answer) {
  const key = settingsKey(answer.processes);
  if (key === settingsShown || byId("settings").contains(document.activeElement)) return;
  byId("settings").replaceChildren(settingsPanel(answer));
  settingsShown = key;
}

const connectors = () => fill("connectors", async () => {
  const { items } = await get("/v1/connectors");
  if (!items.length) return el("p", { class: "faint", text: "No connector has reported to this process since it began." });
  return table("Connectors", [
    { title: "Name", value: (each) => each.name }, { title: "Kind", value: (each) => each.kind },
    { title: "Status", value: (each) => el("span", { class: `tag ${{ running: "open", waiting: "info" }[each.status] ?? "critical"}`, text: words(each.status) }) },
    { title: "Events", number: true, value: (each) => quantity(sum(each, "events")) }, { title: "Duplicates", number: true, value: (each) => quantity(sum(each, "duplicates")) },
    { title: "Refused", number: true, value: (each) => quantity(sum(each, "rejected") + sum(each, "untranslated")) },
    { title: "Last success", value: (each) => moment(Object.values(each.parts).map((part) => part.last_success).filter(Boolean).sort().at(-1)) },
    { title: "What is wrong", value: (each) => each.detail ?? Object.values(each.parts).map((part) => part.error).filter(Boolean).join("; ") },
  ], items);
});

const sum = (connector, name) => Object.values(connector.parts).reduce((all, part) => all + (part[name] ?? 0), 0);

/** Reads the dead letters anew after one was dealt with; what is about to be replaced takes no click meanwhile. */
async function letters() {
  byId("dead-letters").inert = true;
  await fill("dead-letters", () => lettersPanel(letters));
  byId("dead-letters").inert = false;
}

const inUse = () => byId("dead-letters").contains(document.activeElement) || Boolean(byId("letters")?.childElementCount);

/** Reads the dead letters anew, unless somebody is at work there, or begins to be while they are read. */
async function lettersUnlessUsed() {
  if (inUse()) return;
  try {
    const panel = await lettersPanel(letters);
    if (!inUse()) show(byId("dead-letters"), panel);
  } catch {
    if (!inUse()) await letters();
  }
}

const schemas = () => fill("schemas", async () => {
  const { items } = await get("/v1/schemas");
  const examples = el("div", { class: "stack", data: { part: "examples" } });
  const shown = el("pre", { class: "code", tabindex: "0", role: "region", "aria-label": "The schema" });
  const choose = async (type) => {
    const { examples: told, ...schema } = await get(`/v1/schemas/${encodeURIComponent(type)}`);
    examples.replaceChildren(...told.map((each, place) => example(type, each, place + 1)));
    shown.textContent = JSON.stringify(schema, null, 2);
  };
  await choose(items[0]);
  return el("div", { class: "stack" }, el("div", { class: "bar" }, select("type", items.map((name) => [name, name]), items[0], choose)),
    examples, el("details", {}, el("summary", { text: "JSON Schema" }), shown));
});

/** An event of a type with a button that copies it as one line, as it can be sent. */
function example(type, event, number) {
  const name = `Example ${number} of ${type}`;
  const text = el("pre", { class: "code", tabindex: "0", role: "region", "aria-label": name, text: JSON.stringify(event, null, 2) });
  return el("div", { class: "stack" }, el("div", { class: "bar" }, button("Copy", "copy-example", () => copy(text, JSON.stringify(event)), { "aria-label": `Copy: ${name}` })), text);
}

/** Copies a text; where the browser does not let pages write to the clipboard, what is shown is selected instead. */
async function copy(shown, text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("It is copied.");
  } catch {
    getSelection().selectAllChildren(shown);
    toast("The browser lets no page copy here. It is selected: copy it with the keyboard.");
  }
}
