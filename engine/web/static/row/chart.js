// The projected stock of a row as a chart, with a table that says the same to whoever cannot see it.

import { el, table } from "../lib/dom.js";
import { briefDate, date, quantity } from "../lib/format.js";
import { colour, onTheme } from "../lib/theme.js";
import { uPlot } from "../lib/vendor.js";

const HEIGHT = 230;
const seconds = (text) => Date.parse(`${text}T00:00:00Z`) / 1000;

/** A panel with the projection of the next days. */
export async function projection(row) {
  const days = row.projection;
  if (!days.length) return null;
  const host = el("div", { class: "chart", role: "img", "aria-label": sentence(row), data: { part: "chart" } });
  const panel = el("section", { class: "panel", "aria-label": "Projection" },
    el("header", {}, el("h2", { text: `Projected stock, ${days.length} days` }), el("span", { class: "faint", text: sentence(row) })),
    el("div", { class: "body stack" }, host, twin(days)));
  const Plot = await uPlot();
  requestAnimationFrame(() => draw(Plot, host, row));
  return panel;
}

function sentence(row) {
  const below = row.projection.find((day) => day.projected < 0);
  if (below) return `Falls below zero on ${date(below.date)} (${quantity(below.projected)}).`;
  const lowest = row.projection.reduce((least, day) => (day.projected < least.projected ? day : least));
  return `Stays at ${quantity(lowest.projected)} or more (lowest on ${date(lowest.date)}).`;
}

function twin(days) {
  const eventful = days.filter((day, index) => index === 0 || day.supply || day.demand || day.projected !== days[index - 1].projected);
  return el("details", {}, el("summary", { text: "As a table" }), table("Projection by day; days on which nothing changes are left out", [
    { title: "Day", value: (day) => date(day.date) },
    { title: "Supply", number: true, value: (day) => quantity(day.supply) },
    { title: "Demand", number: true, value: (day) => quantity(day.demand) },
    { title: "Projected", number: true, value: (day) => el("span", { class: day.projected < 0 && "negative", text: quantity(day.projected) }) },
    { title: "Available to promise", number: true, value: (day) => quantity(day.atp) },
  ], eventful));
}

function draw(Plot, host, row) {
  let plot;
  const paint = () => {
    plot?.destroy();
    plot = new Plot(options(Plot, host, row), data(row), host);
  };
  paint();
  onTheme(() => { if (host.isConnected) paint(); });
  new ResizeObserver(() => { if (host.clientWidth) plot.setSize({ width: host.clientWidth, height: HEIGHT }); }).observe(host);
}

function data(row) {
  const days = row.projection;
  const level = (value) => days.map(() => value ?? null);
  return [days.map((day) => seconds(day.date)), days.map((day) => day.supply || null), days.map((day) => day.demand || null),
    days.map((day) => day.projected), days.map((day) => day.atp), level(row.reorder?.s), level(row.reorder?.S)];
}

function options(Plot, host, row) {
  const [ink, faint, line, mark, info, warning] = ["--ink", "--faint", "--line", "--mark", "--info", "--warning"].map(colour);
  const stepped = Plot.paths.stepped({ align: 1 });
  const bars = Plot.paths.bars({ size: [0.6, 12] });
  const axis = { stroke: faint, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font: "12px system-ui" };
  const value = (_, number) => quantity(number);
  return {
    width: host.clientWidth || 600, height: HEIGHT, cursor: { y: false },
    scales: { x: { time: true } },
    tzDate: (stamp) => Plot.tzDate(new Date(stamp * 1000), "UTC"),
    axes: [{ ...axis, values: (_, stamps) => stamps.map((stamp) => briefDate(new Date(stamp * 1000).toISOString())) }, { ...axis, size: 60, values: (_, numbers) => numbers.map(quantity) }],
    series: [
      { label: "Day", value: (_, stamp) => (stamp ? date(new Date(stamp * 1000).toISOString()) : "–") },
      { label: "Supply", stroke: mark, fill: mark, paths: bars, points: { show: false }, value },
      { label: "Demand", stroke: warning, fill: warning, paths: bars, points: { show: false }, value },
      { label: "Projected", stroke: ink, width: 2, paths: stepped, points: { show: false }, value },
      { label: "Available to promise", stroke: info, width: 1.5, dash: [2, 3], paths: stepped, points: { show: false }, value },
      { label: "s", stroke: colour("--critical"), width: 1, dash: [8, 4], points: { show: false }, value, show: Boolean(row.reorder) },
      { label: "S", stroke: faint, width: 1, dash: [8, 4], points: { show: false }, value, show: row.reorder?.S != null },
    ],
  };
}
