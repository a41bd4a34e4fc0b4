// 切换身份: which of his identities this phone offers first. Each sign-in is still confirmed by itself.

import { barPage } from "./frame.js";
import { chooseIdentity, currentIdentity, defaultIdentity, nameOf, whoIsHere } from "./person.js";
import { go } from "./router.js";
import { h, notice, tag } from "./view.js";

export { defaultIdentity };

/** The page of one's identities. */
export async function identityPage() {
  const me = await whoIsHere(identityPage);
  if (!me) return;
  const current = await currentIdentity(me);
  const row = (identity, number) => h("div", { class: "tx-opt-row" },
    h("input", {
      type: "radio", name: "identity", id: `identity-${number}`, checked: identity.key === current?.key,
      onchange: () => chooseIdentity(identity.key),
    }),
    h("label", { for: `identity-${number}` },
      h("span", { class: "tx-opt-row__t" }, h("span", null, nameOf(identity, me)), tag(identity.label, "info")),
      identity.uscc && h("small", null, identity.uscc)));
  barPage("切换身份", {},
    h("fieldset", null, h("legend", null, "首页显示的身份"), h("div", { class: "tx-opts" }, me.identities.map(row))),
    notice("", "这里只决定首页显示哪个身份。每次扫码登录，仍由您在确认页上选择。"),
    h("button", { type: "button", class: "govuk-button tx-btn--block", onclick: () => go("/") }, "完成"));
}
