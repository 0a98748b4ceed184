// Today: what needs a decision, worst first.
import { empty } from "/static/lib/dom.js";
export async function start(main) { main.replaceChildren(empty("Today", "")); }
