// Today: what needs a decision, worst first, and the decisions: one by one, by selection, or a whole supplier order.

import { act, allowed } from "../lib/actions.js";
import { decide, decideAll, decisionOf, forget, onDecision } from "../lib/decide.js";
import { announce, button, byId, el, empty, select, toast } from "../lib/dom.js";
import { ask } from "../lib/dialog.js";
import { count, quantity, roundMoney } from "../lib/format.js";
import { bind } from "../lib/keys.js";
import { by, may, nameOf } from "../lib/me.js";
import { nameField } from "../lib/names.js";
import { question } from "../lib/questions.js";
import { leaveRow } from "../row/drawer.js";
import { followOpened, open } from "../row/opened.js";
import { groupPanel, itemLine } from "../today/list.js";
import { Today } from "../today/model.js";
import { terms } from "../today/order.js";

const KINDS = [["", "Everything"], ["order", "Orders"], ["late_supply", "Late supply"], ["stockout", "Stock-outs"], ["drift", "Drift"], ["other", "Other"], ["automatic", "Automatic"]];
const FILTERS = ["kind", "supplier", "location", "owner", "snoozed", "acknowledged"];
const LEAVE_MS = 10_000;
const PRESSED_MS = 100;
const page = { selected: new Set(), today: null, decides: true, current: null };

/** Fills the page. */
export async function start(main) {
  page.decides = may("planner");
  main.append(head(), el("div", { class: "bar", id: "filters", role: "search" }, search(), filters()), el("div", { class: "stack live", id: "groups" }), selection());
  page.today = new Today(changed);
  onDecision(decided);
  addEventListener("popstate", followAddress);
  bindKeys();
  await load();
  followOpened(() => focusOn(currentLine()));
}

/** Back and forward: the filters are those of the address, and the list is read again where they differ. */
function followAddress() {
  if (asText(parameters()) === asText(page.today.parameters)) return;
  const { name, dataset } = document.activeElement;
  byId("filters").replaceChildren(byId("find"), ...filters());
  byId("filters").querySelector(`[name="${name}"], [data-action="${dataset.action}"]`)?.focus();
  load();
}

const asText = (parameters_) => new URLSearchParams(parameters_).toString();
const parameters = () => Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => FILTERS.includes(name) || name === "limit"));

async function load() {
  try {
    await page.today.load(parameters());
  } catch (error) {
    byId("groups").replaceChildren(empty("The list could not be read", error.message, button("Try again", "retry", load), error.status === 400 && withoutFilters()));
  }
}

function filter(name, value) {
  const query = new URLSearchParams(location.search);
  if (value) query.set(name, value);
  else query.delete(name);
  history.pushState(null, "", query.size ? `?${query}` : location.pathname);
  followAddress();
}

function head() {
  return el("div", { class: "head" }, el("h1", { text: "Today" }), el("span", { id: "summary", data: { part: "summary" } }),
    el("span", { class: "faint", id: "hidden-ones" }),
    button("", "show-new", load, { id: "new", class: "chip", hidden: true, title: "Show what is new (r)" }));
}

const search = () => el("input", { type: "search", id: "find", placeholder: "Find in the list", "aria-label": "Find in the list", on: { input: find, keydown: toFound } });

/** The filters as the address has them; those of a text are taken as soon as the field is left. */
function filters() {
  const now = parameters();
  const named = (name, label) => nameField(name, label, now[name] ?? "", (value) => filter(name, value));
  const toggle = (name, label, value) => button(label, name, async () => filter(name, now[name] ? null : await value()), { "aria-pressed": String(Boolean(now[name])) });
  const mine = toggle("owner", now.owner && now.owner !== nameOf() ? `Of ${now.owner}` : "Mine", by);
  return [select("kind", KINDS, now.kind ?? "", (value) => filter("kind", value)), named("supplier", "Supplier"), named("location", "Location"),
    mine, toggle("snoozed", "Snoozed too", () => "true"), toggle("acknowledged", "Acknowledged too", () => "true")];
}

function changed(ids) {
  if (ids) {
    ids.forEach(redraw);
    sum();
  } else drawAll();
  const fresh = page.today.fresh.size;
  byId("new").hidden = fresh === 0;
  byId("new").textContent = `${quantity(fresh)} new · show (r)`;
  if (fresh) announce(`${quantity(fresh)} new`);
}

function drawAll() {
  const { work } = page.today;
  const before = currentLine()?.dataset.item;
  for (const id of page.selected) if (!page.today.items.has(id)) page.selected.delete(id);
  const groups = work.groups.map((group) => groupPanel(group, page));
  if (work.more_groups) groups.push(el("p", { class: "faint", text: `${count(work.more_groups, "more group")}; filter to see them.` }));
  byId("groups").replaceChildren(...(groups.length ? groups : [nothing()]));
  const hidden = [["snoozed", work.snoozed], ["acknowledged", work.acknowledged], ["automatic", work.automatic]];
  byId("hidden-ones").textContent = hidden.filter(([, number]) => number).map(([name, number]) => `${quantity(number)} ${name}`).join(" · ");
  sum();
  find();
  countSelected();
  focusOn(items().find((line) => line.dataset.item === before) ?? items()[0], false);
}

/** What is left to decide, and what was at risk when the list was read. */
function sum() {
  const { work } = page.today;
  const left = work.total - [...page.today.items.values()].filter((item) => item.disposition !== "auto" && page.today.outcome(item.id)).length;
  const atRisk = work.value_at_risk.map(({ currency, value }) => roundMoney(value, currency)).join(", ");
  byId("summary").textContent = `${count(Math.max(0, left), "decision")}${atRisk ? ` · ${atRisk} at risk` : ""}`;
}

const withoutFilters = () => button("Remove the filters", "clear", () => { location.search = ""; });

function nothing() {
  const filtered = FILTERS.some((name) => parameters()[name]);
  if (filtered) return empty("Nothing matches", "No open decision is left of these filters.", withoutFilters());
  return empty("Nothing needs a decision", "Proposals and alerts appear here as they come. All stock is one page on.", el("a", { class: "button", href: "/stock" }, "All stock"));
}

function decided(id) {
  const decision = decisionOf(id);
  const item = page.today.items.get(id);
  // What somebody did after it may have been heard before the answer came, and counts instead of it.
  if (item && item.revision > decision.thing?.revision) forget(id);
  else if (item && decision.thing) page.today.update(item, decision.thing);
  if (item && decision.now) page.today.update(item, decision.now);
  if (decision.state === "done") page.selected.delete(id);
  redraw(id);
  countSelected();
  sum();
  if (page.today.outcome(id)) setTimeout(() => leave(id), LEAVE_MS);
}

/** Lets a decided item leave the list, once nobody is about to click there. */
function leave(id) {
  const line = lineOf(id);
  if (!line || !page.today.outcome(id)) return;
  if (byId("groups").matches(":hover") || line.contains(document.activeElement) || line.classList.contains("current")) setTimeout(() => leave(id), LEAVE_MS);
  else {
    const group = line.closest(".group");
    line.remove();
    if (!group.querySelector("[data-item]")) group.remove();
  }
}

function redraw(id) {
  const item = page.today.items.get(id);
  const line = lineOf(id);
  if (!item || !line) return;
  // A line that is replaced while a button of it is held down would lose the click.
  if (line.matches(":active")) return setTimeout(() => redraw(id), PRESSED_MS);
  const focused = line.contains(document.activeElement);
  const made = itemLine(item, page);
  made.tabIndex = line.tabIndex;
  made.hidden = line.hidden;
  made.classList.toggle("current", line.classList.contains("current"));
  line.replaceWith(made);
  if (focused) made.focus();
}

// Finding, moving, selecting ---------------------------------------------------------------------------------------

function find() {
  const wanted = byId("find").value.toLowerCase();
  for (const line of document.querySelectorAll("[data-item]")) line.hidden = Boolean(wanted) && !line.textContent.toLowerCase().includes(wanted);
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("[data-item]:not([hidden])");
}

/** Enter leaves the search for the first line that it found, so that the keys act on it. */
function toFound(event) {
  if (event.key !== "Enter" || !items().length) return;
  event.preventDefault();
  focusOn(items().find((line) => line === currentLine()) ?? items()[0]);
}

const items = () => [...document.querySelectorAll("[data-item]:not([hidden])")];
const lineOf = (id) => document.querySelector(`[data-item="${CSS.escape(id)}"]`);
const currentLine = () => document.querySelector(".item.current");
const current = () => page.today.items.get(currentLine()?.dataset.item);

function focusOn(line, focus = true) {
  if (!line) return;
  currentLine()?.classList.remove("current");
  line.classList.add("current");
  if (focus) {
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  }
}

function step(by_) {
  const all = items();
  const index = all.indexOf(currentLine());
  focusOn(all[Math.max(0, Math.min(all.length - 1, index + by_))]);
}

page.select = (id) => {
  if (!page.selected.delete(id)) page.selected.add(id);
  redraw(id);
  countSelected();
};

page.selectAll = (group) => {
  const all = group.items.filter((item) => !page.today.outcome(item.id));
  const add = all.some((item) => !page.selected.has(item.id));
  for (const { id } of all) if (add !== page.selected.has(id)) page.select(id);
};

function selection() {
  return el("div", { class: "selection bar", id: "selection", role: "toolbar", "aria-label": "Decide about the selected", hidden: true });
}

const BULK = [["accept", "Accept"], ["reject", "Reject…"], ["acknowledge", "Acknowledge"], ["assign", "Assign…"], ["snooze", "Snooze…"], ["resolve", "Resolve…"]];
const selectedFor = (verb) => [...page.selected].map((id) => page.today.items.get(id)).filter((item) => item && !page.today.outcome(item.id) && allowed(item).some(([name]) => name === verb));

function countSelected() {
  const number = page.selected.size;
  const buttons = BULK.map(([verb, name]) => [verb, name, selectedFor(verb).length]).filter(([, , fit]) => fit)
    .map(([verb, name, fit]) => button(fit === number ? name : `${name} (${fit})`, `bulk-${verb}`, () => bulk(verb)));
  byId("selection").hidden = !number;
  byId("selection").replaceChildren(el("strong", { text: `${quantity(number)} selected` }), ...buttons, button("Clear", "clear-selection", clearSelection, { class: "quiet" }));
}

function clearSelection() {
  const ids = [...page.selected];
  page.selected.clear();
  ids.forEach(redraw);
  countSelected();
}

// Deciding ---------------------------------------------------------------------------------------------------------

async function bulk(verb) {
  if (!await by()) return;
  const things = selectedFor(verb);
  const details = verb === "accept" ? {} : await question(verb, things, page.today.work.as_of);
  if (!details) return;
  const done = await decideAll(things, verb, () => details);
  for (const thing of things) page.selected.delete(thing.id);
  things.forEach(({ id }) => redraw(id));
  countSelected();
  const failed = things.length - done;
  toast(`${count(done, "decision")} taken${failed ? `, ${failed} refused: the reason stands at each` : ""}.`, { kind: failed ? "error" : "info" });
}

page.acceptGroup = async (group) => {
  const all = (await page.today.whole(group)).filter((item) => item.type === "signal" && !page.today.outcome(item.id));
  const total = group.total_value ? `, ${roundMoney(group.total_value, group.currency)}` : "";
  const text = `${group.title}: ${count(all.length, "proposal")}${total}. Each is accepted with the quantity that is proposed.`;
  const sure = await ask(`Accept ${count(all.length, "proposal")}`, el("div", {}, el("p", { text }), el("p", { class: "bar" }, ...terms(group))), { name: "accept-group", submit: "Accept all" });
  if (!sure) return;
  const done = await decideAll(all, "accept");
  toast(`${quantity(done)} of ${quantity(all.length)} accepted.`, { kind: done < all.length ? "error" : "info" });
};

page.showMore = () => filter("limit", "1000");
page.ofSupplier = (item) => page.today.work.groups.some((group) => group.supplier === item.supplier && group.items.includes(item));
page.open = (item) => {
  focusOn(lineOf(item.id), false);
  open([item.sku, item.location]);
};
page.undo = (item, [verb, details]) => decide(item, verb, details);

function decideCurrent(...names) {
  const item = current();
  if (!item || page.today.outcome(item.id)) return;
  const name = names.find((each) => allowed(item).some(([known]) => known === each));
  if (name) act(item, name, page.today.work.as_of);
}

function undoCurrent() {
  currentLine()?.querySelector('[data-action="undo"], [data-action="reopen"]')?.click();
}

function bindKeys() {
  bind({
    j: ["next", () => step(1)],
    k: ["previous", () => step(-1)],
    ArrowDown: ["next", () => step(1)],
    ArrowUp: ["previous", () => step(-1)],
    Enter: ["open its row", () => current() && page.open(current())],
    x: ["select or unselect", () => current() && page.select(current().id)],
    a: ["accept a proposal, acknowledge an alert", () => decideCurrent("accept", "acknowledge")],
    e: ["accept with another quantity", () => decideCurrent("change")],
    s: ["snooze", () => decideCurrent("snooze")],
    d: ["reject a proposal, resolve an alert", () => decideCurrent("reject", "resolve")],
    o: ["give to an owner", () => decideCurrent("assign")],
    u: ["undo, open again", undoCurrent],
    r: ["read the list again", load],
    "/": ["find", () => byId("find").focus()],
    Escape: ["close the row, else clear the selection", () => leaveRow() || clearSelection()],
  });
}
