// 修改口令 and 忘记口令: with the present PIN, or after having just proved anew who one is.

import { barPage, stopPage } from "./frame.js";
import { whoIsHere } from "./person.js";
import { pinForm } from "./pin-form.js";
import { go } from "./router.js";
import { beginSignIn } from "./signin.js";
import { proveAgainPage } from "./troubles.js";
import { button, notice } from "./view.js";

/**
 * @param {URLSearchParams} params `forgotten`: without the present PIN; `proved`: the sign-in is fresh
 */
export async function pinPage(params) {
  const me = await whoIsHere(() => pinPage(params));
  if (!me) return;
  const forgotten = params.has("forgotten");
  if (forgotten && !params.has("proved")) {
    askToProve();
    return;
  }
  const title = forgotten ? "重设口令" : "修改口令";
  const wanted = { agreement: me.pin.agreement, agreed: me.pin.agreement.agreed, asksCurrent: !forgotten, word: title };
  barPage(title, { back: "/me" },
    notice("", "扫码登录时用口令确认是您本人。所有手机用同一个口令。"), pinForm(wanted, changed, stale));
}

function askToProve() {
  barPage("忘记口令", { back: "/me" },
    notice("", "请先重新登录，证明是您本人。登录后 10 分钟内可以重设口令。"),
    button("重新登录", () => beginSignIn({ back: "/pin?forgotten=1&proved=1" })));
}

const stale = (sentence) => proveAgainPage(sentence, "/pin?forgotten=1&proved=1");

function changed() {
  stopPage("口令已修改", { icon: "circle-check", kind: "ok" }, ["下次扫码登录请用新口令。我们已发短信通知您。"],
    button("返回", () => go("/me", { replace: true })));
}
