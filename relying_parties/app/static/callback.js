// Where the provider sends the browser back to, for every app of this address.

import { at, channel } from "./config.js";
import { go } from "./router.js";
import { SignInFailed, finishSignIn } from "./signin.js";
import { isSignedIn } from "./tokens.js";
import { notSignedInPage } from "./troubles.js";

/**
 * Finish the sign-in, and go on to where it was begun.
 * @param {URLSearchParams} answer of the provider
 */
export async function callbackPage(answer) {
  // The code is spent in a moment; it stands in no history whatever comes of it.
  history.replaceState(null, "", location.pathname);
  try {
    const { of, back } = await finishSignIn(answer);
    if (of.key === channel().key) await go(back, { replace: true });
    else location.replace(at(back, of));
  } catch (failed) {
    if (!(failed instanceof SignInFailed)) throw failed;
    if (!answer.has("code") && !answer.has("error") && (await isSignedIn())) await go("/", { replace: true });
    else notSignedInPage(failed.message);
  }
}
