// 首页: who is here, as whom, 扫一扫, what was opened lately.

import { issuer } from "./config.js";
import { tabPage } from "./frame.js";
import { currentIdentity, glyphOf, nameOf, whoIsHere } from "./person.js";
import { recentCard } from "./recent.js";
import { h, icon, notice, outside, within } from "./view.js";
import { greeting, today } from "./words.js";

/** The home page; for whoever is not signed in, the way to sign in. */
export async function homePage() {
  const me = await whoIsHere(homePage);
  if (!me) return;
  const identity = await currentIdentity(me);
  const head = h("header", { class: "tx-hello" },
    h("div", null, h("h1", null, `${me.name}，${greeting()}`), h("p", null, today())),
    outside(`${issuer()}/help`, { "aria-label": "帮助（在新窗口打开）" }, icon("circle-question-mark", "tx-i--lg")));
  const recent = recentCard();
  const first = me.closed ? notice("wait", "尚未开通", me.closed) : [identity && identityCard(identity, me), scanTile()];
  tabPage("首页", "/", head, first, shortcuts(), recent.node);
  await recent.fill();
}

function identityCard(identity, me) {
  return within("/identity", { class: "tx-card tx-idcard" },
    h("span", { class: "tx-glyph" }, icon(glyphOf(identity), "tx-i--lg")),
    h("span", null, h("strong", null, nameOf(identity, me)), h("small", null, `当前身份：${identity.label}，点击切换`)),
    icon("chevron-right"));
}

function scanTile() {
  return within("/scan", { class: "tx-scan" }, icon("scan-line"),
    h("span", null, h("strong", null, "扫一扫"), h("span", null, "扫电脑上的二维码登录")));
}

function shortcuts() {
  const drawn = (name, word) => [h("span", { class: "tx-glyph" }, icon(name, "tx-i--lg")), h("span", null, word)];
  return h("nav", { class: "tx-quick", "aria-label": "常用" },
    within("/recent", {}, drawn("history", "最近登录")),
    outside(`${issuer()}/center/person/security`, {}, drawn("shield-check", "账号安全")),
    outside(`${issuer()}/help`, {}, drawn("circle-question-mark", "帮助")));
}
