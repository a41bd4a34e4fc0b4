// The seconds in which a request can be answered, counted down for the eye; a screen reader hears the last ones once.

import { h } from "./view.js";

const ALMOST_OVER = 20; // seconds

/**
 * @param {number} seconds
 * @param {() => void} over called once, when they have passed
 * @returns {{node: HTMLElement, stop: () => void}} it stops by itself when the page is left
 */
export function countdown(seconds, over) {
  const until = Date.now() + seconds * 1000;
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const number = h("span", { class: "tx-num" });
  const spoken = h("span", { class: "govuk-visually-hidden", role: "status" });
  const node = h("span", { class: "tx-left" }, "还剩 ", number, " 秒", spoken);
  let warned = false;

  const tick = () => {
    number.textContent = String(left());
    if (left() <= ALMOST_OVER && !warned) {
      warned = true;
      node.classList.add("tx-left--soon");
      spoken.textContent = `请在 ${left()} 秒内回答`;
    }
    if (left() > 0) return;
    stop();
    over();
  };
  const timer = setInterval(tick, 1000);
  const stop = () => clearInterval(timer);
  document.addEventListener("page-left", stop, { once: true });
  tick();
  return { node, stop };
}
