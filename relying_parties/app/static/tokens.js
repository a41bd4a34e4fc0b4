// The access token lives in this window alone; the refresh token on the phone, spent by one window at a time.

import { channel, issuer } from "./config.js";
import { phoneKey, provedFetch } from "./dpop.js";
import { forget, keep, kept } from "./store.js";

const EARLY_SECONDS = 20;
const RETRY_MILLISECONDS = 1500;
let held = null;

/** The provider ended this sign-in, or it ended by itself. */
export class SignInEnded extends Error {}

/** The provider could not be reached, or cannot answer now. */
export class Away extends Error {}

/** The clock of this phone is wrong, so that no proof of it counts; the sign-in is kept. */
export class WrongClock extends Error {}

/**
 * @param {{error_uri?: string}} told a refusal of the provider
 * @returns {boolean} whether the proof was not made just now, by the provider's clock
 */
export const isAboutTheClock = ({ error_uri: number = "" }) => number.endsWith("#3007");

/**
 * Keep an access token for the rest of this window's life.
 * @param {import("./config.js").Channel} of
 * @param {{access_token: string, expires_in: number}} answer of the token endpoint
 */
export function holdToken(of, answer) {
  held = { key: of.key, token: answer.access_token, until: Date.now() + answer.expires_in * 1000 };
}

/** Let go of the access token: the next call asks for another. */
export const dropToken = () => {
  held = null;
};

/** @returns {Promise<boolean>} whether somebody is signed in to this app on this phone */
export const isSignedIn = async () => Boolean(await kept("refresh"));

/**
 * @returns {Promise<string>} an access token that counts for a while; empty where nobody is signed in
 * @throws {SignInEnded | Away | WrongClock}
 */
export async function accessToken() {
  const of = channel();
  if (held && held.key === of.key && held.until - Date.now() > EARLY_SECONDS * 1000) return held.token;
  // One window at a time: the second one finds the successor that the first one has put back.
  return navigator.locks.request(`tongxing-refresh-${of.key}`, () => refreshed(of));
}

async function refreshed(of) {
  const spent = await kept("refresh", of);
  if (!spent) return "";
  // What was lost on the way is asked for again, now or after days without a network: the provider gives this
  // phone's key the same successor until that one is used, so the spent token is kept until its successor is.
  const answer = (await tried(of, spent)) || (await later(() => tried(of, spent)));
  if (!answer) throw new Away();
  await keep("refresh", answer.refresh_token || spent, of);
  holdToken(of, answer);
  return answer.access_token;
}

async function later(work) {
  await new Promise((resolve) => { setTimeout(resolve, RETRY_MILLISECONDS); });
  return work();
}

/** As `asked`; null also where nobody answered. */
async function tried(of, refresh) {
  try {
    return await asked(of, refresh);
  } catch (failed) {
    if (failed instanceof SignInEnded || failed instanceof WrongClock) throw failed;
    return null;
  }
}

/** The token endpoint's answer; null where it cannot answer now. */
async function asked(of, refresh) {
  const body = new URLSearchParams({ grant_type: "refresh_token", client_id: of.client_id, refresh_token: refresh });
  const answer = await provedFetch(await phoneKey(of), `${issuer()}/oauth/token`, { method: "POST", body });
  if (answer.ok) return answer.json();
  if (answer.status >= 500 || answer.status === 429) return null;
  const told = await answer.json().catch(() => ({}));
  if (isAboutTheClock(told)) throw new WrongClock();
  // Only the provider ends a sign-in; a proof, or a proxy in between, says nothing of it.
  if (told.error !== "invalid_grant") return null;
  await forget();
  throw new SignInEnded();
}
