// A login that ends in the middle of work. The page stays as it is, with all that was typed; a dialog leads to the login
// in another tab, and what was sent meanwhile is sent again once the same person is back.

import { get, onEndedLogin, query } from "./api.js";
import { dialog } from "./dialog.js";
import { button, el } from "./dom.js";
import { isMe } from "./me.js";

let asking = null;
let declined = false;

/** Asks for a login wherever one has ended. */
export function keepWork() {
  onEndedLogin((isWrite) => {
    // What is read every few seconds takes nobody away from what is being written, nor asks again who has declined.
    if (!isWrite && (declined || document.querySelector("dialog[open]"))) return Promise.resolve(false);
    asking ??= ask().finally(() => { asking = null; });
    return asking;
  });
}

function ask() {
  return new Promise((resolve) => {
    let back = false;
    const said = el("p", { role: "status", text: "What you see and have entered stays here. Log in in a new tab, then come back and go on." });
    const address = `/login${query({ next: location.pathname + location.search })}`;
    const goOn = async () => {
      try {
        const told = await get("/v1/me");
        back = isMe(told);
        if (back) shown.close();
        else said.textContent = `You have logged in as ${told.name}, and this page belongs to another login. Log in as before, or close this: what you entered is then not sent.`;
      } catch (error) {
        said.textContent = `${error.message} Log in first.`;
      }
    };
    const shown = dialog("Your login has ended", el("div", { class: "content" }, said, el("footer", {},
      el("a", { class: "button", href: address, target: "_blank", rel: "noopener", data: { action: "log-in" } }, "Log in…"),
      button("Go on", "go-on", goOn, { class: "primary" }))), { name: "login", lasting: true });
    shown.addEventListener("close", () => {
      declined = !back;
      resolve(back);
    });
  });
}
