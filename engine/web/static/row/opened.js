// The row that is open beside a list stands in the address, as `open` and `at`: so Back closes it and a link opens it.

import { closeRow, openRow, shownRow } from "./drawer.js";

let left = () => {};

/** Opens what the address names, now and whenever it changes; `closed` is called when somebody closes the row. */
export function followOpened(closed = () => {}) {
  left = closed;
  addEventListener("popstate", follow);
  follow();
}

/** Opens a row beside the list, or none where `row` is null; otherwise it is [sku, location]. */
export function open(row) {
  const query = new URLSearchParams(location.search);
  query.delete("open");
  query.delete("at");
  if (row) {
    query.set("open", row[0]);
    query.set("at", row[1]);
  }
  history.pushState(null, "", query.size ? `?${query}` : location.pathname);
  follow();
}

function follow() {
  const query = new URLSearchParams(location.search);
  if (!query.has("open")) return closeRow();
  const row = [query.get("open"), query.get("at") ?? ""];
  if (shownRow()?.join("\u0000") !== row.join("\u0000")) openRow(...row, () => { open(null); left(); });
}
