// The frames of the app's pages: one with a bar and a way back, one with the tabs below, one that says what went wrong.

import { channel, surface } from "./config.js";
import { h, icon, show, within } from "./view.js";

const TABS = [["/", "house", "首页"], ["/me", "user-round", "我的"]];

/**
 * A page with a bar: a way back at the left, the title in the middle.
 * @param {string} title
 * @param {{back?: string | (() => any), backLabel?: string, backIcon?: string, foot?: Node}} ways `back` is a path
 *   of the app ("" for none) or what leaving does, `foot` a bar that stays at the bottom
 * @param {...any} children what stands in between
 */
export function barPage(title, { back = "/", backLabel = "返回", backIcon = "arrow-left", foot = null }, ...children) {
  const drawn = icon(backIcon, "tx-i--lg");
  const wayBack = typeof back === "function"
    ? h("button", { type: "button", "aria-label": backLabel, onclick: back }, drawn)
    : back ? within(back, { "aria-label": backLabel }, drawn) : h("span", null);
  show(title,
    h("header", { class: "tx-app__bar" }, wayBack,
      h("h1", null, title), capsule()),
    h("main", { class: "tx-app__main", id: "main" }, children), foot);
}

/**
 * A page of the two tabs.
 * @param {string} title as the window says it
 * @param {"/" | "/me"} current
 * @param {Node} head stands above the page
 * @param {...any} children
 */
export function tabPage(title, current, head, ...children) {
  const tab = ([path, name, word]) =>
    within(path, { "aria-current": path === current ? "page" : null }, icon(name, "tx-i--lg"), word);
  show(title, skinBar(), head, h("main", { class: "tx-app__main", id: "main" }, children),
    h("nav", { class: "tx-tabbar", "aria-label": "主导航" }, TABS.map(tab)));
}

/**
 * A page that says one thing and offers what to do: what happened, signed in, refused, away.
 * @param {string} title the fact
 * @param {{icon?: string, kind?: "" | "ok" | "wait" | "bad"}} looks
 * @param {string[]} sentences
 * @param {...Node} ways buttons and links, the likely one first
 */
export function stopPage(title, { icon: name = "info", kind = "" }, sentences, ...ways) {
  show(title, skinBar(),
    h("main", { class: "tx-app__main tx-app__stop", id: "main" },
      h("span", { class: `tx-glyph${kind ? ` tx-glyph--${kind}` : ""}` }, icon(name)),
      h("h1", null, title), sentences.map((each) => h("p", { class: "tx-lead" }, each)),
      h("div", { class: "tx-app__ways" }, ways)));
}

/** The app's own colour and name. */
export function skinBar() {
  return h("div", { class: "tx-skin" }, icon("tongxing", "tx-skin__mark"), h("span", null, channel().name), capsule());
}

/** What the app around a mini program draws over its corner; for the eye alone. */
function capsule() {
  if (surface() !== "mini_program") return h("span", { class: "tx-nocapsule" });
  return h("span", { class: "tx-capsule", "aria-hidden": "true" }, icon("ellipsis"), icon("circle-dot"));
}
