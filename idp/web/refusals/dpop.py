"""3000: proofs of possession (RFC 9449)."""

from __future__ import annotations

from idp.web.refusals import numbered

PROOF_MALFORMED = numbered(
    3001,
    "invalid_dpop_proof",
    "The DPoP proof is not a signed JWT of at most 4 kB with typ dpop+jwt.",
    fix="Send one DPoP header: a compact JWS with typ dpop+jwt, alg, and the public key as jwk, without crit "
    "and with every name once.",
    source="RFC 9449 §4.2, §4.3",
)
TWO_PROOFS = numbered(
    3002,
    "invalid_dpop_proof",
    "More than one DPoP proof was sent.",
    fix="Send the DPoP header once; look for a proxy or a retry that adds a second one.",
    source="RFC 9449 §4.3",
)
PROOF_KEY = numbered(
    3003,
    "invalid_dpop_proof",
    "The DPoP proof names no key we accept.",
    fix="Put the public key alone into jwk: P-256, Ed25519 or RSA of 2048 to 8192 bits. If a private key was "
    "sent, it is burnt: make a new one.",
    source="RFC 9449 §4.3",
)
PROOF_ALGORITHM = numbered(
    3004,
    "invalid_dpop_proof",
    "The DPoP proof is signed with an algorithm this client may not use.",
    fix="Sign with one of dpop_signing_alg_values_supported; a client of profile fapi2 not with RS256.",
    source="RFC 9449 §4.3, FAPI 2.0 Security Profile §5.4",
)
PROOF_SIGNATURE = numbered(
    3005,
    "invalid_dpop_proof",
    "The DPoP proof is not signed by the key it names.",
    fix="Sign with the private key whose public half stands in jwk, by the algorithm that stands in alg.",
    source="RFC 9449 §4.3",
)
PROOF_ELSEWHERE = numbered(
    3006,
    "invalid_dpop_proof",
    "The DPoP proof is for another method or address.",
    fix="Set htm to the method and htu to the endpoint's address as the discovery document has it, without "
    "query and fragment; make a proof for each request.",
    source="RFC 9449 §4.3",
)
PROOF_TIME = numbered(
    3007,
    "invalid_dpop_proof",
    "The DPoP proof was not made just now.",
    fix="Set iat to the present second, make the proof right before sending it, and keep your clock right: "
    "10 seconds ahead and 60 behind are tolerated.",
    source="RFC 9449 §11.1",
    zh="手机的时间不准，没有做任何更改。请在系统设置里打开「自动设置时间」后再试，不用重新登录。",
)
PROOF_REPLAYED = numbered(
    3008,
    "invalid_dpop_proof",
    "The DPoP proof was used before, or its jti is missing or too long.",
    fix="Make a proof for each request, retries too, each with a fresh random jti of at most 128 characters.",
    source="RFC 9449 §11.1",
)
NONCE_REQUIRED = numbered(
    3009,
    "use_dpop_nonce",
    "The DPoP proof needs the nonce of this answer.",
    fix="Send the request again with the value of the DPoP-Nonce header as nonce in a fresh proof, and from "
    "then on use the newest one you were given. This happens at the first request and after a pause.",
    source="RFC 9449 §8",
)
PROOF_REQUIRED = numbered(
    3010,
    "invalid_dpop_proof",
    "This client must send a DPoP proof.",
    fix="Send a DPoP header to the token and PAR endpoints; the client is registered for "
    "dpop_bound_access_tokens.",
    source="RFC 9449 §5.2",
)
OTHER_KEY_THAN_CODE = numbered(
    3011,
    "invalid_grant",
    "The code was asked for with another DPoP key.",
    fix="Redeem the code with a proof by the key whose thumbprint was dpop_jkt, or that signed the proof at "
    "the PAR endpoint.",
    source="RFC 9449 §10",
)
OTHER_KEY_THAN_GRANT = numbered(
    3012,
    "invalid_grant",
    "The refresh token is bound to another DPoP key.",
    fix="Refresh with a proof by the key the token was first issued to; a public client that lost it sends "
    "the person to sign in again.",
    source="RFC 9449 §5",
)
TOKEN_MISMATCH = numbered(
    3013,
    "invalid_dpop_proof",
    "The DPoP proof is not for this access token.",
    fix="Set ath to the base64url SHA-256 of the access token you send, in a fresh proof.",
    source="RFC 9449 §7.1",
)
