// The app's start: settings, the pages by their paths, and what is said when there is nothing else to draw.

import "./older.js";

import { channel, loadConfig } from "./config.js";
import { stopPage } from "./frame.js";
import { drawLetters } from "./letters.js";
import { draw, followWithin, go, route } from "./router.js";
import { button, h } from "./view.js";

/** A page whose module is got when it is first opened. */
const lazy = (load, name) => async (params) => (await load())[name](params);

route("/", lazy(() => import("./home.js"), "homePage"));
route("/me", lazy(() => import("./me.js"), "mePage"));
route("/settings", lazy(() => import("./settings.js"), "settingsPage"));
route("/identity", lazy(() => import("./identity.js"), "identityPage"));
route("/recent", lazy(() => import("./recent.js"), "recentPage"));
route("/pin", lazy(() => import("./pin.js"), "pinPage"));
route("/welcome", lazy(() => import("./welcome.js"), "welcomePage"));
route("/callback", lazy(() => import("./callback.js"), "callbackPage"));
route("/face-done", lazy(() => import("./face.js"), "faceDonePage"));
route("/scan", lazy(() => import("./scan.js"), "scanPage"));
route("/open", lazy(() => import("./scan.js"), "openPage"));

async function drawOrSay() {
  try {
    await draw();
  } catch (failed) {
    console.warn(failed);
    sayItBroke();
  }
}

function sayItBroke() {
  stopPage("这一页没有打开", { icon: "circle-alert", kind: "wait" },
    ["没有办理任何业务，您的账号没有受到影响。请检查网络后重试。"],
    button("重试", () => location.reload()), button("返回首页", () => go("/"), { kind: "secondary" }));
}

async function start() {
  drawLetters();
  try {
    await loadConfig();
  } catch {
    // Without settings there is no frame to draw in.
    document.getElementById("app").replaceChildren(
      h("main", { class: "tx-app__main", id: "main" }, h("h1", null, "手机没有连上网络"),
        h("p", null, "请检查网络后重试。"), button("重试", () => location.reload())));
    return;
  }
  document.documentElement.classList.add(`tx-skin-${channel().key.replace("_", "-")}`);
  document.addEventListener("click", followWithin);
  document.addEventListener("signed-out", () => lazy(() => import("./troubles.js"), "signedOutPage")());
  addEventListener("popstate", drawOrSay);
  addEventListener("unhandledrejection", sayItBroke);
  await drawOrSay();
  if ("serviceWorker" in navigator) await navigator.serviceWorker.register("/sw.js").catch(() => null);
}

start();
