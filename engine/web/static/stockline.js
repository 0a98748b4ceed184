// The live view. Changes are only kept as they arrive (the newest of each thing); the page is drawn at most four times
// a second from what is kept, with a bounded number of elements, so its cost does not depend on the rate of changes.
"use strict";

const DRAW_MS = 250;
const ASK_MS = 1000;
const SHOWN_ROWS = 60;
const SHOWN_CARDS = 40;
const SHOWN_CHANGES = 40;
const KEPT = 5000;
const RATE_MS = 3000;
const SORTED_UP_TO = 20000;
const NAMES = ["positions", "signals", "alerts"];
const NUMBERS = ["available", "held", "reserved", "sellable", "on_order", "in_transit", "position"];
const OVER = { signals: ["withdrawn", "ordered", "rejected", "expired"], alerts: ["resolved"] };

const element = (id) => document.getElementById(id);
const figures = new Intl.NumberFormat("en");

// JSON numbers beyond 2^53 reach a page rounded, and it says so.
const figure = (number) => (Math.abs(number) > Number.MAX_SAFE_INTEGER ? "about " : "") + figures.format(number);
const state = {
  positions: new Map(), signals: new Map(), alerts: new Map(),
  changes: [], received: 0, rows: 0, rates: { changes: [], events: [] }, dirty: true, paused: false, filter: "",
};

function keep(table, name, thing) {
  // Deleting first moves the thing to the end: a Map remembers the order of insertion, so the last are the newest.
  table.delete(name);
  table.set(name, thing);
  if (table.size > KEPT) table.delete(table.keys().next().value);
}

const rowName = (thing) => `${thing.sku}\u0000${thing.location}`;
const nameOf = (table, thing) => (table === "positions" ? rowName(thing) : thing.id);

function take(table, message) {
  const event = JSON.parse(message.data);
  state.received += 1;
  keep(state[table], nameOf(table, event.data), event.data);
  state.changes.push({ type: event.type, thing: event.data });
  if (state.changes.length > 4 * SHOWN_CHANGES) state.changes.splice(0, 3 * SHOWN_CHANGES);
  state.dirty = true;
}

function say(text, kind) {
  const link = element("link");
  link.textContent = text;
  link.className = `link ${kind}`;
}

const TYPES = {
  "position.changed": "positions",
  "signal.opened": "signals", "signal.amended": "signals", "signal.withdrawn": "signals", "signal.closed": "signals",
  "alert.opened": "alerts", "alert.updated": "alerts", "alert.resolved": "alerts",
};

function follow() {
  const source = new EventSource("/v1/stream?tables=positions,signals,alerts");
  source.onopen = async () => { say("live", "live"); await count(); await load(); };
  source.onerror = () => {
    say(source.readyState === EventSource.CLOSED ? "connection lost, trying again" : "reconnecting", "lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  };
  for (const [type, table] of Object.entries(TYPES)) source.addEventListener(type, (message) => take(table, message));
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function load() {
  // What was there before the stream began; what the stream has brought meanwhile is newer and stays.
  const search = state.filter ? `&q=${encodeURIComponent(state.filter)}` : "";
  // Ordering by time reads every row; with very many the first by name will do, as the stream soon brings newer ones.
  const many = state.rows > SORTED_UP_TO && !search;
  const order = { positions: many ? "" : "&sort=-updated", signals: "", alerts: "" };
  for (const table of NAMES) {
    try {
      const page = await ask(`/v1/${table}?limit=100${order[table]}${search}`);
      const known = state[table];
      const before = page.items.reverse().filter((thing) => !known.has(nameOf(table, thing)));
      state[table] = new Map([...before.map((thing) => [nameOf(table, thing), thing]), ...known]);
    } catch (error) {
      console.warn(error);
    }
  }
  state.dirty = true;
}

function rate(samples, total) {
  const now = performance.now();
  samples.push([now, total]);
  while (samples.length > 2 && now - samples[0][0] > RATE_MS) samples.shift();
  const [then, before] = samples[0];
  return now > then ? Math.max(0, Math.round(((total - before) * 1000) / (now - then))) : 0;
}

const sum = (counts) => Object.values(counts).reduce((total, each) => total + each, 0);

async function count() {
  if (document.hidden) return;
  try {
    const [sync, kpis] = await Promise.all([ask("/v1/sync"), ask("/v1/kpis")]);
    const accepted = sum(kpis.events) + kpis.duplicates;
    state.rows = kpis.rows;
    show("accepted", accepted);
    show("lag", sync.lag);
    show("event-rate", rate(state.rates.events, accepted));
    show("positions-total", kpis.rows);
    show("signals-total", kpis.signals.open);
    show("alerts-total", sum(Object.values(kpis.alerts).map((each) => each.open)));
  } catch (error) {
    console.warn(error);
  }
}

function show(id, number) {
  const text = figure(number);
  if (element(id).textContent !== text) element(id).textContent = text;
}

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function newest(table, limit) {
  const wanted = state.filter.toLowerCase();
  const found = [];
  for (const thing of [...state[table].values()].reverse()) {
    if (wanted && !`${thing.sku}\n${thing.location}`.toLowerCase().includes(wanted)) continue;
    found.push(thing);
    if (found.length === limit) break;
  }
  return found;
}

const moment = (text) => text.replace("T", " ").replace(/(\.\d+)?(Z|\+00:00)$/, "");
const seen = new Map();

function positionRow(thing) {
  const row = make("tr");
  const name = rowName(thing);
  if (seen.get(name) !== thing.version) row.className = "fresh";
  row.append(make("td", "", thing.sku), make("td", "", thing.location));
  for (const field of NUMBERS) {
    row.append(make("td", thing[field] < 0 ? "number negative" : "number", figure(thing[field])));
  }
  row.append(make("td", "", moment(thing.updated)));
  return row;
}

function drawPositions() {
  const rows = newest("positions", SHOWN_ROWS);
  element("positions").replaceChildren(...rows.map(positionRow));
  seen.clear();
  for (const thing of rows) seen.set(rowName(thing), thing.version);
  element("positions-none").hidden = rows.length > 0;
}

function card(over, tags, title, text) {
  const made = make("li", over ? "closed" : "");
  for (const tag of tags) made.append(make("span", `tag ${tag}`, tag));
  made.append(make("strong", "", title), make("p", "", text));
  return made;
}

function signalCard(thing) {
  const sentence = thing.explanation.sentence || `Order ${figure(thing.qty)} by ${thing.due}.`;
  const over = OVER.signals.includes(thing.status);
  const text = [sentence, ...(thing.explanation.notes || [])].join(" Note: ");
  return card(over, [thing.status, thing.disposition], `${thing.sku} at ${thing.location}`, text);
}

function alertCard(thing) {
  const numbers = Object.entries(thing.evidence)
    .filter(([, value]) => typeof value === "number" || typeof value === "string")
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  const title = `${thing.kind.replaceAll("_", " ")}: ${thing.sku} at ${thing.location}`;
  const text = thing.evidence.sentence || numbers.join(", ") || moment(thing.updated);
  return card(OVER.alerts.includes(thing.status), [thing.severity, thing.status], title, text);
}

function drawCards(table, draw) {
  const things = newest(table, SHOWN_CARDS);
  element(table).replaceChildren(...things.map(draw));
  element(`${table}-none`).hidden = things.length > 0;
}

function changeLine(change) {
  const { type, thing } = change;
  const what = {
    "position.changed": () => `position ${figure(thing.position)}, available ${figure(thing.available)}`,
  }[type] || (() => `${thing.kind || `qty ${figure(thing.qty)}`}, ${thing.status}`);
  const line = make("li");
  line.append(make("b", "", type), ` ${moment(thing.updated)}  ${thing.sku} at ${thing.location}: ${what()}`);
  return line;
}

function drawChanges() {
  const last = state.changes.slice(-SHOWN_CHANGES).reverse();
  element("changes").replaceChildren(...last.map(changeLine));
  element("changes-none").hidden = last.length > 0;
}

function draw() {
  show("change-rate", rate(state.rates.changes, state.received));
  if (!state.dirty || state.paused || document.hidden) return;
  state.dirty = false;
  drawPositions();
  drawCards("signals", signalCard);
  drawCards("alerts", alertCard);
  drawChanges();
}

let loading;
element("filter").addEventListener("input", (event) => {
  state.filter = event.target.value.trim();
  state.dirty = true;
  clearTimeout(loading);
  loading = setTimeout(load, 300);
});
element("pause").addEventListener("click", (event) => {
  state.paused = !state.paused;
  state.dirty = true;
  event.target.textContent = state.paused ? "Go on" : "Pause";
  event.target.setAttribute("aria-pressed", String(state.paused));
});
setInterval(draw, DRAW_MS);
setInterval(count, ASK_MS);
follow();
