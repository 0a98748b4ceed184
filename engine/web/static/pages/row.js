// One row on a page of its own, at /row/SKU/LOCATION.

import { el } from "../lib/dom.js";
import { rowDetail } from "../row/detail.js";

/** Fills the page. */
export async function start(main) {
  const [, , sku, place] = location.pathname.split("/").map(decodeURIComponent);
  document.title = `${sku} at ${place} · Stockline`;
  const body = el("div", { class: "stack" });
  main.append(el("div", { class: "narrow" }, el("div", { class: "head" }, el("h1", { text: `${sku} · ${place}` }),
    el("a", { href: `/stock?q=${encodeURIComponent(sku)}` }, "All rows of this item")), body));
  await rowDetail(body, sku, place);
}
