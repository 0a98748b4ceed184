// Elements are built, never parsed: what comes from data is only ever text, so a script in an item's name stays a name.

/** The element with this id; it is part of the page's HTML. */
export const byId = (id) => document.getElementById(id);

/**
 * An element. `attributes` may hold `class`, `text`, `data` (an object of data attributes), `on` (an object of
 * listeners) and any attribute of HTML; one that is null, undefined or false is left out. `children` are elements,
 * strings, or nothing.
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(made, name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function set(made, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") made.className = value;
  else if (name === "text") made.textContent = value;
  else if (name === "data") Object.assign(made.dataset, value);
  else if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
  else made.setAttribute(name, value === true ? "" : value);
}

/** A button that does `action`; `name` is its stable name for tests. */
export function button(text, name, action, attributes = {}) {
  return el("button", { type: "button", data: { action: name }, on: { click: action }, ...attributes }, text);
}

/** A field with its label: `input` is any control. */
export function field(label, input, hint) {
  return el("label", { class: "field" }, el("span", { text: label }), input, hint && el("small", { text: hint }));
}

/** A drop-down of `options`, pairs of value and text. */
export function select(name, options, chosen, change) {
  const made = el("select", { name, "aria-label": name, on: change && { change: () => change(made.value) } });
  for (const [value, text] of options) made.append(el("option", { value, selected: value === chosen }, text));
  return made;
}

/** A table for reading: `columns` are `{title, value, number?}`, where `value` makes text or an element of a row. */
export function table(caption, columns, rows, attributes = {}) {
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col", class: column.number && "number" }, column.title)));
  const body = rows.map((row) =>
    el("tr", {}, columns.map((column) => el("td", { class: column.number && "number" }, column.value(row) ?? ""))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", attributes, el("caption", { class: "unseen", text: caption }), el("thead", {}, head), el("tbody", {}, body)));
}

/** What stands where there is nothing: a sentence that says why, and what to do about it. */
export function empty(title, text, ...actions) {
  return el("div", { class: "empty", data: { part: "empty" } }, el("h2", { text: title }), el("p", { text }), actions);
}

let announced = 0;
let waiting = null;

/** Says a sentence to a screen reader, at most one every ten seconds: the latest counts. */
export function announce(sentence) {
  clearTimeout(waiting);
  const pause = Math.max(0, announced + 10_000 - Date.now());
  waiting = setTimeout(() => {
    announced = Date.now();
    byId("announcer").textContent = sentence;
  }, pause);
}

/** Shows a sentence for a while, with an action where there is one: `{text, run}`. */
export function toast(sentence, { kind = "info", action = null, seconds = 8 } = {}) {
  const made = el("div", { class: `toast ${kind}`, data: { part: "toast" } }, el("span", { text: sentence }));
  if (action) made.append(button(action.text, "toast", () => { made.remove(); action.run(); }));
  byId("toasts").append(made);
  setTimeout(() => made.remove(), seconds * 1000);
  return made;
}
