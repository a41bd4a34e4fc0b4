// 人脸核验: whose face is asked for, by whom and what for; the number on the computer and his consent; then the face
// service's own page.

import { call } from "./api.js";
import { asking, distancePart, numberPart } from "./confirm-parts.js";
import { countdown } from "./countdown.js";
import { barPage, stopPage } from "./frame.js";
import { agreement } from "./questions.js";
import { endedPage, ending, isOver } from "./result.js";
import { go } from "./router.js";
import { busy, button, h, icon, notice } from "./view.js";

const WHAT_HAPPENS = [
  "核验由人脸核验服务完成：打开它的页面，用相机拍一张照片，与证件照比对。",
  "照片只用于本次核验，比对后不保存；平台只收到是否通过。",
  "不想刷脸的，请点「拒绝」，在原来的页面改用其他方式。",
];

/**
 * Draw the page of a scanned face check, and lead to the face service.
 * @param {object} told what the provider answered to the scan
 * @param {{phone?: string}} phone who this phone is, where nobody is signed in on it
 */
export function facePage(told, phone) {
  const path = `/scan/tickets/${told.ticket}`;
  const consent = agreement("consent", "是否同意", "我同意用我的人脸完成本次核验", "请勾选同意后再去刷脸，或点「拒绝」");
  const parts = {
    ...(told.far && { far: distancePart(told.far, "办理") }),
    number: numberPart(told.numbers, told.browser),
    consent,
  };
  const said = h("div", { class: "tx-said" });
  let over = false;
  const end = (draw) => {
    over = true;
    clock.stop();
    draw();
  };
  const failed = (answer, retry) => {
    if (over) return;
    if (answer.body.error === "signed_out") end(() => {});
    else if (isOver(answer)) end(() => endedPage(answer));
    else said.replaceChildren(notice("bad", answer.body.message, button("重试", retry, { kind: "secondary" })));
  };

  const agree = async () => {
    said.replaceChildren();
    const asked = Object.values(parts);
    for (const part of [...asked].reverse()) part.fail(part.problem());
    const missing = asked.filter((part) => part.problem());
    if (missing.length > 0) {
      // The bar at the bottom lies over what comes last.
      missing[missing.length - 1].node.scrollIntoView({ block: "nearest" });
      return;
    }
    const given = { consent: true, number: parts.number.value(), ...(parts.far && { far: parts.far.value() }) };
    const answer = await call("POST", `${path}/face`, { ...phone, ...given });
    if (over) return;
    // Only a web page is followed, whatever the answer says.
    if (answer.ok && /^https?:\/\//.test(answer.body.url)) end(() => location.assign(answer.body.url));
    else failed(answer, agree);
  };
  const refuse = async () => {
    const answer = await call("POST", `${path}/face`, { ...phone, consent: false });
    if (answer.ok && !over) end(() => refusedPage(told.portal));
    else failed(answer, refuse);
  };

  /** Refuse, and leave in any case. */
  const close = async () => {
    await refuse();
    if (!over) end(() => go("/", { replace: true }));
  };

  const clock = countdown(told.expires_in, () => end(expiredPage));
  const onward = h("button", { class: "govuk-button", form: "face" }, icon("scan-face"), "去刷脸");
  const form = h("form", { id: "face", novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    busy(onward, agree);
  } }, h("section", { class: "tx-card tx-facts", "aria-label": "刷脸时会发生什么" }, WHAT_HAPPENS.map((each) => h("p", null, each))),
  Object.values(parts).map((part) => part.node));
  const foot = h("section", { class: "tx-app__act", "aria-label": "是否刷脸" }, said,
    button("拒绝", refuse, { icon: "x", cls: "tx-btn--deny" }), onward, h("p", null, "不是您本人在办理，请点「拒绝」"));
  barPage("人脸核验", { back: close, backIcon: "x", backLabel: "关闭，不核验", foot }, asking(told, clock.node, [["核验谁", told.subject]]), form);
}

/** The face service leads here, with nothing that proves anything: the computer hears by itself how it went. */
export const faceDonePage = () =>
  stopPage("请回到电脑上继续", { icon: "scan-face", kind: "ok" },
    ["这部手机上的步骤已经结束。核验有没有通过，请看电脑上的页面，它会自己更新。",
      "如果不是您本人在电脑上操作，请在电脑上取消，并且不要再扫别人发来的二维码。"],
    button("回首页", () => go("/", { replace: true })));

const expiredPage = () =>
  ending("等待超时", { icon: "clock", kind: "wait" },
    ["没有在规定时间内刷脸，这个二维码已失效，请求的事项没有办理。需要时，请在原来的页面换一张二维码，再扫一次。"],
    button("回首页", () => go("/", { replace: true })));

const refusedPage = (portal) =>
  ending("已拒绝", { icon: "circle-x", kind: "bad" },
    [`没有进行人脸核验，「${portal}」请求的事项没有办理。`, "如果不是您本人发起的，您的账号没有受到影响。请不要扫别人发来的二维码。"],
    button("回首页", () => go("/", { replace: true })));
