// The keyboard: one map of keys to actions, which the help dialog lists. A key typed into a field is text, not a key.

import { el } from "./dom.js";
import { dialog } from "./dialog.js";

const bound = new Map();

/** Binds keys: `{"j": ["next item", run], ...}`. A later binding of the same key replaces the former. */
export function bind(map) {
  for (const [key, [what, run]] of Object.entries(map)) bound.set(key, { what, run });
}

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const NAMES = { " ": "Space", ArrowDown: "↓", ArrowUp: "↑" };

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open].modal")) return;
  const action = bound.get(event.key);
  if (!action) return;
  // Enter and Space on a control are that control's own.
  if ((event.key === "Enter" || event.key === " ") && event.target.closest?.("a, button, summary, [role=gridcell]")) return;
  event.preventDefault();
  action.run(event);
}

/** Listens to the keyboard; `?` shows what the keys of this page do. */
export function listen() {
  document.addEventListener("keydown", press);
  bind({ "?": ["this help", help] });
}

/** Shows what every key does here. */
export function help() {
  const rows = [...bound].map(([key, { what }]) => el("div", {}, el("dt", {}, el("kbd", {}, NAMES[key] ?? key)), el("dd", { text: what })));
  dialog("Keyboard", el("dl", { class: "keys", data: { part: "keys" } }, rows), { name: "keys" });
}
