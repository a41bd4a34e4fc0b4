// Signing in at the provider by a full page: authorization code, PKCE, a code bound to this phone's key.

import { channel, channelOf, issuer } from "./config.js";
import { digest, phoneKey, provedFetch, random, thumbprint } from "./dpop.js";
import { forget, keep, kept } from "./store.js";
import { dropToken, holdToken, isAboutTheClock } from "./tokens.js";

const SCOPE = "openid profile app offline_access";
const PENDING_SECONDS = 1800;
const CLOCK_SECONDS = 60;

/** The sign-in did not come to its end; the message is the sentence for the person. */
export class SignInFailed extends Error {}

const callback = () => `${location.origin}/callback`;

/**
 * Go to the provider to sign in. He is asked who he is whatever this browser remembers: else the next one to
 * hold the phone would be signed in by one press.
 * @param {{back?: string}} [wish] `back`: the page of this app to return to
 */
export async function beginSignIn({ back = "/" } = {}) {
  const of = channel();
  const [state, nonce, verifier] = [random(), random(), random()];
  const pending = { channel: of.key, nonce, verifier, back, at: Date.now() };
  sessionStorage.setItem(`sign-in:${state}`, JSON.stringify(pending));
  const asked = new URLSearchParams({
    response_type: "code", client_id: of.client_id, redirect_uri: callback(), scope: SCOPE, state, nonce,
    code_challenge: await digest(verifier), code_challenge_method: "S256",
    dpop_jkt: await thumbprint(await phoneKey(of)), prompt: "login",
  });
  location.assign(`${issuer()}/oauth/authorize?${asked}`);
}

/**
 * Take the provider's answer and spend its code.
 * @param {URLSearchParams} answer of the callback address
 * @returns {Promise<{of: import("./config.js").Channel, back: string}>} which app was signed in, and the page of it to go on with
 * @throws {SignInFailed}
 */
export async function finishSignIn(answer) {
  const pending = takePending(answer.get("state") || "");
  const of = pending && channelOf(pending.channel);
  if (!of) throw new SignInFailed("这次登录已经结束，或者不是在这个窗口里开始的。");
  if (answer.get("iss") !== issuer()) throw new SignInFailed("答复不是来自统一身份认证平台，没有登录。");
  if (answer.get("error") === "access_denied") throw new SignInFailed("您没有同意登录，账号没有受到影响。");
  if (!answer.get("code")) throw new SignInFailed("统一身份认证平台没有完成这次登录，账号没有受到影响。");
  const tokens = await redeem(of, pending, answer.get("code"));
  checkIdToken(tokens.id_token, of, pending.nonce);
  if (!tokens.refresh_token || tokens.token_type.toLowerCase() !== "dpop") {
    throw new SignInFailed("统一身份认证平台的答复不完整，没有登录。");
  }
  await keep("refresh", tokens.refresh_token, of);
  holdToken(of, tokens);
  return { of, back: pending.back };
}

/**
 * End the sign-in of this phone, here and at the provider, and forget its key.
 * @returns {Promise<boolean>} whether the provider heard it
 */
export async function signOut() {
  const of = channel();
  const [refresh, key] = [await kept("refresh"), await phoneKey(of)];
  await forget();
  dropToken();
  if (!refresh) return true;
  const body = new URLSearchParams({ client_id: of.client_id, token: refresh, token_type_hint: "refresh_token" });
  try {
    return (await provedFetch(key, `${issuer()}/oauth/revoke`, { method: "POST", body })).ok;
  } catch {
    return false;
  }
}

function takePending(state) {
  const name = `sign-in:${state}`;
  const pending = JSON.parse(sessionStorage.getItem(name) || "null");
  sessionStorage.removeItem(name);
  return pending && Date.now() - pending.at < PENDING_SECONDS * 1000 ? pending : null;
}

async function redeem(of, { verifier }, code) {
  const body = new URLSearchParams({
    grant_type: "authorization_code", client_id: of.client_id, redirect_uri: callback(), code, code_verifier: verifier,
  });
  let answer;
  try {
    answer = await provedFetch(await phoneKey(of), `${issuer()}/oauth/token`, { method: "POST", body });
  } catch {
    throw new SignInFailed("登录到最后一步时连不上统一身份认证平台，没有完成。请检查网络后重新登录。");
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  if (isAboutTheClock(told)) {
    throw new SignInFailed("手机的时间不准。请在系统设置里打开「自动设置时间」，再重新登录。");
  }
  throw new SignInFailed("统一身份认证平台没有接受这次登录，账号没有受到影响。");
}

/** What a client that got the token from the token endpoint itself must look at (OIDC Core §3.1.3.7). */
function checkIdToken(token, of, nonce) {
  const claims = claimsOf(token);
  const audience = [].concat(claims.aud || []);
  const good = claims.iss === issuer() && audience.includes(of.client_id) &&
    (audience.length === 1 || claims.azp === of.client_id) &&
    claims.nonce === nonce && claims.exp > Date.now() / 1000 - CLOCK_SECONDS;
  if (!good) throw new SignInFailed("登录凭据不是给这个 App 的，没有登录。");
}

function claimsOf(token) {
  try {
    const bytes = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))));
  } catch {
    return {};
  }
}
