// A view is what the address says: the list's own parameters (filters, search, order), and with them the columns and the
// row that is open. So a view is saved, sent or gone back to as its address.

import { keep, recall } from "../lib/store.js";
import { BY_FIELD, usual } from "./columns.js";

const OWN = new Set(["columns", "open", "at"]);
const listeners = new Set();

/** Calls `listener` after every change of the view. */
export function onView(listener) {
  listeners.add(listener);
}

const parameters = () => new URLSearchParams(location.search);

/** The parameters of the list, which are the same in this address and in that of the API. */
export function listQuery() {
  const query = parameters();
  for (const name of OWN) query.delete(name);
  return query;
}

/** The fields of the columns that are shown, in their order. */
export function shownColumns() {
  const inAddress = parameters().get("columns")?.split(",");
  const chosen = (inAddress ?? recall("stock.columns") ?? usual()).filter((field) => BY_FIELD.has(field));
  return chosen.length ? chosen : usual();
}

/** Changes the view by a function of its parameters; `replace` leaves no step to go back to. */
export function change(edit, { replace = false } = {}) {
  const query = parameters();
  edit(query);
  const text = query.toString();
  if (text === parameters().toString()) return;
  history[replace ? "replaceState" : "pushState"](null, "", text ? `?${text}` : location.pathname);
  tell();
}

const tell = () => listeners.forEach((listener) => listener());
addEventListener("popstate", tell);

/** Shows these columns, and keeps them for the next visit. */
export function chooseColumns(fields) {
  keep("stock.columns", fields);
  change((query) => query.delete("columns"), { replace: true });
  tell();
}

/** The order as pairs of field and whether it descends. */
export const order = () =>
  (parameters().get("sort") ?? "").split(",").filter(Boolean)
    .map((name) => (name.startsWith("-") ? [name.slice(1), true] : [name, false]));

/** The filters as `{parameter, field, relation, value}`; the relation is `is`, `min` or `max`. */
export function filters() {
  return [...listQuery()].filter(([name]) => name !== "sort" && name !== "q").map(([parameter, value]) => {
    const [, field, bound] = /^(.*?)(?:\.(min|max))?$/.exec(parameter);
    return { parameter, field, relation: bound ?? "is", value };
  });
}

/** Leaves out one value of one filter. */
export const without = (parameter, value) => change((query) => query.delete(parameter, value));

/** Adds one value of one filter; a bound replaces the former. */
export const withFilter = (parameter, value) => change((query) => {
  if (/\.(min|max)$/.test(parameter)) query.set(parameter, value);
  else if (!query.has(parameter, value)) query.append(parameter, value);
});

/** Shows the list of these parameters, and nothing of the former. */
export const showOnly = (text) => change((query) => {
  for (const name of [...query.keys()]) if (!OWN.has(name)) query.delete(name);
  for (const [name, value] of new URLSearchParams(text)) query.append(name, value);
});

/** The saved views, by name: each is the text of an address's parameters. */
export const savedViews = () => recall("stock.views", {});

/** Keeps the present view, with its columns, under a name; null as text forgets it. */
export function saveView(name, text = undefined) {
  const views = savedViews();
  const query = listQuery();
  query.set("columns", shownColumns().join(","));
  if (text === null) delete views[name];
  else views[name] = query.toString();
  keep("stock.views", views);
}
