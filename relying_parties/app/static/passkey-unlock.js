/** Unlocking the app with a passkey: the phone's own assertion, as JSON (WebAuthn Level 3, §5.1). */

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Whether this browser knows passkeys at all. */
export const hasPasskeys = () => Boolean(window.PublicKeyCredential);

/**
 * Ask the phone for the passkey that `options` (PublicKeyCredentialRequestOptions as JSON) wants.
 * @returns {Promise<object | null>} the assertion as JSON; null where the person gave none.
 */
export async function askPasskey(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map((each) => ({ ...each, id: bytes(each.id) })),
  };
  let credential;
  try {
    credential = await navigator.credentials.get({ publicKey });
  } catch {
    return null;
  }
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      ...(userHandle ? { userHandle: text(userHandle) } : {}),
    },
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}
