// Six digits, typed twice: the form of 设置口令 and 修改口令.

import { agreementText, consent } from "./agreement.js";
import { call } from "./api.js";
import { busy, button, field, h } from "./view.js";

const SIX = /^\d{6}$/;
const KEYPAD = { type: "password", inputmode: "numeric", maxlength: "6", class: "govuk-input tx-pin", required: true };
const STALE = new Set(["sign_in_not_young", "current_pin_required"]);
const OF_CURRENT = new Set(["wrong_pin", "too_many_tries"]);

/**
 * The form; it looks at what can be looked at here, and shows what the provider says of the rest.
 * @param {{agreement: object, agreed: boolean, asksCurrent: boolean, word: string}} wanted `agreed`: its
 *   present text was given before; else it is asked for here. `word` stands on the button
 * @param {() => any} done called when the provider has taken the PIN
 * @param {(sentence: string) => any} stale called where only a sign-in of just now may set it
 * @returns {HTMLFormElement}
 */
export function pinForm({ agreement, agreed, asksCurrent, word }, done, stale) {
  const current = asksCurrent && field({ ...KEYPAD, label: "现在的口令", name: "current" });
  const fresh = field({
    ...KEYPAD, label: asksCurrent ? "新口令" : "6 位口令", name: "pin",
    hint: "6 位数字。不要用生日、手机号里的数字，或者 111111、123456 这样的数字。",
  });
  const repeated = field({ ...KEYPAD, label: "再输入一次", name: "repeated" });
  const fields = [current, fresh, repeated].filter(Boolean);
  const box = !agreed && consent(agreement);

  async function send() {
    fields.forEach((each) => each.fail(""));
    const wrong = fields.find((each) => !SIX.test(each.input.value));
    if (wrong) return wrong.fail("口令应为 6 位数字。");
    if (fresh.input.value !== repeated.input.value) return repeated.fail("两次输入的口令不一样，请重新输入。");
    if (box && !box.given()) return undefined;
    const asked = { pin: fresh.input.value, agreement: agreement.version, ...(current && { current: current.input.value }) };
    const { ok, body } = await call("POST", "/scan/pin", asked);
    if (ok) return done();
    if (body.error === "signed_out") return undefined;
    if (STALE.has(body.error)) return stale(body.message);
    return (current && OF_CURRENT.has(body.error) ? current : fresh).fail(body.message);
  }

  const submit = button(word, null, { cls: "tx-btn--block tx-btn--lg" });
  const onsubmit = (event) => {
    event.preventDefault();
    busy(submit, send);
  };
  return h("form", { novalidate: true, onsubmit }, fields.map((each) => each.node),
    box && [h("details", { class: "govuk-details tx-details" },
      h("summary", { class: "govuk-details__summary" }, h("span", { class: "govuk-details__summary-text" }, "查看协议")),
      agreementText(agreement)), box.node], submit);
}
