// Drawing pages: elements are built, text is set as text. Nothing here or elsewhere parses markup.

import { at, channel, surface } from "./config.js";

const SVG = "http://www.w3.org/2000/svg";
const SAFE = /^(?:https?:|tel:|\/|#)/;
let lastId = 0;

/**
 * An element.
 * @param {string} tag
 * @param {Record<string, any> | null} attrs `onclick` and the like are functions; false and null leave one out
 * @param {...any} children nodes and texts, nested lists too; null and false are nothing
 * @returns {HTMLElement}
 */
export function h(tag, attrs, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "href" && !SAFE.test(value)) continue;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

/**
 * An icon of the theme (its drawing stands in the page); for the eye alone.
 * @param {string} name as in theme/build/build.mjs
 * @param {string} [cls] "tx-i--lg"
 * @returns {SVGElement}
 */
export function icon(name, cls = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `tx-i ${cls}`.trim());
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button. While what it started runs, it cannot be pressed again.
 * @param {string} text
 * @param {((event: Event) => any) | null} onclick null for the button that sends its form
 * @param {{kind?: "" | "secondary" | "warning", icon?: string, cls?: string}} [looks]
 * @returns {HTMLButtonElement}
 */
export function button(text, onclick, { kind = "", icon: name = "", cls = "tx-btn--block" } = {}) {
  const classes = ["govuk-button", kind && `govuk-button--${kind}`, cls].filter(Boolean).join(" ");
  const type = onclick ? "button" : "submit";
  const made = h("button", { type, class: classes }, name && icon(name), text);
  if (onclick) made.addEventListener("click", (event) => busy(made, () => onclick(event)));
  return made;
}

/**
 * Keep a control from being pressed while `work` runs.
 * @template T
 * @param {HTMLButtonElement} control
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
export async function busy(control, work) {
  if (control.getAttribute("aria-disabled") === "true") return undefined;
  control.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    control.removeAttribute("aria-disabled");
  }
}

/**
 * A link to a page of this app; see router.js.
 * @param {string} to "/scan"
 * @param {Record<string, any>} attrs
 * @param {...any} children
 */
export const within = (to, attrs, ...children) => h("a", { ...attrs, href: at(to), "data-within": to }, ...children);

/**
 * A link that leaves the app, in a window of its own.
 * @param {string} href
 * @param {Record<string, any>} attrs
 * @param {...any} children
 */
export const outside = (href, attrs, ...children) =>
  h("a", { ...attrs, href, target: "_blank", rel: "noopener noreferrer" }, ...children,
    h("span", { class: "govuk-visually-hidden" }, "（在新窗口打开）"));

/**
 * A notice that stays in the page.
 * @param {"" | "wait" | "ok" | "bad"} kind "wait" is amber, "bad" red and spoken at once
 * @param {...any} children sentences (each its own paragraph) and nodes
 */
export function notice(kind, ...children) {
  const name = { wait: "triangle-alert", ok: "circle-check", bad: "circle-alert" }[kind] || "info";
  const said = children.flat().map((each) => (typeof each === "string" ? h("p", null, each) : each));
  const cls = `tx-notice${kind ? ` tx-notice--${kind}` : ""}`;
  return h("div", { class: cls, role: kind === "bad" ? "alert" : null }, icon(name), h("div", null, said));
}

/** A word with a colour: `tag("成功", "ok")`; kinds as notices, and "info". */
export const tag = (text, kind = "") => h("strong", { class: `tx-tag${kind ? ` tx-tag--${kind}` : ""}` }, text);

/**
 * A field with its label, hint and room for an error.
 * @param {{label: string, name: string, hint?: string} & Record<string, any>} wanted the rest are attributes
 * @returns {{node: HTMLElement, input: HTMLInputElement, fail: (sentence: string) => void}}
 *   `fail("")` takes the error away
 */
export function field({ label, name, hint = "", ...attrs }) {
  const id = `f${(lastId += 1)}`;
  const input = h("input", { class: "govuk-input", type: "text", autocomplete: "off", id, name, ...attrs });
  const error = h("p", { class: "govuk-error-message", id: `${id}-e`, role: "alert", hidden: true });
  const hinted = hint && h("p", { class: "govuk-hint", id: `${id}-h` }, hint);
  const described = (wrong) => [hint && `${id}-h`, wrong && `${id}-e`].filter(Boolean).join(" ");
  if (hint) input.setAttribute("aria-describedby", described(false));
  const node = h("div", { class: "govuk-form-group" },
    h("label", { class: "govuk-label", for: id }, label), hinted, error, input);
  const fail = (sentence) => {
    error.hidden = !sentence;
    error.replaceChildren(...(sentence ? [icon("circle-alert"), h("span", null, sentence)] : []));
    input.classList.toggle("govuk-input--error", Boolean(sentence));
    input.toggleAttribute("aria-invalid", Boolean(sentence));
    if (sentence) input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", described(Boolean(sentence)));
    if (sentence) input.focus();
  };
  return { node, input, fail };
}

/**
 * Put a page into the window: its title, its content, the focus on its heading.
 * @param {string} title
 * @param {...any} children
 */
export function show(title, ...children) {
  const room = document.getElementById("app");
  const said = surface() === "mini_program" ? `${channel().name}小程序` : channel().name;
  document.title = title === said ? title : `${title} - ${said}`;
  document.documentElement.classList.toggle("tx-mini-program", surface() === "mini_program");
  room.replaceChildren(...children.flat(Infinity).filter(Boolean));
  scrollTo(0, 0);
  const heading = room.querySelector("h1");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
}
