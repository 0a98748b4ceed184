// The suppliers and the locations that there are, for fields that filter by one: a part of the name is enough.

import { get } from "./api.js";
import { el } from "./dom.js";

const asked = new Map();

/** All suppliers or locations of the stock; none where they cannot be read, and then they are asked for again. */
function known(name) {
  if (!asked.has(name)) {
    asked.set(name, get("/v1/aggregates", { table: "positions", by: name, limit: 1000 })
      .then((answer) => answer.items.map((item) => item.group[name]).filter(Boolean).sort())
      .catch(() => {
        asked.delete(name);
        return [];
      }));
  }
  return asked.get(name);
}

/** The name that is meant by `text`: itself, or the only one that has it as a part; otherwise the text as it is. */
function meant(names, text) {
  const wanted = text.toLowerCase();
  const same = names.filter((each) => each.toLowerCase() === wanted);
  const like = same.length ? same : names.filter((each) => each.toLowerCase().includes(wanted));
  return wanted && like.length === 1 ? like[0] : text;
}

/** A field for a `supplier` or a `location`, which suggests what there is; `change` takes the name that is meant. */
export function nameField(name, label, value, change) {
  const list = `known-${name}`;
  const suggest = async () => {
    const names = await known(name);
    if (!document.getElementById(list) && names.length) document.body.append(el("datalist", { id: list }, names.map((each) => el("option", { value: each }))));
  };
  const take = async (event) => {
    const { target } = event;
    target.value = meant(await known(name), target.value.trim());
    change(target.value);
  };
  return el("input", { name, value, list, placeholder: label, "aria-label": label, size: 14, autocomplete: "off", on: { focus: suggest, change: take } });
}
