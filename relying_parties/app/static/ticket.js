// The ticket that a code names, and the page it leads to: a sign-in to confirm, or a face to check.

import { call, isSignedIn } from "./api.js";
import { at, issuer, surface } from "./config.js";
import { confirmPage } from "./confirm.js";
import { random } from "./dpop.js";
import { facePage } from "./face.js";
import { barPage } from "./frame.js";
import { defaultIdentity } from "./person.js";
import { endedPage, isOver, notNowPage } from "./result.js";
import { go, here, welcomeBefore } from "./router.js";
import { entryPage } from "./troubles.js";
import { h } from "./view.js";

const TICKET = /^[A-Za-z0-9_-]{22}$/;

/**
 * @param {string} text what a code says
 * @returns {string | null} the ticket of this provider that it names; null for anything else (SECURITY 50)
 */
export function ticketIn(text) {
  const start = `${issuer()}/q/`;
  const ticket = text.startsWith(start) ? text.slice(start.length) : "";
  return TICKET.test(ticket) ? ticket : null;
}

/**
 * Tell the provider that this phone scanned it, and draw what it asks.
 * @param {string} ticket
 */
export async function openTicket(ticket) {
  // A window that is loaded anew finds back to the same request.
  history.replaceState(null, "", at(`/open?code=${encodeURIComponent(`${issuer()}/q/${ticket}`)}`));
  let left = false;
  document.addEventListener("page-left", () => { left = true; }, { once: true });
  barPage("登录请求", { backIcon: "x", backLabel: "关闭" }, h("p", { role: "status" }, "正在打开…"));
  const known = await isSignedIn();
  const phone = known ? {} : { phone: nameFor(ticket) };
  const scan = () => call("POST", `/scan/tickets/${ticket}/scan`, { surface: surface(), ...phone });
  const [answer, usual] = await Promise.all([scan(), defaultIdentity()]);
  if (!left) draw(answer, { known, phone, usual, scan, ticket });
}

/** Who this phone is to the provider while nobody is signed in on it; the same when its page is loaded anew. */
function nameFor(ticket) {
  const place = `phone:${ticket}`;
  const name = sessionStorage.getItem(place) || random();
  sessionStorage.setItem(place, name);
  return name;
}

function draw(answer, { known, phone, usual, scan, ticket }) {
  const { ok, body } = answer;
  if (ok && body.purpose === "face") return facePage(body, phone);
  // Without a PIN the first use is not finished: it comes before the first sign-in.
  if (ok && !body.unlock.ways.includes("pin")) return go(welcomeBefore(here()), { replace: true });
  if (ok) return confirmPage(body, { name: body.name, usual }, scan);
  if (body.error === "signed_out") return undefined;
  if (!known && answer.status === 401) return entryPage();
  return isOver(answer) ? endedPage(answer) : notNowPage(answer, () => openTicket(ticket));
}
