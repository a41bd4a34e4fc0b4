// 最近登录: what was opened by scanning, and what was refused.

import { call } from "./api.js";
import { channel } from "./config.js";
import { barPage } from "./frame.js";
import { whoIsHere } from "./person.js";
import { h, icon, tag, within } from "./view.js";
import { when } from "./words.js";

const ON_HOME = 3;
const ROLES = { legal_representative: "法人", operator: "经办人", natural_person: "个人" };
const RESULTS = { confirmed: ["成功", "ok"], denied: ["您已拒绝", "bad"], wrong_number: ["数字选错", "bad"] };

/** The page of all records. */
export async function recentPage() {
  if (!(await whoIsHere(recentPage))) return;
  const list = h("section", { class: "tx-card", "aria-label": "扫码登录记录" }, reading());
  barPage("最近登录", {}, list);
  list.replaceChildren(...(await drawn(Infinity)));
}

/**
 * The card of the home page.
 * @returns {{node: HTMLElement, fill: () => Promise<void>}} `fill` asks the provider and draws what it says
 */
export function recentCard() {
  const room = h("div", null, reading());
  const head = h("div", { class: "tx-cardhead" },
    h("h2", { class: "tx-h3", id: "recent" }, "最近登录"), within("/recent", {}, "全部记录"));
  return {
    node: h("section", { class: "tx-card", "aria-labelledby": "recent" }, head, room),
    fill: async () => room.replaceChildren(...(await drawn(ON_HOME))),
  };
}

const reading = () => h("p", { class: "tx-meta", role: "status" }, "正在读取…");

async function drawn(most) {
  const { ok, body } = await call("GET", "/scan/recent");
  if (!ok) return [h("p", { class: "tx-meta", role: "alert" }, body.message)];
  if (!body.scans.length) return [empty()];
  return [h("ul", { class: "tx-recent" }, body.scans.slice(0, most).map(row))];
}

function empty() {
  const said = channel().closed ? "还没有扫码登录过。" : "还没有扫码登录过。在电脑上打开登录页，用「扫一扫」扫二维码。";
  return h("div", { class: "tx-empty" },
    h("div", null, icon("history"), h("p", null, said)));
}

function row(scan) {
  const facts = [when(scan.at), scan.place, ROLES[scan.role], scan.company].filter(Boolean).join("，");
  const result = RESULTS[scan.result];
  return h("li", null, h("span", null, scan.portal, h("small", null, facts)), result && tag(...result));
}
