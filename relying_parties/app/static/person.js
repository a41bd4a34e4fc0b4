// Who is signed in, as the provider says it, and which of his identities this phone offers first.

import { call, isSignedIn } from "./api.js";
import { skinBar } from "./frame.js";
import { go, here, welcomeBefore } from "./router.js";
import { keep, kept } from "./store.js";
import { entryPage, troublePage } from "./troubles.js";
import { h, show } from "./view.js";

/**
 * The person at this phone, asked anew; without one, the page that says what is missing is drawn.
 * @param {() => any} again draws the page that asks, once more
 * @param {{withPin?: boolean}} [wish] `withPin`: whoever has not finished his first use is sent to finish it
 * @returns {Promise<object | null>} the answer of GET /scan/me; null when another page has been drawn
 */
export async function whoIsHere(again, { withPin = true } = {}) {
  if (!(await isSignedIn())) {
    entryPage();
    return null;
  }
  sayOpening();
  const { ok, status, body } = await call("GET", "/scan/me");
  if (!ok) {
    if (body.error !== "signed_out") troublePage({ status, body }, again);
    return null;
  }
  // In an app that does not scan yet there is nothing to unlock.
  if (withPin && !body.pin.set && !body.closed) {
    go("/welcome", { replace: true });
    return null;
  }
  return body;
}

/**
 * Whoever has not finished his first use does so before he scans, and comes back. Where that cannot be asked now,
 * the scan will say.
 * @param {string} back the page of this app that asks
 */
export async function finishFirstUse(back) {
  if (!(await isSignedIn())) return;
  const { ok, body } = await call("GET", "/scan/me");
  if (ok && !body.pin.set && !body.closed && here() === back) await go(welcomeBefore(back), { replace: true });
}

function sayOpening() {
  const room = document.getElementById("app");
  if (room.querySelector("h1")) return;
  show("正在打开", skinBar(), h("main", { class: "tx-app__main", id: "main" }, h("p", { role: "status" }, "正在打开…")));
}

/**
 * The identity this phone offers first.
 * @returns {Promise<string | undefined>} its key, as chosen on the home page; it may have ended meanwhile
 */
export const defaultIdentity = () => kept("identity");

/**
 * @param {string} key of an identity of GET /scan/me
 */
export const chooseIdentity = (key) => keep("identity", key);

/**
 * @param {object} me the answer of GET /scan/me
 * @returns {Promise<object | undefined>} the identity chosen, or the first there is; none in an app that is closed
 */
export async function currentIdentity(me) {
  const chosen = await defaultIdentity();
  return me.identities.find((each) => each.key === chosen) || me.identities[0];
}

/**
 * @param {{company: string | null}} identity
 * @param {{name: string}} me
 * @returns {string} the company, or the person's masked name
 */
export const nameOf = (identity, me) => identity.company || me.name;

/** The icon of an identity. */
export const glyphOf = (identity) => (identity.company ? "building-2" : "user-round");
