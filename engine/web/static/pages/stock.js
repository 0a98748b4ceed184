// Stock: every row, filtered, sorted and searched by the engine, and kept up to date while it is looked at.

import { button, byId, el, empty, select, toast } from "../lib/dom.js";
import { ask, dialog } from "../lib/dialog.js";
import { field } from "../lib/dom.js";
import { bind } from "../lib/keys.js";
import { count, quantity } from "../lib/format.js";
import { chooseDensity } from "../lib/theme.js";
import { leaveRow } from "../row/drawer.js";
import { followOpened, open } from "../row/opened.js";
import { BY_FIELD, COLUMNS, PRESETS, usual } from "../stock/columns.js";
import { StockGrid } from "../stock/grid.js";
import * as view from "../stock/view.js";

const RELATIONS = [["is", "is"], ["min", "at least"], ["max", "at most"]];
let grid;

/** Fills the page. */
export async function start(main) {
  main.classList.add("fill");
  main.append(head(), bar(), el("div", { class: "chips bar", id: "chips", data: { part: "filters" } }),
    el("div", { class: "grid live", id: "grid", role: "region", "aria-label": "All stock" }), el("div", { id: "instead", hidden: true }));
  grid = new StockGrid(byId("grid"), { open: (row) => open([row.sku, row.location]), told: tell });
  await grid.start();
  view.onView(refresh);
  refresh();
  followOpened();
  bind({
    "/": ["search", () => byId("search").focus()],
    r: ["sort again: rows that moved go to their places", () => grid.reload()],
    p: ["pause and go on", () => byId("pause").click()],
    c: ["choose columns", chooseColumns],
    f: ["add a filter", addFilter],
    Enter: ["open the row", () => {}],
    Escape: ["close the row", leaveRow],
  });
}

function head() {
  return el("div", { class: "head" }, el("h1", { text: "Stock" }), el("span", { class: "faint", id: "total", data: { part: "total" } }),
    el("span", { class: "faint", id: "order", data: { part: "order" } }),
    button("", "sort-again", () => grid.reload(), { id: "moved", class: "chip", hidden: true, title: "Sort again (r)" }));
}

function bar() {
  const search = el("input", {
    type: "search", id: "search", name: "q", placeholder: "Search sku, item, location, supplier", "aria-label": "Search", size: 36,
    value: view.listQuery().get("q") ?? "", on: { input: later(() => view.change((query) => {
      if (search.value) query.set("q", search.value);
      else query.delete("q");
    }, { replace: true })) },
  });
  const pause = button("Pause", "pause", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", paused);
    grid.live.pause(paused);
  }, { id: "pause", "aria-pressed": "false", title: "Pause (p)" });
  return el("div", { class: "bar", role: "search" }, search, button("Filter…", "filter", addFilter, { title: "Add a filter (f)" }), views(),
    el("span", { class: "spring" }), button("Columns…", "columns", chooseColumns, { title: "Choose columns (c)" }),
    button("Density", "density", () => { chooseDensity(); grid.refresh(); }, { title: "Rows narrow or wide" }), pause,
    el("a", { class: "button", id: "csv", data: { action: "csv" }, download: "stock.csv" }, "CSV"));
}

function later(run) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(run, 200); };
}

function views() {
  const options = [["", "Views"], ...PRESETS.map((preset) => [preset.query, preset.title]),
    ...Object.entries(view.savedViews()).map(([name, text]) => [text, `★ ${name}`]), ["+", "Save this view…"], ["-", "Forget a view…"]];
  const made = select("views", options, "", async (chosen) => {
    made.value = "";
    if (chosen === "+") await save();
    else if (chosen === "-") await forget();
    else if (chosen) go(chosen);
    made.replaceWith(views());
  });
  made.dataset.part = "views";
  return made;
}

function go(text) {
  const query = new URLSearchParams(text);
  const columns = query.get("columns");
  query.delete("columns");
  view.showOnly(query.toString());
  view.change((all) => (columns ? all.set("columns", columns) : all.delete("columns")), { replace: true });
}

async function save() {
  const told = await ask("Save this view", field("Name", el("input", { name: "name", required: true, maxlength: 40 })), {
    name: "save-view", text: "Filters, order and columns are kept in this browser. The address of the page is the view too: send it to show it.",
  });
  if (!told) return;
  view.saveView(told.name);
  toast(`The view ${told.name} is saved.`);
}

async function forget() {
  const names = Object.keys(view.savedViews());
  if (!names.length) return toast("No view is saved.");
  const told = await ask("Forget a view", field("View", select("name", names.map((name) => [name, name]))), { name: "forget-view", submit: "Forget" });
  if (told) view.saveView(told.name, null);
}

async function addFilter() {
  const what = select("field", COLUMNS.map((column) => [column.field, column.title]), "location");
  const fields = el("div", { class: "bar" }, what, select("relation", RELATIONS, "is"), el("input", { name: "value", required: true, "aria-label": "Value" }));
  const told = await ask("Add a filter", fields, { name: "filter", submit: "Add", text: "Dates are written as 2026-03-02. Texts are compared whole; the search finds parts." });
  if (!told) return;
  view.withFilter(told.relation === "is" ? told.field : `${told.field}.${told.relation}`, told.value.trim());
}

function chooseColumns() {
  const shown = view.shownColumns();
  const rest = COLUMNS.map((column) => column.field).filter((name) => !shown.includes(name));
  const boxes = [...shown, ...rest].map((name) => {
    const column = BY_FIELD.get(name);
    const box = el("input", { type: "checkbox", name, checked: shown.includes(name), disabled: column.fixed });
    return el("label", { class: "choice" }, box, el("span", { text: column.title }), el("small", { text: column.what }));
  });
  const form = el("form", { method: "dialog" }, el("div", { class: "choices" }, boxes), el("footer", {},
    button("As at first", "usual-columns", () => { view.chooseColumns(usual()); shownDialog.close(); }),
    el("button", { class: "primary", type: "submit", data: { action: "submit" } }, "Show these")));
  form.addEventListener("submit", () => view.chooseColumns([...form.elements].filter((box) => box.checked).map((box) => box.name)));
  const shownDialog = dialog("Columns", form, { name: "columns" });
}

function refresh() {
  const chips = view.filters().map(({ parameter, field: name, relation, value }) => {
    const text = `${BY_FIELD.get(name)?.title ?? name} ${relation === "is" ? "is" : relation === "min" ? "≥" : "≤"} ${value}`;
    return el("span", { class: "chip", data: { filter: parameter } }, text,
      button("✕", "remove-filter", () => view.without(parameter, value), { class: "quiet small", "aria-label": `Remove the filter ${text}` }));
  });
  byId("chips").replaceChildren(...chips, chips.length > 1 ? button("Remove all", "clear", clear, { class: "quiet" }) : "");
  byId("chips").hidden = !chips.length;
  if (document.activeElement !== byId("search")) byId("search").value = view.listQuery().get("q") ?? "";
  const sorted = view.order().map(([name, descending]) => `${BY_FIELD.get(name)?.title ?? name} ${descending ? "↓" : "↑"}`);
  byId("order").textContent = sorted.length ? `sorted by ${sorted.join(", ")}` : "sorted by SKU ↑";
  const csv = view.listQuery();
  csv.set("columns", view.shownColumns().join(","));
  csv.set("format", "csv");
  byId("csv").href = `/v1/positions?${csv}`;
  grid.refresh();
}

const clear = () => view.showOnly("");

function tell({ total, moved, error, columns }) {
  if (columns) return view.chooseColumns(columns);
  if (total !== undefined) byId("total").textContent = count(total, "row");
  if (moved !== undefined) {
    byId("moved").hidden = !moved;
    byId("moved").textContent = `${quantity(moved)} ${moved === 1 ? "row has" : "rows have"} moved · sort again (r)`;
  }
  if (total !== undefined || error !== undefined) instead(error, total);
}

function instead(error, total) {
  const nothing = error ? problem(error) : total === 0 ? noRows() : null;
  byId("grid").hidden = nothing !== null;
  byId("instead").hidden = nothing === null;
  byId("instead").replaceChildren(...(nothing ? [nothing] : []));
}

function problem(error) {
  return empty("The list could not be read", error.message, button("Try again", "retry", () => grid.reload()),
    error.status === 400 && button("Remove all filters", "clear", clear));
}

function noRows() {
  if (!view.listQuery().size) return empty("No stock yet", "No event has told of any item at any location. Rows appear here with the first.");
  return empty("No row matches", "There is stock, but nothing that all of these filters and the search let through.", button("Remove all filters", "clear", clear));
}
