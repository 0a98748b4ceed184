// The frame of every page. A page is a module of `pages/` with a function `start(main)`; its name is in the HTML.

import { byId, empty } from "./dom.js";
import { help, listen } from "./keys.js";
import { recognise } from "./me.js";
import { watch } from "./status.js";
import { toggleTheme } from "./theme.js";
import { sendUnsent } from "./unsent.js";

async function begin() {
  listen();
  byId("help").addEventListener("click", help);
  byId("theme").addEventListener("click", toggleTheme);
  watch();
  await recognise();
  await sendUnsent();
  const main = byId("main");
  try {
    const page = await import(`/static/pages/${document.body.dataset.page}.js`);
    await page.start(main);
  } catch (error) {
    console.error(error);
    main.replaceChildren(empty("This page could not be opened", error.message));
  } finally {
    main.removeAttribute("aria-busy");
  }
}

begin();
