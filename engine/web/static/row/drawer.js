// A row in a drawer beside the list it was opened from; the address names it, so that it can be sent and gone back to.

import { button, el } from "../lib/dom.js";
import { rowDetail } from "./detail.js";

let open = null;

/** The row in the drawer, as [sku, location]; null where it is closed. */
export const shownRow = () => open?.row ?? null;

/**
 * Opens the drawer of a row; focus moves into it, and back to where it was once it is closed. `closed` is called when
 * somebody closes it.
 */
export async function openRow(sku, location_, closed = () => {}) {
  const before = open?.before ?? document.activeElement;
  open?.element.remove();
  const body = el("div", { class: "stack" });
  const path = `/row/${encodeURIComponent(sku)}/${encodeURIComponent(location_)}`;
  const title = el("div", { class: "title" }, el("h2", { text: `${sku} · ${location_}`, tabindex: "-1" }), el("span", { class: "spring" }),
    el("a", { class: "button quiet", href: path, data: { action: "own-page" } }, "Own page"),
    button("✕", "close-row", leaveRow, { class: "quiet", "aria-label": "Close the row (Escape)" }));
  const element = el("div", { class: "drawer", role: "dialog", "aria-label": `Row ${sku} at ${location_}`, data: { part: "row", row: `${sku}@${location_}` } }, title, body);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    leaveRow();
  });
  document.body.append(element);
  open = { element, before, row: [sku, location_], closed };
  title.querySelector("h2").focus();
  await rowDetail(body, sku, location_);
}

/** Closes the drawer as somebody who has seen enough; false where none is open. */
export function leaveRow() {
  if (!open) return false;
  const { closed } = open;
  closeRow();
  closed();
  return true;
}

/** Closes the drawer. */
export function closeRow() {
  if (!open) return;
  const { element, before } = open;
  open = null;
  element.remove();
  before?.focus?.();
}
