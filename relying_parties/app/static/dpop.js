// Proofs of possession (DPoP, RFC 9449): each request to the provider is signed by a key that never leaves the phone.

import { keep, kept } from "./store.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const encoder = new TextEncoder();
// The provider's latest: it outlives a load of the page, and spares the first call of the next one.
const NONCE = "dpop-nonce";
const PATIENCE = 15_000; // milliseconds

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 * @returns {string} base64url without padding (RFC 4648 §5)
 */
export const b64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/**
 * @param {string} text
 * @returns {Promise<string>} SHA-256 of its UTF-8, in base64url
 */
export const digest = async (text) => b64url(await crypto.subtle.digest("SHA-256", encoder.encode(text)));

/** @returns {string} 256 random bits in base64url */
export const random = () => b64url(crypto.getRandomValues(new Uint8Array(32)));

/**
 * The key of this phone, made at the first need.
 * @param {import("./config.js").Channel} of the app it is for
 * @returns {Promise<CryptoKeyPair>}
 */
export async function phoneKey(of) {
  const known = await kept("key", of);
  if (known) return known;
  const made = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  await keep("key", made, of);
  return made;
}

const nonce = () => sessionStorage.getItem(NONCE) || "";

async function publicJwk(pair) {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { crv, kty, x, y };
}

/**
 * @param {CryptoKeyPair} pair
 * @returns {Promise<string>} the thumbprint (RFC 7638) that a code is bound to by `dpop_jkt` (RFC 9449 §10)
 */
export const thumbprint = async (pair) => digest(JSON.stringify(await publicJwk(pair)));

async function proof(pair, method, address, token) {
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: await publicJwk(pair) };
  const claims = {
    jti: random(), htm: method, htu: address.split(/[?#]/)[0], iat: Math.floor(Date.now() / 1000),
    ...(nonce() && { nonce: nonce() }), ...(token && { ath: await digest(token) }),
  };
  const part = (value) => b64url(encoder.encode(JSON.stringify(value)));
  const signed = `${part(header)}.${part(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, encoder.encode(signed));
  return `${signed}.${b64url(signature)}`;
}

/**
 * @returns {AbortSignal} ends a request that nobody answers; phones of 2020 know no shorter way
 */
export function inTime() {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), PATIENCE);
  return stop.signal;
}

/**
 * A request with a proof; once more with the provider's nonce when it asks for one (§8).
 * @param {CryptoKeyPair} pair
 * @param {string} address of the provider
 * @param {RequestInit} request `method`, `headers` (an object), `body`
 * @param {string} [token] the access token to send with it
 * @returns {Promise<Response>} also refusals; throws TypeError or DOMException where nobody answered
 */
export async function provedFetch(pair, address, request, token = "") {
  const send = async () => {
    const headers = { ...request.headers, DPoP: await proof(pair, request.method, address, token) };
    if (token) headers.Authorization = `DPoP ${token}`;
    const answer = await fetch(address, {
      ...request, headers, credentials: "omit", cache: "no-store", redirect: "error", signal: inTime(),
    });
    sessionStorage.setItem(NONCE, answer.headers.get("DPoP-Nonce") || nonce());
    return answer;
  };
  const answer = await send();
  if (answer.status !== 400 && answer.status !== 401) return answer;
  const told = await answer.clone().json().catch(() => ({}));
  return told.error === "use_dpop_nonce" ? send() : answer;
}
