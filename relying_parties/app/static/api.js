// Calls to the provider's scan room: signed by this phone's key, with the access token where somebody is signed in.

import { channel, issuer } from "./config.js";
import { inTime, phoneKey, provedFetch } from "./dpop.js";
import { SignInEnded, WrongClock, accessToken, dropToken, isAboutTheClock, isSignedIn } from "./tokens.js";

export { isSignedIn };

const OFFLINE = "手机没有连上网络。请检查网络后重试。";
const AWAY = "暂时连不上统一身份认证平台，没有办理任何业务。请稍后重试。";
const ENDED = "登录已经结束，请重新登录。";
const WRONG_CLOCK = "手机的时间不准。请在系统设置里打开「自动设置时间」后重试。";

/**
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {number} status  0 where nobody answered
 * @property {any} body       JSON; of a refusal always with `error` and `message`, the sentence for the person
 */

/**
 * Call the provider. Never throws. Whoever is not signed in calls without a token (face checks); a sign-in that
 * has ended is told by the event `signed-out` of the document, whose listener draws the page that says so.
 * @param {"GET" | "POST"} method
 * @param {string} path "/scan/me"
 * @param {object} [body] sent as JSON
 * @returns {Promise<Answer>}
 */
export async function call(method, path, body) {
  try {
    return await called(method, path, body);
  } catch (failed) {
    if (failed instanceof SignInEnded) return ended();
    if (failed instanceof WrongClock) return refused(401, "invalid_dpop_proof", WRONG_CLOCK);
    return navigator.onLine ? refused(0, "away", AWAY) : refused(0, "offline", OFFLINE);
  }
}

async function called(method, path, body) {
  const was = await isSignedIn();
  const first = await sent(method, path, body, await accessToken());
  // A fresh token would not help against a wrong clock.
  if (first.status !== 401 || isAboutTheClock(first.body) || !was) return first;
  // The token may have run out on the way, or its sign-in ended: a fresh one tells.
  dropToken();
  const again = await sent(method, path, body, await accessToken());
  return again.status === 401 && again.body.error === "invalid_token" ? ended() : again;
}

async function sent(method, path, body, token) {
  const headers = { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) };
  const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const address = issuer() + path;
  const key = await phoneKey(channel());
  const answer = await (token ? provedFetch(key, address, request, token) : plainFetch(address, request));
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return { ok: true, status: answer.status, body: told };
  const wait = Number(answer.headers.get("Retry-After")) || undefined;
  const message = told.message || (told.error === "invalid_dpop_proof" ? WRONG_CLOCK : AWAY);
  return { ok: false, status: answer.status, body: { error: "away", ...told, message, wait } };
}

const plainFetch = (address, request) =>
  fetch(address, { ...request, credentials: "omit", cache: "no-store", redirect: "error", signal: inTime() });

function ended() {
  dropToken();
  document.dispatchEvent(new CustomEvent("signed-out"));
  return refused(401, "signed_out", ENDED);
}

const refused = (status, error, message) => ({ ok: false, status, body: { error, message } });
