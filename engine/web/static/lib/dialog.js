// Dialogs are the browser's own <dialog>: focus stays within, Escape closes, and focus returns to where it was.

import { button, el } from "./dom.js";

/**
 * Shows `content` in a dialog; returns the element, which is removed once it is closed. One that is `lasting` is not
 * closed by a click beside it.
 */
export function dialog(title, content, { name, wide = false, lasting = false } = {}) {
  const made = el("dialog", { class: wide ? "modal wide" : "modal", "aria-label": title, data: { dialog: name ?? "" } },
    el("header", {}, el("h2", { text: title }), button("✕", "close", () => made.close(), { class: "quiet", "aria-label": "Close" })),
    content);
  made.addEventListener("close", () => made.remove());
  made.addEventListener("click", (event) => { if (event.target === made && !lasting) made.close(); });
  document.body.append(made);
  made.showModal();
  return made;
}

/**
 * Asks a question with fields: resolves to an object of the fields' values by name, or to null where it was left.
 * A field that is `required` must be filled before the form can be sent.
 */
export function ask(title, fields, { name, submit = "Save", text = null, wide = false } = {}) {
  return new Promise((resolve) => {
    let answer = null;
    const form = el("form", { method: "dialog", on: { submit: () => { answer = Object.fromEntries(new FormData(form)); } } },
      text && el("p", { class: "faint", text }), fields,
      el("footer", {},
        button("Cancel", "cancel", () => shown.close(), { class: "quiet" }),
        el("button", { type: "submit", class: "primary", data: { action: "submit" } }, submit)));
    const shown = dialog(title, form, { name, wide });
    shown.addEventListener("close", () => resolve(answer));
    form.querySelector("input, select, textarea")?.focus();
  });
}
