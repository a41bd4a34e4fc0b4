// 关于和打开方式: which app this is, as what it runs, and the other apps that scan.

import { at, channel, channels } from "./config.js";
import { barPage } from "./frame.js";
import { surfaceQuestion } from "./troubles.js";
import { h, icon, notice, tag } from "./view.js";

/** The page of what the app is. */
export function settingsPage() {
  const own = channel();
  const other = (each) => h("li", null,
    h("a", { href: at("/", each) }, icon("smartphone"), h("span", null, each.name), each.closed && tag("尚未开通", "wait"), icon("chevron-right")));
  barPage("关于和打开方式", { back: "/me" },
    h("section", { class: "tx-card tx-stack", "aria-labelledby": "about" },
      h("h2", { class: "tx-h3", id: "about" }, own.name), h("p", { class: "tx-lead" }, own.says)),
    own.surfaces.length > 1 && surfaceQuestion(),
    h("nav", { class: "tx-card", "aria-labelledby": "others" },
      h("h2", { class: "tx-h3", id: "others" }, "其他 App"),
      h("ul", { class: "tx-rows" }, channels().filter((each) => each.key !== own.key).map(other))),
    notice("", "每个 App 各自登录，各有各的凭据。"));
}
