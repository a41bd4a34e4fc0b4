// The parts of the confirm page: what is asked, from where, as whom, which number, how the app is unlocked.
// Parts that ask something are questions as questions.js has them.

import { hasPasskeys } from "./passkey-unlock.js";
import { agreement, choice } from "./questions.js";
import { here, welcomeBefore } from "./router.js";
import { button, field, h, icon, notice, tag, within } from "./view.js";
import { isOnAPhone, when } from "./words.js";

const PIN = /^[0-9]{6}$/;
const UNKNOWN = "地点未知";

/**
 * Who asks and for what; from which device, where and when.
 * @param {{portal: string, reason: string, browser: {system: string, name: string, place: string, at: string}}} told
 * @param {HTMLElement} clock how long he has to answer
 * @param {Array<[string, string]>} [more] further facts, above the others
 */
export function asking({ portal, reason, browser }, clock, more = []) {
  const device = [browser.system, browser.name].filter(Boolean).join("，");
  const place = browser.place === UNKNOWN ? UNKNOWN : `${browser.place}（约）`;
  const rows = [...more, ["设备", device || "未知"], ["地点", place], ["时间", when(browser.at)], ["有效", clock]];
  return h("section", { class: "tx-card tx-ask", "aria-label": "谁在请求" },
    h("p", { class: "tx-ask__to" }, portal), h("p", null, reason),
    h("dl", { class: "tx-where tx-num" }, rows.map(([name, value]) => [h("dt", null, name), h("dd", null, value)])));
}

/**
 * As whom he signs in; nothing is chosen for him, unless there is no choice.
 * @param {Array<{key: string, company: string | null, label: string}>} identities
 * @param {{name: string, usual: string | undefined}} himself his name, masked; the key of the identity he uses in
 *   this app, which stands first
 */
export function identityPart(identities, { name, usual }) {
  const row = ({ key, company, label }, place) =>
    h("div", { class: "tx-opt-row" },
      h("input", { type: "radio", name: "identity", id: `identity-${place}`, value: key, checked: identities.length === 1 }),
      h("label", { for: `identity-${place}` },
        h("span", { class: "tx-opt-row__t" }, h("span", null, company || name), tag(label, "info"))));
  const usualFirst = [...identities].sort((one, other) => (other.key === usual) - (one.key === usual));
  const rows = h("div", { class: "tx-opts" }, usualFirst.map(row));
  const asked = choice("identity", "以哪个身份登录", rows, "请选择以哪个身份登录");
  const words = () => {
    const { company, label } = identities.find(({ key }) => key === asked.value());
    return company ? `${company}（${label}）` : label;
  };
  /** The chosen one cannot be taken any more. */
  const withdraw = () => {
    const gone = rows.querySelector("input:checked");
    gone.checked = false;
    gone.disabled = true;
  };
  return { ...asked, words, withdraw };
}

/**
 * Which of the numbers stands on the page that waits; a wrong one ends the sign-in.
 * @param {string[]} numbers
 * @param {{system?: string}} [browser] the one that waits; where none is named, a computer
 */
export function numberPart(numbers, browser = {}) {
  const tile = (number) =>
    h("div", { class: "tx-choice" },
      h("input", { type: "radio", name: "number", id: `number-${number}`, value: number }),
      h("label", { for: `number-${number}` }, number));
  const [asked, missing] = isOnAPhone(browser)
    ? ["登录网页上显示的数字是（请切换回刚才的网页查看）", "请选择登录网页上显示的数字"]
    : ["电脑上显示的数字是", "请选择电脑上显示的数字"];
  return choice("number", asked, h("div", { class: "tx-nums" }, numbers.map(tile)), missing);
}

/**
 * A second look, where the page that waits and this phone are far apart.
 * @param {{browser: string, phone: string}} far the two places
 * @param {string} act what the page wants
 */
export function distancePart({ browser, phone }, act = "登录") {
  const warning = notice("wait", `请求${act}的网页在${browser}，您的手机在${phone}，相距较远。`, `不是您本人在${act}，请点「拒绝」。`);
  const asked = agreement("far", "请再确认一次", `确认是我本人在${browser}${act}`, `请确认是您本人在${act}，或点「拒绝」`);
  return { ...asked, node: h("div", { class: "tx-far" }, warning, asked.node) };
}

/**
 * Unlocking the app: by its PIN, or by a passkey. Has `forget()`, as what was tried is spent, right or wrong.
 * @param {{ways: string[]}} unlock
 * @param {() => Promise<object | null>} askPasskey
 */
export function unlockPart({ ways }, askPasskey) {
  const pins = ways.includes("pin");
  const passkeys = ways.includes("passkey") && hasPasskeys();
  let given = null;
  const pin = field({ label: "App 口令（6 位数字）", name: "pin", type: "password", inputmode: "numeric", maxlength: "6" });
  pin.input.classList.add("tx-pin");
  const said = h("p", { class: "tx-unlocked", role: "status" });
  const keep = (assertion, words) => {
    given = assertion;
    pin.node.hidden = Boolean(given) || !pins;
    said.replaceChildren(...words);
  };
  const ask = button("用通行密钥解锁", async () => {
    const assertion = await askPasskey();
    pin.fail("");
    keep(assertion, assertion ? [icon("circle-check"), "已用通行密钥解锁"] : ["没有收到通行密钥的回答，请再试一次"]);
  }, { kind: "secondary", icon: "fingerprint-pattern" });
  const forget = () => {
    pin.input.value = "";
    keep(null, []);
  };
  forget();

  const typed = () => pin.input.value.trim();
  const missing = pins ? "请输入 6 位数字口令" : passkeys ? "请先用通行密钥解锁" : "请先设置口令";
  const fail = (sentence) => {
    if (pins) return pin.fail(sentence);
    if (sentence) said.replaceChildren(sentence);
    return sentence && ask.focus();
  };
  const none = !pins && !passkeys && notice("wait", "这次登录要先解锁 App，您还没有设置口令。", within(welcomeBefore(here()), {}, "去设置口令"));
  return {
    node: h("div", { class: "tx-unlock" }, none, pin.node, passkeys && [ask, said]),
    value: () => (given ? { passkey: given } : { pin: typed() }),
    problem: () => (given || PIN.test(typed()) ? "" : missing),
    fail,
    forget,
  };
}
