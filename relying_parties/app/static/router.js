// Which page belongs to which path, within the app this page is of. Pages are functions that draw themselves.

import { at, channel } from "./config.js";

const routes = new Map();

/**
 * Name the page of a path.
 * @param {string} path "/scan"
 * @param {(params: URLSearchParams) => void | Promise<void>} page draws it
 */
export const route = (path, page) => routes.set(path, page);

/**
 * Open a page of this app.
 * @param {string} to "/", "/scan", "/open?code=…"
 * @param {{replace?: boolean}} [how] `replace`: 返回 shall not lead back to the present page
 */
export function go(to, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", at(to));
  return draw();
}

/** @returns {string} the present page, as `go` takes it */
export const here = () => (location.pathname + location.search).slice(channel().path.length - 1);

/**
 * @param {string} back the page of this app that the first use interrupts
 * @returns {string} the first use, which goes on there at its end
 */
export const welcomeBefore = (back) => `/welcome?back=${encodeURIComponent(back)}`;

/** Draw the page of the present address. */
export async function draw() {
  const within = location.pathname.slice(channel().path.length - 1) || "/";
  // Whoever is left behind lets go of cameras and clocks.
  document.dispatchEvent(new CustomEvent("page-left"));
  const page = routes.get(within.length > 1 ? within.replace(/\/$/, "") : within) || routes.get("/");
  await page(new URLSearchParams(location.search));
}

/**
 * A link within the app: plain for the browser (new tab, copy), without a new load when pressed.
 * @param {MouseEvent} event
 */
export function followWithin(event) {
  const link = event.target instanceof Element ? event.target.closest("a[data-within]") : null;
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented) return;
  event.preventDefault();
  go(link.dataset.within);
}
