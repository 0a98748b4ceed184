// The processes of a cluster: what each is at, when it was heard of last, and what it runs with.

import { el, select, table } from "../lib/dom.js";
import { moment, quantity } from "../lib/format.js";

const nameOf = (each) => `${each.role} at ${each.host}:${each.port}`;
const isGone = (each) => each.status === "gone";

/** A table of `processes`, of which the first is the one that answers. */
export function processTable(processes) {
  return table("Processes", [
    { title: "Process", value: (each) => (each === processes[0] ? `${nameOf(each)}, which shows this page` : nameOf(each)) },
    { title: "Status", value: (each) => el("span", { class: `tag ${isGone(each) ? "critical" : "open"}`, text: each.status }) },
    { title: "Last sign of life", value: (each) => moment(each.last_sign) },
    { title: "Started", value: (each) => moment(each.started) },
    { title: "Version", value: (each) => each.version },
    { title: "Partitions", value: (each) => ranges(each.partitions) },
    { title: "Waiting", number: true, value: (each) => el("span", { class: each.lag ? "text-warning" : "", text: quantity(each.lag) }) },
    { title: "Process id", number: true, value: (each) => String(each.pid) },
  ], processes);
}

/** Ascending numbers, those that follow each other as a range: "0–3, 6". */
function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(", ");
}

let chosen = null;

/** What one of the processes runs with, which is chosen by name, and the rules that all fold by. */
export function settingsPanel({ processes, rules }) {
  const named = () => processes.find((each) => each.id === chosen) ?? processes[0];
  const values = el("div", { id: "settings-values" });
  const show = () => values.replaceChildren(valueTable(`Settings of ${nameOf(named())}`, named().settings));
  const options = processes.map((each) => [each.id, isGone(each) ? `${nameOf(each)}, gone since ${moment(each.last_sign)}` : nameOf(each)]);
  show();
  return el("div", { class: "stack" },
    el("div", { class: "bar" }, select("process", options, named().id, (id) => { chosen = id; show(); })), values,
    el("details", {}, el("summary", { text: "Rules by which the log is folded, the same for all processes" }), valueTable("Rules of the log", rules)));
}

const valueTable = (caption, entries) => table(caption, [
  { title: "Setting", value: ([name]) => name }, { title: "Value", value: ([, value]) => String(value ?? "not set") },
], Object.entries(entries));

/** What of the processes makes the panel of settings another one. */
export const settingsKey = (processes) => JSON.stringify(processes.map((each) => [each.id, each.status]));
