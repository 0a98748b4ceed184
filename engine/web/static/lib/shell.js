// The frame of every page. A page is a module of `pages/` with a function `start(main)`; its name is in the HTML.

import { byId, empty } from "./dom.js";
import { help, listen } from "./keys.js";
import { recognise } from "./me.js";
import { keepWork } from "./relogin.js";
import { watch } from "./status.js";
import { toggleTheme } from "./theme.js";

async function begin() {
  listen();
  byId("help").addEventListener("click", help);
  byId("theme").addEventListener("click", toggleTheme);
  keepWork();
  await recognise();
  watch();
  const main = byId("main");
  const name = document.body.dataset.page;
  try {
    // A page that is not for this login has no module: its HTML says so.
    if (name) await (await import(`/static/pages/${name}.js`)).start(main);
  } catch (error) {
    console.error(error);
    main.replaceChildren(empty("This page could not be opened", error.message));
  } finally {
    main.removeAttribute("aria-busy");
  }
}

begin();
