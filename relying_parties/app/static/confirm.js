// 确认登录: who asks and from where; as whom, which number, the app unlocked. Refusing takes one press, always.

import { call } from "./api.js";
import { asking, distancePart, identityPart, numberPart, unlockPart } from "./confirm-parts.js";
import { countdown } from "./countdown.js";
import { barPage } from "./frame.js";
import { askPasskey } from "./passkey-unlock.js";
import { confirmedPage, deniedPage, endedPage, expiredPage, isOver } from "./result.js";
import { go } from "./router.js";
import { busy, button, h, icon, notice } from "./view.js";

/** Which part a refusal is about; whatever else is said above the buttons. */
const ABOUT = {
  identity_gone: "identity",
  identity_not_accepted: "identity",
  card_not_recorded: "identity",
  far_unconfirmed: "far",
  unlock_required: "unlock",
  pin_not_set: "unlock",
  wrong_pin: "unlock",
  passkey_refused: "unlock",
  too_many_tries: "unlock",
};

/**
 * Draw the page of a scanned sign-in, and see it through.
 * @param {object} told what the provider answered to the scan
 * @param {{name: string, usual: string | undefined}} himself as `identityPart` takes it
 * @param {() => Promise<import("./api.js").Answer>} scanAgain asks for the same anew
 */
export const confirmPage = (told, himself, scanAgain) => new Confirmation(told, himself, scanAgain).draw();

class Confirmation {
  constructor(told, himself, scanAgain) {
    this.told = told;
    this.himself = himself;
    this.scanAgain = scanAgain;
    this.options = told.unlock.passkey_options;
    this.parts = {
      ...(told.far && { far: distancePart(told.far) }),
      identity: identityPart(told.identities, himself),
      number: numberPart(told.numbers, told.browser),
      // This app always asks: without it, whoever holds the phone would open what its owner may open.
      ...((told.unlock.required || told.unlock.ways.length > 0) && { unlock: unlockPart(told.unlock, () => this.passkey()) }),
    };
    this.said = h("div", { class: "tx-said" });
    this.over = false; // something was answered, or the time is up: nothing of this page counts any more
    this.sending = false;
    this.lost = false; // an answer to a confirmation never came
  }

  draw(...before) {
    this.clock = countdown(this.told.expires_in, () => this.sending || this.end(() => expiredPage(this.told.browser)));
    const form = h("form", { id: "confirm", novalidate: true, onsubmit: (event) => this.submitted(event) },
      Object.values(this.parts).map((part) => part.node));
    barPage("确认登录", { back: () => this.close(), backLabel: "关闭，不登录", backIcon: "x", foot: this.foot() },
      before, asking(this.told, this.clock.node), form);
  }

  foot() {
    const deny = button("拒绝", () => this.deny(), { icon: "x", cls: "tx-btn--deny" });
    this.confirming = h("button", { class: "govuk-button", form: "confirm" }, icon("check"), "确认登录");
    return h("section", { class: "tx-app__act", "aria-label": "是否登录" },
      this.said, deny, this.confirming, h("p", null, "不是您本人在登录，请点「拒绝」"));
  }

  submitted(event) {
    event.preventDefault();
    return busy(this.confirming, () => this.confirm());
  }

  async confirm() {
    this.said.replaceChildren();
    if (!this.isComplete()) return;
    this.sending = true;
    const answer = await call("POST", `/scan/tickets/${this.told.ticket}/confirm`, this.given());
    this.sending = false;
    if (this.over) return;
    // Confirmed before, and only the answer was lost on its way.
    const was = this.lost && answer.body.error === "ticket_used";
    if (answer.ok || was) {
      this.end(() => confirmedPage(this.told.portal, this.parts.identity.words(), this.told.browser));
      return;
    }
    this.lost = this.lost || answer.status === 0;
    await this.failed(answer, () => this.submitted(new Event("submit")));
  }

  async deny() {
    const answer = await call("POST", `/scan/tickets/${this.told.ticket}/deny`, {});
    if (this.over) return;
    if (answer.ok) this.end(() => deniedPage(this.told.portal, this.told.browser));
    else await this.failed(answer, () => this.deny());
  }

  /** Refuse, and leave in any case: what nobody confirms signs nobody in. */
  async close() {
    await this.deny();
    if (!this.over) this.end(() => go("/", { replace: true }));
  }

  /** Say what is missing, at its place, the first of it in the focus. */
  isComplete() {
    const parts = Object.values(this.parts).reverse();
    for (const part of parts) part.fail(part.problem());
    return !parts.some((part) => part.problem());
  }

  given() {
    const { identity, number, unlock, far } = this.parts;
    const given = { identity: identity.value(), number: number.value(), unlock: unlock ? unlock.value() : null };
    return far ? { ...given, far: far.value() } : given;
  }

  async failed(answer, retry) {
    const { error, message } = answer.body;
    if (error === "signed_out") return this.end(() => {});
    const part = ABOUT[error];
    if (!part && isOver(answer)) return this.end(() => endedPage(answer));
    if (!part) return this.said.replaceChildren(notice("bad", message, button("重试", retry, { kind: "secondary" })));
    // What the page does not ask yet, as the phone moved on meanwhile, it asks now.
    if (!this.parts[part]) return this.anew(message);
    if (part === "identity") this.parts.identity.withdraw();
    if (part === "unlock") this.parts.unlock.forget();
    return this.parts[part].fail(message);
  }

  async anew(message) {
    const answer = await this.scanAgain();
    if (!answer.ok) return this.failed(answer, () => this.anew(message));
    return this.end(() => new Confirmation(answer.body, this.himself, this.scanAgain).draw(notice("wait", message)));
  }

  async passkey() {
    const options = this.options ?? (await this.scanAgain()).body.unlock?.passkey_options;
    const given = options ? await askPasskey(options) : null;
    // A challenge is for one answer.
    this.options = given ? null : options;
    return given;
  }

  end(draw) {
    this.over = true;
    this.clock.stop();
    draw();
  }
}
