// Scripts of others are loaded only by the pages that use them.

const loaded = new Map();

function load(tag, attributes) {
  const address = attributes.src ?? attributes.href;
  if (!loaded.has(address)) {
    loaded.set(address, new Promise((resolve, reject) => {
      const made = Object.assign(document.createElement(tag), attributes);
      made.onload = resolve;
      made.onerror = () => reject(new Error(`${address} could not be loaded`));
      document.head.append(made);
    }));
  }
  return loaded.get(address);
}

/** AG Grid Community. */
export async function agGrid() {
  await load("script", { src: "/static/vendor/ag-grid-community-36.2.0.min.js" });
  return window.agGrid;
}

/** uPlot. */
export async function uPlot() {
  await Promise.all([
    load("link", { rel: "stylesheet", href: "/static/vendor/uplot-1.6.32.min.css" }),
    load("script", { src: "/static/vendor/uplot-1.6.32.min.js" }),
  ]);
  return window.uPlot;
}

/** The nonce of this page's policy, for styles that a script adds. */
export const nonce = () => document.querySelector('meta[name="csp-nonce"]').content;
