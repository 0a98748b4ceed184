// Figures: how planning, suppliers and records do, by location, supplier and day.

import { get } from "../lib/api.js";
import { button, byId, el, empty, select, table } from "../lib/dom.js";
import { briefDate, date, moment } from "../lib/format.js";
import { colour, onTheme } from "../lib/theme.js";
import { uPlot } from "../lib/vendor.js";
import { base, BY_NAME, FIGURES, shown, valueOf } from "../kpis/figures.js";

const PERIODS = [["7", "The last 7 days"], ["28", "The last 28 days"], ["35", "The last 35 days"], ["", "Since the log began"]];
const DEFAULT = "28";
const CHART_HEIGHT = 200;
const OF_LOCATIONS = ["acceptance", "answer-time", "signal-order", "automation", "accuracy", "alert-age", "drift", "damaged"];
const OF_SUPPLIERS = ["acknowledgement", "receipt-cycle", "fill-rate", "notices", "notices-in-time", "short", "over", "damaged"];

/** Fills the page. */
export async function start(main) {
  main.append(el("div", { class: "head" }, el("h1", { text: "Figures" }), el("span", { class: "faint", id: "as-of" }), el("span", { class: "spring" }), period()),
    el("div", { class: "stack live", id: "figures" }));
  addEventListener("popstate", () => {
    main.querySelector('select[name="days"]').value = days();
    read();
  });
  await read();
}

const days = () => new URLSearchParams(location.search).get("days") ?? DEFAULT;

function period() {
  return select("days", PERIODS, days(), (value) => {
    history.pushState(null, "", `?days=${value}`);
    read();
  });
}

async function read() {
  const host = byId("figures");
  try {
    const { business } = await get("/v1/kpis", { days: days() });
    // Before the first event the engine's clock stands at its beginning.
    byId("as-of").textContent = Date.parse(business.as_of) ? `as of ${moment(business.as_of)}` : "no event has been told yet";
    host.replaceChildren(overall(business), await course(business),
      places("By supplier", "supplier", OF_SUPPLIERS, business.by_supplier), places("By location", "location", OF_LOCATIONS, business.by_location));
  } catch (error) {
    host.replaceChildren(empty("The figures could not be read", error.message, button("Try again", "retry", read)));
  }
}

function overall({ all }) {
  const parts = FIGURES.map((each) => el("div", { data: { figure: each.name }, title: each.what },
    el("dt", { text: each.title }), el("dd", { text: shown(all, each) }), el("dd", { class: "base", text: base(all, each) || each.what })));
  return el("section", { class: "panel", "aria-label": "All" }, el("dl", { class: "figures tiles body" }, parts));
}

function places(title, name, figures, items) {
  const columns = [{ title: name === "supplier" ? "Supplier" : "Location", value: (item) => item[name] ?? "without one" },
    ...figures.map((key) => {
      const each = BY_NAME.get(key);
      return { title: each.title, number: true, value: (item) => el("span", { title: `${each.what}, ${base(item, each)}`, text: shown(item, each) }) };
    })];
  const rows = [...items].sort((a, b) => String(a[name] ?? "\uffff").localeCompare(String(b[name] ?? "\uffff")));
  return el("section", { class: "panel", data: { part: `by-${name}` } }, el("header", {}, el("h2", { text: title })),
    el("div", { class: "body" }, rows.length ? table(title, columns, rows) : el("p", { class: "faint", text: "Nothing was counted in this time." })));
}

async function course({ by_day: all }) {
  if (!all?.length) return "";
  const choices = FIGURES.filter((each) => !["alert-age", "drift"].includes(each.name));
  const host = el("div", { class: "chart", role: "img", "aria-label": "The figure by day" });
  const twin = el("details", {}, el("summary", { text: "As a table" }));
  const Plot = await uPlot();
  const choose = (name) => draw(Plot, host, twin, all, BY_NAME.get(name));
  const panel = el("section", { class: "panel", data: { part: "course" } }, el("header", {}, el("h2", { text: "By day" }), select("figure", choices.map((each) => [each.name, each.title]), choices[0].name, choose)),
    el("div", { class: "body stack" }, host, twin));
  requestAnimationFrame(() => choose(choices[0].name));
  new ResizeObserver(() => { if (host.clientWidth) plot?.setSize({ width: host.clientWidth, height: CHART_HEIGHT }); }).observe(host);
  return panel;
}

// Whole days: the same day is not written twice under the chart.
const DAYS = [1, 2, 7, 14, 28, 91].map((days) => days * 86_400);
let plot = null;
let repaint = () => {};
onTheme(() => repaint());

function draw(Plot, host, twin, items, each) {
  repaint = () => {
    plot?.destroy();
    const stamps = items.map((item) => Date.parse(`${item.day}T00:00:00Z`) / 1000);
    plot = new Plot(options(Plot, host, each), [stamps, items.map((item) => valueOf(item, each))], host);
  };
  repaint();
  twin.replaceChildren(el("summary", { text: "As a table" }), table(`${each.title} by day`, [
    { title: "Day", value: (item) => date(item.day) },
    { title: each.title, number: true, value: (item) => shown(item, each) },
    { title: "Made of", value: (item) => base(item, each) },
  ], items));
}

function options(Plot, host, each) {
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "12px system-ui" };
  const mark = colour("--mark");
  return {
    width: host.clientWidth || 600, height: CHART_HEIGHT, cursor: { y: false },
    tzDate: (stamp) => Plot.tzDate(new Date(stamp * 1000), "UTC"),
    axes: [{ ...axis, incrs: DAYS, values: (_, stamps) => stamps.map((stamp) => briefDate(new Date(stamp * 1000).toISOString())) }, { ...axis, size: 70, values: (_, numbers) => numbers.map(each.show) }],
    series: [
      { label: "Day", value: (_, stamp) => (stamp ? date(new Date(stamp * 1000).toISOString()) : "–") },
      { label: each.title, stroke: mark, width: 2, points: { size: 6, fill: mark }, spanGaps: true, value: (_, number) => each.show(number) },
    ],
  };
}
