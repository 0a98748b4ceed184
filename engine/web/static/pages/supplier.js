// The supplier's page: its open order lines, what it promises and ships of them, and the forecast shared with it.

import { get, post, query, upload } from "../lib/api.js";
import { announce, button, byId, el, empty, select, toast } from "../lib/dom.js";
import { count, quantity } from "../lib/format.js";
import { bind } from "../lib/keys.js";
import { ownSupplier } from "../lib/me.js";
import { fresh } from "../lib/status.js";
import { forecastPanel } from "../supplier/forecast.js";
import { byOrder, isToShip, isUnanswered, nameOf, orderPanel } from "../supplier/lines.js";
import { schedule, shipment, showOutcomes } from "../supplier/questions.js";

const PAGE = 1000;
const MOST = 3000;
const UNCONFIRMED = "unconfirmed";
const REFRESH_MS = 15_000;
let reads = 0;
const page = { lines: [], total: 0, selected: new Set(), current: null, drafts: new Map(), select: chooseOne, selectAll: selectLines, confirm, change, ship };

const address = () => new URLSearchParams(location.search);
const supplier = () => ownSupplier() ?? address().get("supplier") ?? "";
const path = (name) => `/v1/supplier/${name}${query({ supplier: ownSupplier() ? null : supplier() })}`;

/** Fills the page. */
export async function start(main) {
  main.append(el("div", { class: "head" }, el("h1", { text: "Order lines" }), el("span", { id: "summary" }), el("span", { class: "spring" }), await choice()),
    bar(), el("div", { class: "stack", id: "orders" }), el("div", { class: "bar selection", id: "selection", role: "toolbar", "aria-label": "Chosen lines", hidden: true }), el("div", { id: "shared" }));
  bindKeys();
  addEventListener("popstate", () => location.reload());
  await anew();
  setInterval(() => { if (!document.hidden && !document.querySelector("dialog[open]") && supplier()) read(true); }, REFRESH_MS);
}

async function anew() {
  page.selected.clear();
  page.current = null;
  byId("shared").replaceChildren(supplier() ? forecastPanel(ownSupplier() ? null : supplier()) : "");
  await read();
}

async function choice() {
  if (ownSupplier()) return el("strong", { text: ownSupplier() });
  const { items } = await get("/v1/aggregates", { table: "order-lines", by: "supplier", status: "open", limit: 1000 });
  const options = items.map((item) => [item.group.supplier, `${item.group.supplier} (${count(item.count, "line")})`]).filter(([name]) => name);
  if (supplier() && !options.some(([name]) => name === supplier())) options.unshift([supplier(), supplier()]);
  return select("supplier", [["", "Choose a supplier"], ...options], supplier(), (name) => go({ supplier: name }));
}

function go(changes) {
  const next = address();
  for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
  history.pushState(null, "", next.size ? `?${next}` : location.pathname);
  anew();
}

function bar() {
  const file = el("input", { type: "file", accept: ".csv,text/csv", class: "unseen", tabindex: "-1", id: "file", "aria-label": "A filled-in file", on: { change: () => send(file) } });
  const statuses = [["", "Open lines"], [UNCONFIRMED, "Not confirmed"], ["closed", "Closed lines"]];
  return el("div", { class: "bar", role: "search" },
    el("input", { type: "search", id: "search", value: address().get("q") ?? "", placeholder: "Order, item", "aria-label": "Search orders and items", on: { change: (event) => go({ q: event.target.value.trim() }) } }),
    select("status", statuses, address().get("status") ?? "", (status) => go({ status })), el("span", { class: "spring" }),
    button("Download CSV", "download", () => location.assign(`/v1/supplier/lines${query({ ...parameters(), format: "csv" })}`)),
    button("Upload CSV…", "upload", () => file.click()), file);
}

function parameters() {
  const status = address().get("status");
  return { supplier: ownSupplier() ? null : supplier(), q: address().get("q"), status: status === UNCONFIRMED ? null : status, sort: "order,line" };
}

/** The lines that are shown: all that were read, or those of which the supplier has said nothing yet. */
const visible = () => (address().get("status") === UNCONFIRMED ? page.lines.filter(isUnanswered) : page.lines);

/**
 * Reads the lines; a refresh that fails leaves those that are shown, and the strip at the top says how old they are. An
 * answer that comes after the lines were asked for again is of another search, or from before what was said since.
 */
async function read(isRefresh = false) {
  reads += 1;
  const [host, mine] = [byId("orders"), reads];
  if (!supplier()) return host.replaceChildren(empty("Which supplier?", "Choose one above: you then see what it sees, and what you enter is entered for it."));
  try {
    const lines = [];
    let told = { next: null };
    do {
      told = await get("/v1/supplier/lines", { ...parameters(), limit: PAGE, cursor: told.next });
      if (mine !== reads) return;
      lines.push(...told.items);
    } while (told.next && lines.length < MOST);
    Object.assign(page, { lines, total: told.total });
    fresh(told.lag_seconds);
    show();
  } catch (error) {
    if (!isRefresh && mine === reads) host.replaceChildren(empty("The lines could not be read", error.message, button("Try again", "retry", () => read())));
  }
}

function show() {
  const waiting = page.lines.filter(isUnanswered).length;
  byId("summary").textContent = `${count(page.total, "line")}, ${quantity(waiting)} not confirmed${page.total > page.lines.length ? `; the first ${quantity(page.lines.length)} are shown, search for others` : ""}`;
  const focused = document.activeElement?.closest?.("[data-line]")?.dataset.line;
  byId("orders").replaceChildren(...(visible().length ? byOrder(visible()).map((order) => orderPanel(order, page))
    : [empty("No lines", address().get("q") ? "No line matches what you search for." : "There is nothing to do here at present.")]));
  if (page.current) mark(page.current, focused !== undefined);
  showSelection();
}

function put(line, on) {
  if (on && !line.closed) page.selected.add(nameOf(line));
  else page.selected.delete(nameOf(line));
}

function chooseOne(name) {
  page.lines.filter((line) => nameOf(line) === name).forEach((line) => put(line, !page.selected.has(name)));
  page.current = name;
  show();
}

function selectLines(lines) {
  const on = !lines.every((line) => line.closed || page.selected.has(nameOf(line)));
  lines.forEach((line) => put(line, on));
  show();
}

function showSelection() {
  const lines = page.lines.filter((line) => page.selected.has(nameOf(line)));
  byId("selection").hidden = lines.length === 0;
  byId("selection").replaceChildren(el("strong", { text: `${count(lines.length, "line")} chosen` }),
    button("Confirm", "confirm-chosen", () => confirm(lines), { class: "primary" }), button("Ship…", "ship-chosen", () => ship(lines.filter(isToShip)), { disabled: !lines.some(isToShip) }),
    button("Clear", "clear", () => { page.selected.clear(); show(); }, { class: "quiet" }));
}

function confirm(lines) {
  return acknowledge(lines.map((line) => ({ line, parts: [{ status: "accepted", qty: line.ordered, due: line.due ?? undefined }] })));
}

/** Asks for a line's whole promise and sends it; what could not be sent stands in the dialog when it is opened again. */
async function change(line) {
  const parts = await schedule(line, page.drafts.get(nameOf(line)));
  if (!parts) return;
  page.drafts.set(nameOf(line), parts);
  if (await acknowledge([{ line, parts }])) page.drafts.delete(nameOf(line));
}

const acknowledge = (said) => tell(() => post(path("acknowledgements"), { lines: said.map(({ line, parts }) => ({ order: line.order, line: line.line, schedule: parts })) }));

async function ship(lines) {
  const name = `ship ${lines.map(nameOf).join("\n")}`;
  const body = await shipment(lines, page.drafts.get(name));
  if (!body) return;
  if (!body.lines.length) return toast("Nothing is in the shipment, so it was not announced.", { kind: "error" });
  page.drafts.set(name, body);
  if (await tell(() => post(path("shipments"), body))) page.drafts.delete(name);
}

async function send(file) {
  const text = await file.files[0]?.text();
  file.value = "";
  if (text !== undefined) await tell(() => upload(path("upload"), text, "text/csv"), true);
}

/**
 * Sends something and says what became of it: by line where anything was refused, or where `always`. Resolves to
 * whether all of it was taken.
 */
async function tell(sending, always = false) {
  try {
    const outcomes = await sending();
    page.selected.clear();
    await read();
    const sentence = `${count(outcomes.accepted, "line was taken", "lines were taken")}.`;
    if (outcomes.refused || always) showOutcomes(outcomes);
    else toast(sentence);
    announce(sentence);
    return !outcomes.refused;
  } catch (error) {
    toast(error.message, { kind: "error" });
    return false;
  }
}

function mark(name, focus = true) {
  for (const each of document.querySelectorAll("#orders [data-line]")) each.classList.toggle("current", each.dataset.line === name);
  page.current = name;
  const line = document.querySelector("#orders .line.current");
  if (line && focus) line.focus();
}

function move(by) {
  const names = [...document.querySelectorAll("#orders [data-line]")].map((each) => each.dataset.line);
  const place = names.indexOf(page.current);
  if (names.length) mark(names[Math.max(0, Math.min(names.length - 1, place + by))]);
}

function bindKeys() {
  const current = (run) => () => {
    const line = page.lines.find((each) => nameOf(each) === page.current);
    if (line && !line.closed) run(line);
  };
  bind({
    j: ["next line", () => move(1)], ArrowDown: ["next line", () => move(1)], k: ["previous line", () => move(-1)], ArrowUp: ["previous line", () => move(-1)],
    x: ["choose the line", current((line) => chooseOne(nameOf(line)))], c: ["confirm the line", current((line) => confirm([line]))],
    e: ["change what you say of the line", current(change)], s: ["announce a shipment of the line", current((line) => isToShip(line) && ship([line]))],
    o: ["confirm all of the order", current((line) => confirm(page.lines.filter((each) => each.order === line.order && isUnanswered(each))))],
    "/": ["search", () => byId("search").focus()], u: ["upload a file", () => byId("file").click()],
  });
}
