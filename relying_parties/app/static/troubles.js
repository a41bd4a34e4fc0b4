// What is said when a page cannot be drawn: nobody signed in, the sign-in over, no network, the provider away.

import { at, channel, issuer, runAs, surface } from "./config.js";
import { skinBar, stopPage } from "./frame.js";
import { draw, go, here } from "./router.js";
import { beginSignIn, signOut } from "./signin.js";
import { button, h, icon, outside, show, tag } from "./view.js";

const SURFACES = { app: "独立的 App", mini_program: "支付宝或微信里的小程序" };

/** The page of somebody who is not signed in. */
export function entryPage() {
  const { name, says, surfaces, brings, closed } = channel();
  show(name, skinBar(),
    h("main", { class: "tx-app__main tx-app__stop", id: "main" },
      h("span", { class: "tx-glyph" }, icon(closed ? "building-2" : "scan-line")), h("h1", null, `登录${name}`),
      closed && tag("尚未开通", "wait"), h("p", { class: "tx-lead" }, says), surfaces.length > 1 && surfaceQuestion(),
      h("p", { class: "tx-lead" }, `请用个人账号登录。${brings}`),
      h("div", { class: "tx-app__ways" }, button("登录", () => beginSignIn({ back: here() }), { cls: "tx-btn--block tx-btn--lg" }),
        outside(`${issuer()}/help`, { class: "tx-app__away" }, "帮助"))));
}

/**
 * As what the app runs, where it may run as several things.
 * @returns {HTMLElement}
 */
export function surfaceQuestion() {
  const row = (key) => h("div", { class: "tx-opt-row" },
    h("input", {
      type: "radio", name: "surface", id: `surface-${key}`, checked: surface() === key,
      onchange: () => { runAs(key); draw(); },
    }),
    h("label", { for: `surface-${key}` }, h("span", { class: "tx-opt-row__t" }, SURFACES[key])));
  return h("fieldset", null, h("legend", null, "打开方式"), h("div", { class: "tx-opts" }, channel().surfaces.map(row)));
}

/** The sign-in of this phone is over. */
export function signedOutPage() {
  stopPage("登录已经结束", { icon: "log-out", kind: "wait" },
    ["可能是太久没有使用、您修改了密码、在「登录记录」里结束了这次登录，或者平台为了保护账号结束了它。", "重新登录后可以继续使用。"],
    button("重新登录", () => beginSignIn({ back: here() })));
}

/** Sign out, and say so. */
export async function leave() {
  const told = await signOut();
  history.replaceState(null, "", at("/"));
  goodbyePage(told);
}

/** The person has signed out. `told`: whether the provider heard it. */
function goodbyePage(told) {
  const more = told ? "再次使用需要重新登录。" : "没能通知统一身份认证平台，请在电脑上打开「登录记录」，结束这台手机的登录。";
  stopPage("已退出登录", { icon: told ? "circle-check" : "triangle-alert", kind: told ? "ok" : "wait" },
    ["这台手机上的登录凭据已经删除。", more], button("重新登录", () => beginSignIn()));
}

/**
 * A sign-in that did not come to its end.
 * @param {string} sentence what happened
 */
export function notSignedInPage(sentence) {
  stopPage("登录没有完成", { icon: "circle-alert", kind: "wait" }, [sentence],
    button("重新登录", () => beginSignIn()), button("返回首页", () => go("/", { replace: true }), { kind: "secondary" }));
}

/**
 * What is asked for needs a sign-in of just now; the one that is there is kept until then.
 * @param {string} sentence why
 * @param {string} back the page of this app to return to
 */
export function proveAgainPage(sentence, back) {
  stopPage("请重新登录", { icon: "key-round", kind: "wait" }, [sentence],
    button("重新登录", () => beginSignIn({ back })));
}

const TITLES = { offline: "手机没有连上网络", away: "暂时连不上平台" };

/**
 * A call that was refused or not answered.
 * @param {{status: number, body: {error: string, message: string}}} answer
 * @param {() => any} again what to try once more
 */
export function troublePage({ body }, again) {
  const home = at("/") === location.pathname ? null : button("返回首页", () => go("/"), { kind: "secondary" });
  stopPage(TITLES[body.error] || "这一步没有完成", { icon: body.error === "offline" ? "wifi-off" : "circle-alert", kind: "wait" },
    [body.message], button("重试", again), home);
}
