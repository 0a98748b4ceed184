// The grid of all stock: AG Grid's infinite row model over the list of the API. The engine filters, sorts and pages; the
// grid holds a few pages, and the rows on the screen are kept up to date in place. Their order stays as it was asked for
// until somebody sorts again, so that nothing moves under a pointer.

import { get } from "../lib/api.js";
import { announce, el } from "../lib/dom.js";
import { quantity } from "../lib/format.js";
import { Live } from "../lib/live.js";
import { fresh } from "../lib/status.js";
import { agGrid, nonce } from "../lib/vendor.js";
import { BY_FIELD } from "./columns.js";
import { change, listQuery, order, shownColumns } from "./view.js";

const PAGE = 100;
const SPARE = 10;
const ROW_HEIGHT = { comfortable: 34, compact: 27 };

export const keyOf = (row) => `${row.sku}\u0000${row.location}`;

/** The grid in `host`. It tells `told({total, moved, error})` whatever the page shows around it. */
export class StockGrid {
  constructor(host, { open, told }) {
    Object.assign(this, { host, open, told, total: null, asked: "" });
  }

  async start() {
    const library = await agGrid();
    this.grid = library.createGrid(this.host, this.options(library));
    this.live = new Live({
      view: "stock",
      ask: ({ query, offset, limit }) => this.page(new URLSearchParams(query), offset, limit),
      show: (frame) => this.patch(frame),
    });
    this.reload();
  }

  options(library) {
    return {
      theme: theme(library),
      styleNonce: nonce(),
      columnDefs: this.definitions(),
      defaultColDef: { sortable: true, resizable: true, suppressHeaderMenuButton: true, comparator: () => 0 },
      rowModelType: "infinite",
      cacheBlockSize: PAGE,
      maxBlocksInCache: 8,
      rowHeight: this.rowHeight(),
      headerHeight: 34,
      animateRows: false,
      suppressMultiSort: false,
      multiSortKey: "ctrl",
      suppressDragLeaveHidesColumns: true,
      onSortChanged: (event) => event.source === "uiColumnSorted" && this.sortByHeader(),
      onViewportChanged: () => this.followVisible(),
      onRowDoubleClicked: (event) => event.data && this.open(event.data),
      onCellKeyDown: (event) => event.event.key === "Enter" && event.data && this.open(event.data),
      onColumnMoved: (event) => event.finished && event.source === "uiColumnMoved" && this.moved(),
    };
  }

  rowHeight() {
    return ROW_HEIGHT[document.documentElement.dataset.density] ?? ROW_HEIGHT.comfortable;
  }

  definitions() {
    const sorted = new Map(order().map(([field, descending], index) => [field, { sort: descending ? "desc" : "asc", sortIndex: index }]));
    return shownColumns().map((field) => {
      const column = BY_FIELD.get(field);
      return {
        field, colId: field, headerName: column.title, headerTooltip: column.what, width: column.width,
        pinned: column.fixed && !matchMedia("(max-width: 48rem)").matches ? "left" : null,
        headerClass: column.kind === "number" ? "ag-right-aligned-header" : "",
        cellClass: (cell) => [column.kind === "number" && "ag-right-aligned-cell", cell.value < 0 && "negative"].filter(Boolean),
        valueFormatter: (cell) => (cell.value === null || cell.value === undefined ? "" : column.show(cell.value, cell.data)),
        tooltipValueGetter: column.width > 200 ? (cell) => cell.value : undefined,
        ...(field === "sku" && { cellRenderer: (cell) => this.link(cell.data) }),
        ...(sorted.get(field) ?? { sort: null, sortIndex: null }),
      };
    });
  }

  link(row) {
    if (!row) return el("span", { class: "faint", text: "…" });
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(row);
    };
    const path = `/row/${encodeURIComponent(row.sku)}/${encodeURIComponent(row.location)}`;
    return el("a", { href: path, tabindex: "-1", data: { row: `${row.sku}@${row.location}` }, on: { click: open } }, row.sku);
  }

  sortByHeader() {
    const sorted = this.grid.getColumnState().filter((column) => column.sort).sort((a, b) => a.sortIndex - b.sortIndex);
    const text = sorted.map((column) => (column.sort === "desc" ? "-" : "") + column.colId).join(",");
    change((query) => (text ? query.set("sort", text) : query.delete("sort")));
  }

  moved() {
    this.told({ columns: this.grid.getAllDisplayedColumns().map((column) => column.getColId()) });
  }

  /** Shows the view as the address has it now; asks anew only where the list itself is another. */
  refresh() {
    this.grid.setGridOption("columnDefs", this.definitions());
    this.grid.setGridOption("rowHeight", this.rowHeight());
    if (listQuery().toString() !== this.asked) this.reload();
  }

  /** Asks for everything anew, in the order that holds now. */
  reload() {
    this.asked = listQuery().toString();
    this.told({ moved: 0, error: null });
    this.grid.setGridOption("datasource", { getRows: (ask) => this.rows(ask) });
    this.grid.ensureIndexVisible(0);
  }

  async rows(ask) {
    const query = listQuery();
    try {
      const page = await this.page(query, ask.startRow, ask.endRow - ask.startRow);
      if (query.toString() !== this.asked) return ask.failCallback();
      this.total = page.total;
      ask.successCallback(page.items, page.total);
      this.told({ total: page.total, error: null });
      if (ask.startRow === 0) announce(`${quantity(page.total)} rows`);
      this.followVisible();
    } catch (error) {
      ask.failCallback();
      this.told({ error });
    }
  }

  async page(query, offset, limit) {
    const page = await get("/v1/positions", new URLSearchParams([...query, ["offset", offset], ["limit", limit]]));
    fresh(page.lag_seconds, this.live?.way);
    return { ...page, offset };
  }

  visible() {
    const first = Math.max(0, this.grid.getFirstDisplayedRowIndex() - SPARE);
    return [first, Math.min(PAGE, this.grid.getLastDisplayedRowIndex() + SPARE - first + 1)];
  }

  followVisible() {
    const [offset, limit] = this.visible();
    if (limit <= 0 || !this.total) return;
    const shown = Array.from({ length: limit }, (_, index) => this.grid.getDisplayedRowAtIndex(offset + index)?.data);
    if (shown.some((row) => !row) && offset + limit < this.total) return;
    const rows = shown.filter(Boolean).map((row) => [row.sku, row.location]);
    // The page says which rows it shows, because the order that it keeps may be older than the connection.
    if (rows.length) this.live?.follow({ table: "positions", query: this.asked, offset, limit, mode: "frozen", rows });
  }

  /** Puts the newest values into the rows that are shown; counts those that now belong elsewhere. */
  patch(frame) {
    const newest = new Map(frame.items.map((row) => [keyOf(row), row]));
    let elsewhere = 0;
    for (let index = frame.offset; index < frame.offset + frame.items.length; index += 1) {
      const node = this.grid.getDisplayedRowAtIndex(index);
      if (!node?.data) continue;
      const row = newest.get(keyOf(node.data));
      if (!row) elsewhere += 1;
      else if (row.version !== node.data.version || row.signal_qty !== node.data.signal_qty || row.open_alerts !== node.data.open_alerts) node.updateData(row);
    }
    this.told({ total: frame.total, moved: frame.moved ?? elsewhere });
  }
}

const theme = (library) => library.themeQuartz.withParams({
  accentColor: "var(--mark)",
  backgroundColor: "var(--panel)",
  foregroundColor: "var(--ink)",
  textColor: "var(--ink)",
  borderColor: "var(--line)",
  browserColorScheme: "inherit",
  headerBackgroundColor: "var(--raised)",
  headerTextColor: "var(--faint)",
  headerFontWeight: 600,
  rowHoverColor: "var(--hover)",
  selectedRowBackgroundColor: "var(--chosen)",
  fontFamily: "inherit",
  fontSize: 13,
  spacing: 6,
  wrapperBorderRadius: 6,
  columnBorder: false,
});
