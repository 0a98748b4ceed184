// The policy of a row: shown, and edited. What a change would do is asked of the engine before it is saved.

import { post } from "../lib/api.js";
import { ask, dialog } from "../lib/dialog.js";
import { button, el, field, select, table, toast } from "../lib/dom.js";
import { figure, money, quantity, signed } from "../lib/format.js";
import { by, may } from "../lib/me.js";

const KINDS = [["min_max", "min and max"], ["reorder_point", "reorder point and lot"], ["forecast", "from the forecast"], ["none", "no proposals"]];
const WHOLE = { type: "number", step: 1, min: 0 };
const FIELDS = {
  supplier: ["Supplier", { maxlength: 64 }],
  lead_time_days: ["Lead time, days", { type: "number", step: "any", min: 0 }],
  lead_time_std_days: ["Its deviation, days", { type: "number", step: "any", min: 0 }],
  review_days: ["Review period, days", { type: "number", step: "any", min: 0 }],
  moq: ["Least order", WHOLE],
  multiple: ["Multiple", { ...WHOLE, min: 1 }],
  max_qty: ["Largest order", { ...WHOLE, min: 1 }],
  safety_stock: ["Safety stock", WHOLE],
  service_level: ["Service level", { type: "number", step: "any", min: 0.0001, max: 0.9999 }],
  unit_cost: ["Unit cost", { inputmode: "decimal", pattern: "[0-9]+([.][0-9]+)?" }],
  currency: ["Currency", { pattern: "[A-Z]{3}" }],
};
const LEVELS = { min_max: [["min", "Order at"], ["max", "Order up to"]], reorder_point: [["point", "Order at"], ["qty", "Lots of"]], forecast: [], none: [] };
const NUMBERS = new Set(Object.keys(FIELDS).filter((name) => FIELDS[name][1].type === "number"));

/** A panel of the policy. */
export function policy(row, path, reload) {
  const set = row.policy;
  const edit = may("planner") && button(set ? "Edit…" : "Set a policy…", "edit-policy", () => change(row, path, reload));
  return el("section", { class: "panel", "aria-label": "Policy", data: { part: "policy" } },
    el("header", {}, el("h2", { text: "Policy" }), el("span", { class: "spring" }), edit),
    el("div", { class: "body" }, set ? shown(set) : el("p", { class: "faint", text: "Without a policy nothing is proposed for this row." })));
}

function shown(set) {
  const levels = LEVELS[set.policy.kind].map(([name, label]) => [label, quantity(set.policy[name])]);
  const others = Object.entries(FIELDS).filter(([name]) => set[name] !== null && set[name] !== undefined && name !== "currency")
    .map(([name, [label]]) => [label, name === "unit_cost" ? money(set.unit_cost, set.currency) : typeof set[name] === "number" ? figure(set[name]) : set[name]]);
  const facts = [["Kind", new Map(KINDS).get(set.policy.kind)], ...levels, ...others];
  return el("dl", { class: "figures small" }, facts.map(([label, value]) => el("div", {}, el("dt", { text: label }), el("dd", { text: value }))));
}

async function change(row, path, reload, draft = row.policy ?? { policy: { kind: "min_max", min: 0, max: 0 } }) {
  const told = await ask(`Policy of ${row.sku} at ${row.location}`, form(draft), { name: "policy", submit: "What would it change?" });
  if (!told) return;
  const proposed = read(told, row);
  try {
    const effect = await post(`${path}/policy/preview`, proposed);
    confirm(row, path, reload, proposed, effect);
  } catch (error) {
    toast(error.message, { kind: "error" });
    change(row, path, reload, proposed);
  }
}

function form(draft) {
  const levels = el("div", { class: "fields" });
  const input = (name, label, attributes, value) => field(label, el("input", { name, value: value ?? "", ...attributes }));
  const fill = (kind) => levels.replaceChildren(...LEVELS[kind].map(([name, label]) =>
    input(name, label, { ...WHOLE, min: name === "qty" ? 1 : 0, required: true }, draft.policy.kind === kind ? draft.policy[name] : "")));
  fill(draft.policy.kind);
  return [field("Kind", select("kind", KINDS, draft.policy.kind, fill)), levels,
    el("div", { class: "fields" }, Object.entries(FIELDS).map(([name, [label, attributes]]) => input(name, label, attributes, draft[name])))];
}

/** The policy that was typed; what the form does not show (limits of automation, days of answers) stays as it was. */
function read(told, row) {
  const levels = Object.fromEntries(LEVELS[told.kind].map(([name]) => [name, Number(told[name])]));
  const fields = Object.keys(FIELDS).map((name) => [name, told[name] === "" ? null : NUMBERS.has(name) ? Number(told[name]) : told[name]]);
  const all = { ...row.policy, sku: row.sku, location: row.location, ...Object.fromEntries(fields), policy: { kind: told.kind, ...levels } };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

function confirm(row, path, reload, proposed, effect) {
  const difference = (name) => (effect.before?.[name] != null && effect.after?.[name] != null ? signed(effect.after[name] - effect.before[name]) : "");
  const columns = [
    { title: "What", value: ([, label]) => label },
    { title: "Now", number: true, value: ([name]) => quantity(effect.before?.[name]) },
    { title: "Then", number: true, value: ([name]) => quantity(effect.after?.[name]) },
    { title: "Difference", number: true, value: ([name]) => difference(name) },
  ];
  const rows = [["s", "Orders at (s)"], ["S", "Orders up to (S)"], ["qty", "Proposes now"]];
  const shownDialog = dialog("What it would change", el("div", { class: "content" }, table("Effect of the policy", columns, rows, { data: { part: "effect" } }),
    el("p", { text: sentence(effect) }), el("footer", {},
      button("Back", "back", () => { shownDialog.close(); change(row, path, reload, proposed); }, { class: "quiet" }),
      button("Save the policy", "save-policy", () => save(shownDialog, path, reload, proposed), { class: "primary" }))), { name: "effect" });
}

function sentence({ before, after, position }) {
  if (!after) return "No order would be proposed for this row any more.";
  const order = after.qty > 0 ? `An order of ${quantity(after.qty)} would be proposed` : "No order would be proposed";
  const because = after.qty > 0 ? "at or below" : "above";
  return `${order}: the position of ${quantity(position)} is ${because} s = ${quantity(after.s)}.${before ? "" : " The row has no policy at present."}`;
}

async function save(shownDialog, path, reload, proposed) {
  const name = await by();
  if (!name) return;
  try {
    await post(`${path}/policy`, { by: name, policy: proposed });
    shownDialog.close();
    toast("The policy is set.");
    reload();
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

