// The groups of today's decisions, and one line for each.

import { allowed, buttons } from "../lib/actions.js";
import { decisionOf, undoing } from "../lib/decide.js";
import { button, el } from "../lib/dom.js";
import { briefDate, count, date, money, moment, quantity, roundMoney, title, words } from "../lib/format.js";
import { terms, totals } from "./order.js";

const KINDS = { order: "Order", late_supply: "Late supply", stockout: "Stock-outs", drift: "Drift", other: "Other", automatic: "Ordered without a planner" };

/** A group: its head with the figures of the whole, and its items. */
export function groupPanel(group, page) {
  return el("section", { class: "panel group", data: { group: group.kind, supplier: group.supplier ?? "" }, "aria-label": group.title },
    groupHead(group, page),
    el("ul", { class: "items" }, group.items.map((item) => itemLine(item, page))),
    group.more > 0 && el("footer", { class: "bar" }, button(`Show ${quantity(group.more)} more`, "more", () => page.showMore(group), { class: "quiet" })));
}

function groupHead(group, page) {
  const proposals = group.items.filter((item) => item.type === "signal");
  return el("header", {}, el("h2", { text: group.title }), el("span", { class: "tag", text: KINDS[group.kind] ?? words(group.kind) }),
    el("span", { class: "faint", text: [count(group.total, "item"), ...totals(group)].join(" · ") }),
    ...terms(group), risk(group.value_at_risk, group.currency), el("span", { class: "spring" }),
    proposals.length > 1 && page.decides && button(`Accept all ${quantity(group.total)}`, "accept-group", () => page.acceptGroup(group)),
    group.items.length > 1 && page.decides && button("Select all", "select-group", () => page.selectAll(group), { class: "quiet" }));
}

const risk = (value, currency) => (value && Number(value) > 0 ? el("span", { class: "text-critical", text: `${roundMoney(value, currency)} at risk` }) : null);

/** One item; its state is that of the latest decision about it, and of what was heard of it. */
export function itemLine(item, page) {
  const decision = decisionOf(item.id);
  const outcome = page.today.outcome(item.id);
  const state = outcome ? "over" : decision && decision.state !== "done" ? decision.state : "open";
  return el("li", { class: `item ${state}`, tabindex: "-1", data: { item: item.id, type: item.type, state }, "aria-label": `${item.sku} at ${item.location}: ${item.sentence}` },
    page.decides ? el("input", { type: "checkbox", checked: page.selected.has(item.id), disabled: state !== "open" && state !== "failed", "aria-label": `Select ${item.sku} at ${item.location}`, data: { action: "select" }, on: { change: () => page.select(item.id) } }) : el("span"),
    what(item, page), why(item, decision), figures(item), el("div", { class: "bar acts" }, outcome ? over(item, decision, outcome, page) : acts(item, decision, page)));
}

function what(item, page) {
  const path = `/row/${encodeURIComponent(item.sku)}/${encodeURIComponent(item.location)}`;
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    page.open(item);
  };
  return el("div", { class: "what" }, el("a", { href: path, on: { click: open }, data: { action: "open" } }, item.sku), el("span", { text: item.description ?? "" }),
    el("small", {}, [item.location, item.abc && `class ${item.abc}`, !page.ofSupplier(item) && item.supplier].filter(Boolean).join(" · ")));
}

function why(item, decision) {
  const tags = [
    item.type === "alert" && el("span", { class: `tag ${item.severity ?? ""}`, text: title(item.kind) }),
    item.disposition === "auto" && el("span", { class: "tag auto", text: "automatic" }),
    item.status !== "open" && el("span", { class: `tag ${item.status}`, text: item.status }),
    item.owner && el("span", { class: "tag info", text: `owner ${item.owner}` }),
    item.snoozed_until && el("span", { class: "tag", text: `snoozed until ${moment(item.snoozed_until)}` }),
    ...(item.reasons ?? []).map((reason) => el("span", { class: "tag warning", text: words(reason) })),
  ];
  return el("div", { class: "why" }, el("p", { text: item.sentence }), el("span", { class: "tags" }, tags),
    decision?.state === "failed" && el("p", { class: "problem", role: "alert", data: { part: "problem" }, text: decision.error }));
}

function figures(item) {
  return el("div", { class: "numbers" },
    el("span", {}, el("strong", { text: item.qty === null ? "" : count(item.qty, "unit") }), " ", el("small", { text: item.due ? `by ${briefDate(item.due)}` : "", title: item.due ? date(item.due) : "" })),
    item.value && item.value !== item.value_at_risk && el("span", { text: money(item.value, item.currency) }), risk(item.value_at_risk, item.currency));
}

function acts(item, decision, page) {
  if (decision?.state === "pending") return el("span", { class: "faint", data: { part: "pending" }, text: "pending …" });
  return allowed(item).length ? buttons(item, { asOf: page.today.work.as_of }) : [];
}

function over(item, decision, outcome, page) {
  const undo = decision?.state === "done" && undoing(item, decision);
  const who = outcome.by && !outcome.mine ? ` by ${outcome.by}` : "";
  return [el("span", { class: `tag ${outcome.status}`, data: { part: "outcome" }, text: `${outcome.status}${who}` }),
    undo && button("Undo", "undo", () => page.undo(item, undo))];
}
