// How a scanned sign-in ended: confirmed, refused, or stopped, each with what to do now.

import { at } from "./config.js";
import { stopPage } from "./frame.js";
import { go } from "./router.js";
import { button } from "./view.js";
import { isOnAPhone } from "./words.js";

/** What ends a scanned code, by the provider's error: the fact as a title, and whether scanning anew is of use. */
const ENDINGS = {
  ticket_unknown: ["二维码已失效", true],
  ticket_expired: ["二维码已过期", true],
  ticket_ended: ["登录已取消", true],
  ticket_used: ["已经确认过了", false],
  scanned_by_another: ["二维码已被别的手机扫过", true],
  not_scanned: ["请重新扫码", true],
  wrong_number: ["登录已取消", true],
  channel_closed: ["这个 App 不能扫码登录", false],
  wrong_surface: ["小程序里不能扫码登录", false],
  wrong_purpose: ["这个 App 不能办理这项操作", false],
  unauthorized_client: ["这个 App 不能扫码登录", false],
  insufficient_scope: ["需要重新登录", false],
  not_a_person: ["需要用个人账号登录", false],
  no_identity: ["没有可用的身份", false],
  card_not_activated: ["电子社保卡还没有激活", false],
  card_not_recorded: ["不能用电子社保卡登录", false],
  check_gone: ["人脸核验已失效", false],
  too_many_scans: ["请稍后再扫码", false],
  too_many_wrong_numbers: ["扫码登录已暂停", false],
};

/** A page of an ending. What it ended is over: loaded anew, the window shows the app's home. */
export function ending(...said) {
  history.replaceState(null, "", at("/"));
  stopPage(...said);
}

const home = (kind) => button("回首页", () => go("/", { replace: true }), { kind });
const again = () => button("重新扫码", () => go("/scan", { replace: true }), { icon: "scan-line" });

/**
 * @param {import("./api.js").Answer} answer a refusal
 * @returns {boolean} whether nothing more can be done with the code that was scanned
 */
export const isOver = ({ body }) => Object.keys(ENDINGS).includes(body.error);

/** Say how it ended; `answer` is a refusal of which :func:`isOver` is true. */
export function endedPage({ body }) {
  const [title, anew] = ENDINGS[body.error];
  const ways = anew ? [again(), home("secondary")] : [home("")];
  const looks = body.error === "ticket_used" ? { icon: "info" } : { icon: "circle-x", kind: "wait" };
  ending(title, looks, [body.message], ...ways);
}

/**
 * The clock of the page ran out before anything was answered.
 * @param {{system?: string}} [browser] the one that waits
 */
export function expiredPage(browser = {}) {
  const late = "没有在规定时间内确认，这次登录已失效，没有人登录。";
  const looks = { icon: "clock", kind: "wait" };
  if (isOnAPhone(browser)) return ending("等待超时", looks, [late, "需要登录时，请回到刚才的网页，再打开一次。"], home(""));
  return ending("等待超时", looks, [`${late}需要登录时，请在电脑上刷新二维码，再扫一次。`], again(), home("secondary"));
}

/**
 * He confirmed.
 * @param {string} portal
 * @param {string} identity in words
 * @param {{system?: string}} browser the one that waits
 */
export const confirmedPage = (portal, identity, browser) =>
  ending("已确认登录", { icon: "circle-check", kind: "ok" },
    [`您以「${identity}」登录「${portal}」。`,
      isOnAPhone(browser) ? "请回到刚才的网页，它几秒内会自动继续。" : "请回到电脑上继续。页面几秒内会自己打开。"], home(""));

/**
 * He refused.
 * @param {string} portal
 * @param {{system?: string}} browser the one that waits
 */
export const deniedPage = (portal, browser) =>
  ending("已拒绝", { icon: "circle-x", kind: "bad" },
    [`未登录「${portal}」，${isOnAPhone(browser) ? "刚才的网页" : "电脑上的页面"}已同步提示。`,
      "如果不是您本人发起的登录，您的账号没有受到影响。请不要扫别人发来的二维码，也不要把口令告诉别人。"], home(""));

/**
 * The code could not be asked about just now; nothing is lost.
 * @param {import("./api.js").Answer} answer
 * @param {() => any} retry
 */
export const notNowPage = ({ body }, retry) =>
  stopPage("没有打开登录请求", { icon: "wifi-off", kind: "wait" }, [body.message], button("重试", retry), home("secondary"));
