// What one browser remembers of one person's choices: theme, columns, views. Never data of the engine.

/** What was kept under `name`, or `otherwise` where nothing was, or where the browser refuses storage. */
export function recall(name, otherwise = null) {
  try {
    const text = localStorage.getItem(`stockline.${name}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/** Keeps `value`, which is JSON-ready, under `name`; null forgets it. */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`stockline.${name}`);
    else localStorage.setItem(`stockline.${name}`, JSON.stringify(value));
  } catch {
    // A browser may refuse storage; the choice then lasts as long as the page.
  }
}
