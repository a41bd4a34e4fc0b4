// 我的: identities, the PIN, the phones that are signed in, large letters, and the way out.

import { channel, issuer } from "./config.js";
import { tabPage } from "./frame.js";
import { isLarge, writeLarge } from "./letters.js";
import { nameOf, whoIsHere } from "./person.js";
import { leave } from "./troubles.js";
import { button, h, icon, notice, outside, tag, within } from "./view.js";

/** The page of the person. */
export async function mePage() {
  const me = await whoIsHere(mePage);
  if (!me) return;
  const head = h("header", { class: "tx-hello" },
    h("div", null, h("h1", null, me.name), h("p", { class: "tx-num" }, me.phone)));
  tabPage("我的", "/me", head, me.closed ? notice("wait", me.closed) : identities(me), rows(me), button("退出登录", leave, { kind: "warning" }),
    h("p", { class: "tx-meta" }, "退出后，这台手机上的登录凭据会删除。"));
}

function identities(me) {
  const row = (identity) => h("li", null,
    h("span", null, nameOf(identity, me), identity.uscc && h("small", { class: "tx-num" }, identity.uscc)),
    tag(identity.label, "info"));
  return h("section", { class: "tx-card", "aria-labelledby": "identities" },
    h("div", { class: "tx-cardhead" }, h("h2", { class: "tx-h3", id: "identities" }, "我的身份"),
      within("/identity", {}, "切换")),
    h("ul", { class: "tx-recent" }, me.identities.map(row)));
}

function largeSwitch() {
  const state = tag("", "info");
  const made = h("button", { type: "button", role: "switch", onclick: () => {
    writeLarge(!isLarge());
    say();
  } }, icon("a-large-small"), h("span", null, "大字版"), state);
  const say = () => {
    made.setAttribute("aria-checked", String(isLarge()));
    state.textContent = isLarge() ? "已打开" : "已关闭";
  };
  say();
  return made;
}

function rows(me) {
  const drawn = (name, word) => [icon(name), h("span", null, word), icon("chevron-right")];
  const pin = [
    within("/pin", {}, drawn("key-round", "修改口令")),
    within("/pin?forgotten=1", {}, drawn("circle-question-mark", "忘记口令")),
  ];
  const ways = [
    ...(me.closed ? [] : pin),
    outside(`${issuer()}/center/person/sessions`, {}, drawn("monitor-smartphone", "登录记录")),
    largeSwitch(),
    within("/settings", {}, drawn("smartphone", "关于和打开方式")),
  ];
  return h("nav", { class: "tx-card", "aria-label": `${channel().name}的设置` },
    h("ul", { class: "tx-rows" }, ways.map((way) => h("li", null, way))));
}
