// The chosen theme and density are set before the first paint, so that a dark page does not flash white.
"use strict";
try {
  for (const name of ["theme", "density"]) {
    const chosen = localStorage.getItem(`stockline.${name}`);
    if (chosen) document.documentElement.dataset[name] = chosen;
  }
} catch {
  // A browser may refuse storage; the page then follows the system's choice.
}
