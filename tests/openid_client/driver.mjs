// An independent relying party for the tests: the certified openid-client library, one command a line.
//
//   echo '{"command": "discover", "given": {"issuer": "http://localhost:8000", …}}' | node driver.mjs
//
// Reads one JSON object a line on standard input, prints one a line on standard output: {"result": {…}} or
// {"error": {…}}. It keeps nothing between commands: what `authorize` returns (state, nonce,
// code_verifier) is handed back to `complete` by the caller, as a portal would keep it in its own session.
//
// Every command but `version` takes: issuer, client_id, client_secret, auth_method ("basic", "post", "key"
// or "none"), id_token_alg (RS256 unless given), client_key (a private JWK with alg and kid: what "key" and
// signed requests sign with), dpop_key (a private JWK with alg: every token is bound to it). What a command
// takes besides stands above it.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import * as oidc from "openid-client";

const SECONDS_PER_REQUEST = 10;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const CLIENT_AUTHENTICATION = {
  basic: async ({ client_secret }) => oidc.ClientSecretBasic(client_secret),
  post: async ({ client_secret }) => oidc.ClientSecretPost(client_secret),
  key: async ({ client_key }) => oidc.PrivateKeyJwt(await signer(client_key)),
  none: async () => oidc.None(),
};
const WEB_CRYPTO = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  EdDSA: { name: "Ed25519" },
};

/** One half of a key pair that came as a private JWK. */
function imported({ alg, kid, use, d, ...rest }, usage) {
  const jwk = usage === "sign" ? { ...rest, d } : Object.fromEntries(publicMembers(rest));
  return crypto.subtle.importKey("jwk", jwk, WEB_CRYPTO[alg], true, [usage]);
}

/** What a public JWK is made of: of an RSA key also p, q and the like would be private. */
function publicMembers(jwk) {
  return Object.entries(jwk).filter(([name]) => ["kty", "crv", "x", "y", "n", "e"].includes(name));
}

/** A private key with its name. */
async function signer(jwk) {
  return { key: await imported(jwk, "sign"), kid: jwk.kid };
}

/** The options that bind tokens to the DPoP key, if one was given. */
async function bound(config, { dpop_key }) {
  if (!dpop_key) return {};
  const pair = { privateKey: await imported(dpop_key, "sign"), publicKey: await imported(dpop_key, "verify") };
  return { DPoP: oidc.getDPoPHandle(config, pair) };
}

/** The configuration of one client, from a real discovery request. */
async function configure(input) {
  const { issuer, client_id, auth_method = "basic", id_token_alg = "RS256" } = input;
  const authentication = CLIENT_AUTHENTICATION[auth_method];
  if (!authentication) throw new TypeError(`auth_method must be basic, post, key or none, not ${auth_method}`);
  const server = new URL(issuer);
  // openid-client marks the switch as deprecated only to make it stand out; plain http stays on this machine.
  const extensions = [oidc.enableNonRepudiationChecks];
  if (server.protocol === "http:" && LOOPBACK.has(server.hostname)) extensions.push(oidc.allowInsecureRequests);
  return oidc.discovery(
    server,
    client_id,
    { id_token_signed_response_alg: id_token_alg },
    await authentication(input),
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

  /**
   * redirect_uri, scope, parameters (any others), sent ("query", "pushed" or "signed"): where to send the
   * browser, and what to keep until it is back.
   */
  async authorize(input) {
    const config = await configure(input);
    const kept = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      code_verifier: oidc.randomPKCECodeVerifier(),
    };
    const asked = {
      redirect_uri: input.redirect_uri,
      scope: input.scope ?? "openid",
      state: kept.state,
      nonce: kept.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(kept.code_verifier),
      code_challenge_method: "S256",
      ...input.parameters,
    };
    const url = await {
      query: () => oidc.buildAuthorizationUrl(config, asked),
      pushed: async () => oidc.buildAuthorizationUrlWithPAR(config, asked, await bound(config, input)),
      signed: async () => oidc.buildAuthorizationUrlWithJAR(config, asked, await signer(input.client_key)),
    }[input.sent ?? "query"]();
    return { url: url.href, ...kept };
  },

  /**
   * callback_url, form (what a form_post carried), state, nonce, code_verifier, max_age, parameters: the
   * tokens for the code in the callback.
   */
  async complete(input) {
    const config = await configure(input);
    const checks = {
      expectedState: input.state,
      expectedNonce: input.nonce,
      pkceCodeVerifier: input.code_verifier,
      maxAge: input.max_age,
      idTokenExpected: true,
    };
    const url = new URL(input.callback_url);
    const callback = input.form ? new Request(url, { method: "POST", body: new URLSearchParams(input.form) }) : url;
    return tokens(
      await oidc.authorizationCodeGrant(config, callback, checks, input.parameters, await bound(config, input)),
    );
  },

  /** refresh_token, parameters: the next tokens. */
  async refresh(input) {
    const config = await configure(input);
    const options = await bound(config, input);
    return tokens(await oidc.refreshTokenGrant(config, input.refresh_token, input.parameters, options));
  },

  /** parameters (scope, resource): a token for the client itself. */
  async "client-credentials"(input) {
    const config = await configure(input);
    return oidc.clientCredentialsGrant(config, input.parameters, await bound(config, input));
  },

  /** parameters (scope): the codes of a device, as the provider gives them. */
  async device(input) {
    return oidc.initiateDeviceAuthorization(await configure(input), input.parameters);
  },

  /** device (what `device` answered): the tokens, once the person has decided. */
  async "device-poll"(input) {
    const config = await configure(input);
    const options = await bound(config, input);
    return tokens(await oidc.pollDeviceAuthorizationGrant(config, input.device, undefined, options));
  },

  /** token (an initial access token), metadata: the client that was registered. */
  async register(input) {
    const extensions = [oidc.allowInsecureRequests];
    const options = { initialAccessToken: input.token, execute: extensions, timeout: SECONDS_PER_REQUEST };
    const config = await oidc.dynamicClientRegistration(new URL(input.issuer), input.metadata, undefined, options);
    return config.clientMetadata();
  },

  /** access_token, sub: the user's claims, which must be about `sub`. */
  async userinfo(input) {
    const config = await configure(input);
    return oidc.fetchUserInfo(config, input.access_token, input.sub, await bound(config, input));
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

async function answered({ command, given }) {
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new TypeError(`the commands are: ${Object.keys(COMMANDS).join(", ")}`);
  }
  return COMMANDS[command](given);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ result: await answered(JSON.parse(line)) }));
  } catch (error) {
    console.log(JSON.stringify({ error: described(error) }));
  }
}
