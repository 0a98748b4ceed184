// Light or dark: the system's choice until somebody chooses here.

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

/** Whether the page is dark at present. */
export const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";

/** Calls `listener` after every change of the theme. */
export function onTheme(listener) {
  listeners.add(listener);
}

const tell = () => listeners.forEach((listener) => listener());
dark.addEventListener("change", tell);

/** Changes from light to dark and back, and remembers it. */
export function toggleTheme() {
  choose("theme", isDark() ? "light" : "dark");
  tell();
}

/** Changes from wide rows to narrow ones and back, and remembers it. */
export function chooseDensity() {
  choose("density", document.documentElement.dataset.density === "compact" ? "comfortable" : "compact");
}

function choose(name, value) {
  document.documentElement.dataset[name] = value;
  try {
    localStorage.setItem(`stockline.${name}`, value);
  } catch {
    // A browser may refuse storage; the choice then lasts as long as the page.
  }
}

/** The value of a colour of the theme, such as `--mark`, for what draws on a canvas. */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
