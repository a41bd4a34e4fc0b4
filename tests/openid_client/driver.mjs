// An independent relying party for the tests: the certified openid-client library, one command a process.
//
//   echo '{"issuer": "http://localhost:8000", "client_id": "…", …}' | node driver.mjs COMMAND
//
// Reads one JSON object on standard input, prints one on standard output: the result (exit code 0) or
// {"error": {…}} (exit code 1). It keeps nothing between commands: what `authorize` returns (state, nonce,
// code_verifier) is handed back to `complete` by the caller, as a portal would keep it in its own session.
//
// Every command but `version` takes: issuer, client_id, client_secret, auth_method ("basic", "post" or
// "none"), id_token_alg (RS256 unless given). What a command takes besides stands above it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as oidc from "openid-client";

const SECONDS_PER_REQUEST = 10;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const CLIENT_AUTHENTICATION = {
  basic: oidc.ClientSecretBasic,
  post: oidc.ClientSecretPost,
  none: () => oidc.None(),
};

/** The configuration of one client, from a real discovery request. */
async function configure({ issuer, client_id, client_secret, auth_method = "basic", id_token_alg = "RS256" }) {
  const authentication = CLIENT_AUTHENTICATION[auth_method];
  if (!authentication) throw new TypeError(`auth_method must be basic, post or none, not ${auth_method}`);
  const server = new URL(issuer);
  // openid-client marks the switch as deprecated only to make it stand out; plain http stays on this machine.
  const extensions = [oidc.enableNonRepudiationChecks];
  if (server.protocol === "http:" && LOOPBACK.has(server.hostname)) extensions.push(oidc.allowInsecureRequests);
  return oidc.discovery(
    server,
    client_id,
    { id_token_signed_response_alg: id_token_alg },
    authentication(client_secret),
    { execute: extensions, timeout: SECONDS_PER_REQUEST },
  );
}

/** A token answer as plain JSON, with the verified claims of its ID token (absent without one). */
function tokens(answer) {
  return { ...answer, claims: answer.claims() };
}

const COMMANDS = {
  /** Which library and runtime answer here; needs no provider. */
  async version() {
    const installed = createRequire(import.meta.url)("openid-client/package.json").version;
    return { openid_client: installed, node: process.versions.node };
  },

  /** The provider's metadata, after the library has checked them. */
  async discover(input) {
    return (await configure(input)).serverMetadata();
  },

  /** redirect_uri, scope, parameters (any others): where to send the browser, and what to keep until it is back. */
  async authorize(input) {
    const config = await configure(input);
    const kept = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      code_verifier: oidc.randomPKCECodeVerifier(),
    };
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: input.redirect_uri,
      scope: input.scope ?? "openid",
      state: kept.state,
      nonce: kept.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(kept.code_verifier),
      code_challenge_method: "S256",
      ...input.parameters,
    });
    return { url: url.href, ...kept };
  },

  /** callback_url, state, nonce, code_verifier, max_age: the tokens for the code in the callback. */
  async complete(input) {
    const checks = {
      expectedState: input.state,
      expectedNonce: input.nonce,
      pkceCodeVerifier: input.code_verifier,
      maxAge: input.max_age,
      idTokenExpected: true,
    };
    return tokens(await oidc.authorizationCodeGrant(await configure(input), new URL(input.callback_url), checks));
  },

  /** refresh_token, parameters: the next tokens. */
  async refresh(input) {
    return tokens(await oidc.refreshTokenGrant(await configure(input), input.refresh_token, input.parameters));
  },

  /** access_token, sub: the user's claims, which must be about `sub`. */
  async userinfo(input) {
    return oidc.fetchUserInfo(await configure(input), input.access_token, input.sub);
  },

  /** token, parameters (token_type_hint): what the provider says of the token. */
  async introspect(input) {
    return oidc.tokenIntrospection(await configure(input), input.token, input.parameters);
  },

  /** token, parameters (token_type_hint): ends the token. */
  async revoke(input) {
    await oidc.tokenRevocation(await configure(input), input.token, input.parameters);
    return { revoked: true };
  },

  /** id_token_hint, post_logout_redirect_uri, state, parameters: where to send the browser to sign out. */
  async "logout-url"(input) {
    const { id_token_hint, post_logout_redirect_uri, state, parameters } = input;
    const given = Object.entries({ id_token_hint, post_logout_redirect_uri, state, ...parameters });
    const present = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    return { url: oidc.buildEndSessionUrl(await configure(input), present).href };
  },
};

/** A failure as JSON: the OAuth error and HTTP status where the provider sent one, and every cause. */
function described(error) {
  const { name, message, code, error: oauth_error, error_description, status } = error;
  const cause = error.cause instanceof Error ? described(error.cause) : undefined;
  return { name, message, code, oauth_error, error_description, status, cause };
}

async function main([name]) {
  if (!Object.hasOwn(COMMANDS, name ?? "")) {
    throw new TypeError(`the commands are: ${Object.keys(COMMANDS).join(", ")}`);
  }
  return COMMANDS[name](JSON.parse(readFileSync(0, "utf8") || "{}"));
}

try {
  console.log(JSON.stringify(await main(process.argv.slice(2))));
} catch (error) {
  console.log(JSON.stringify({ error: described(error) }));
  process.exitCode = 1;
}
