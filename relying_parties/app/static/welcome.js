// First use (MISSION B24): the agreement, then the PIN, then the home page.

import { agreementText, consent } from "./agreement.js";
import { barPage } from "./frame.js";
import { whoIsHere } from "./person.js";
import { pinForm } from "./pin-form.js";
import { go, welcomeBefore } from "./router.js";
import { leave, proveAgainPage } from "./troubles.js";
import { button, h, notice } from "./view.js";

const ONWARD = /^\/(?:scan$|open\?)/;
/** Which agreement was read and accepted in this window. */
let accepted = "";

/**
 * The two steps of whoever has no PIN yet.
 * @param {URLSearchParams} params `step`: "pin" for the second; `back`: the page that it interrupted, see router.js
 */
export async function welcomePage(params) {
  const me = await whoIsHere(() => welcomePage(params), { withPin: false });
  if (!me) return;
  const { set, agreement } = me.pin;
  const back = ONWARD.test(params.get("back")) ? params.get("back") : "/";
  if (set || me.closed) onward(back);
  else if (params.get("step") === "pin" && accepted === agreement.version) pinStep(agreement, back);
  else agreementStep(agreement, back);
}

function agreementStep(agreement, back) {
  const box = consent(agreement);
  const next = button("下一步，设置口令", null, { cls: "tx-btn--block tx-btn--lg" });
  const onsubmit = (event) => {
    event.preventDefault();
    if (!box.given()) return;
    accepted = agreement.version;
    go(`${welcomeBefore(back)}&step=pin`);
  };
  barPage("首次使用", { back: "" }, steps(0), agreementText(agreement),
    h("form", { novalidate: true, onsubmit }, box.node, next), wayOut());
}

function pinStep(agreement, back) {
  const word = back === "/" ? "完成，进入首页" : "完成，继续";
  const wanted = { agreement, agreed: true, asksCurrent: false, word };
  barPage("设置口令", { back: () => history.back() }, steps(1),
    notice("", "扫码登录时用口令确认是您本人。请不要告诉任何人。"),
    pinForm(wanted, () => onward(back), (sentence) => proveAgainPage(sentence, welcomeBefore(back))),
    wayOut());
}

const onward = (back) => go(back, { replace: true });

/** Whoever does not agree, or is not the one whose account it is. */
const wayOut = () => h("p", { class: "tx-app__out" }, h("button", { type: "button", class: "tx-linkbtn", onclick: leave }, "退出登录"));

function steps(current) {
  const step = (word, number) => h("li", { "aria-current": number === current ? "step" : null }, word);
  return h("ol", { class: "tx-steps", "aria-label": "步骤" }, ["阅读协议", "设置口令"].map(step));
}
