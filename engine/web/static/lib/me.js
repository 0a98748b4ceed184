// Who decides: the name of the login, or where nobody had to log in a name that is asked for once and kept.

import { get, post } from "./api.js";
import { ask, dialog } from "./dialog.js";
import { button, byId, el, field } from "./dom.js";
import { moment } from "./format.js";
import { keep, recall } from "./store.js";

const me = { name: null, roles: null, expires: null, insecure: false };

/** Asks who is logged in, and shows it. */
export async function recognise() {
  try {
    Object.assign(me, await get("/v1/me"));
  } catch {
    // Without a login everybody on this machine may do everything, and the API says itself what is refused.
  }
  show();
  byId("who").addEventListener("click", () => (me.name ? account() : rename()));
}

function show() {
  byId("who").textContent = nameOf() ?? "Who are you?";
  byId("unsafe").hidden = !me.insecure;
  byId("who").title = me.roles ? `Roles: ${me.roles.join(", ")}` : "Your name stands in what you decide";
}

function account() {
  const until = me.expires && `Your login lasts until ${moment(new Date(me.expires * 1000).toISOString())}.`;
  dialog("Your login", el("div", { class: "content" }, el("p", { text: `You are ${me.name}, with the ${me.roles.length === 1 ? "role" : "roles"} ${me.roles.join(", ")}.` }),
    until && el("p", { class: "faint", text: until }), el("footer", {}, button("Log out", "log-out", logOut))), { name: "account" });
}

async function logOut() {
  await post("/logout");
  location.assign("/login");
}

async function rename() {
  const input = el("input", { name: "name", required: true, maxlength: 64, value: recall("name") ?? "", autocomplete: "name" });
  const told = await ask("Who are you?", field("Your name", input), {
    name: "who", text: "No login is asked for on this machine. Your name stands in every decision that you take here.",
  });
  if (told) keep("name", told.name.trim() || null);
  show();
}

/** Whether the caller has one of these roles; true as long as no login tells otherwise. */
export const may = (...roles) => !me.roles || roles.some((role) => me.roles.includes(role));

/** Whether an answer of `/v1/me` tells of the login with which this page was opened. */
export const isMe = (told) => told.name === me.name && told.supplier === me.supplier;

/** The supplier whose login this is; null for everybody else. */
export const ownSupplier = () => me.supplier ?? null;

/** The name of the login, or the one that was told here; null where there is none yet. */
export const nameOf = () => me.name ?? recall("name");

/** The name for `by`; asks for one where there is none yet, and is null where none was given. */
export async function by() {
  if (!nameOf()) await rename();
  return nameOf();
}
