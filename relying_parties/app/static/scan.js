// 扫一扫: by the camera, from a picture, or by the code's text. Only codes of this provider's sign-ins are taken;
// whatever else a code says is never opened.

import { NoCamera, NoCode, openCamera, textOfPicture } from "./camera.js";
import { issuer } from "./config.js";
import { barPage, stopPage } from "./frame.js";
import { finishFirstUse } from "./person.js";
import { go, here } from "./router.js";
import { openTicket, ticketIn } from "./ticket.js";
import { button, field, h, notice } from "./view.js";

const NOT_OURS = ["这不是登录二维码。", "请扫电脑登录页面上的二维码。别人发来的二维码，请不要扫。"];
const NO_CAMERA = {
  refused: "没有使用相机的许可。请在手机的设置里允许后重试，或用下面的办法。",
  missing: "这部手机没有可用的相机。请用下面的办法。",
  busy: "相机正被别的程序使用。请关掉它再试，或用下面的办法。",
};
const NO_CODE = {
  large: "图片太大，请选择 20 MB 以内的图片。",
  no_picture: "这个文件不是能打开的图片，请换一张。",
  no_code: "图片里没有找到二维码。请换一张清楚、完整的图片。",
};

/** The page of 扫一扫. */
export async function scanPage() {
  const video = h("video", { class: "tx-camera__picture", playsinline: true, muted: true, "aria-label": "相机画面" });
  const view = h("div", { class: "tx-camera" }, video, h("div", { class: "tx-camera__frame", "aria-hidden": "true" }));
  const status = h("div", { class: "tx-camera__says", role: "status" }, "正在打开相机…");
  const said = h("div", { class: "tx-said" });
  let close = () => {};
  let last = "";

  const accept = (text) => {
    const ticket = ticketIn(text);
    said.replaceChildren(...(ticket ? [] : [notice("bad", ...NOT_OURS)]));
    if (!ticket) return undefined;
    close();
    return openTicket(ticket);
  };
  const seen = (text) => {
    // The same wrong code stays before the camera for a while, and is spoken of once.
    if (text !== last) accept((last = text));
  };

  finishFirstUse(here());
  const ways = waysRound(accept, said);
  barPage("扫一扫", { backIcon: "x", backLabel: "关闭" }, view, status, said, ways);
  try {
    const camera = await openCamera(video, seen);
    close = camera.close;
    document.addEventListener("page-left", close, { once: true });
    status.textContent = "把电脑上的二维码放进框里，会自动识别";
    if (camera.light) view.append(lightButton(camera.light));
  } catch (failed) {
    if (!(failed instanceof NoCamera)) throw failed;
    view.hidden = true;
    ways.classList.add("tx-ways-round--only");
    const again = failed.reason !== "missing" && button("重试", scanPage, { kind: "secondary", icon: "camera" });
    status.replaceChildren(notice("wait", NO_CAMERA[failed.reason], again));
  }
}

/** The page for a code that a link brought, not the camera: nothing happens before the person agrees. */
export function openPage(params) {
  const ticket = ticketIn(params.get("code") || "");
  const home = (word) => button(word, () => go("/", { replace: true }), { kind: "secondary" });
  if (!ticket) {
    return stopPage("这不是登录二维码", { icon: "circle-x", kind: "wait" },
      ["打开这个 App 的链接里没有登录请求，什么也没有打开。请扫电脑登录页面上的二维码。"],
      button("扫一扫", () => go("/scan", { replace: true }), { icon: "scan-line" }), home("回首页"));
  }
  finishFirstUse(here());
  return stopPage("是否打开登录请求", { icon: "log-in" },
    ["有网页请您用这个 App 登录。打开后会先告诉您是谁在请求，由您决定是否确认。", "不是您本人正在登录的，请不要打开。"],
    button("打开", () => openTicket(ticket)), home("不打开"));
}

function waysRound(accept, said) {
  const file = h("input", { type: "file", accept: "image/*", hidden: true, onchange: () => picked(file, accept, said) });
  const typed = field({ label: "二维码内容", hint: `以 ${issuer()}/q/ 开头`, name: "code", inputmode: "url" });
  const text = () => typed.input.value.trim();
  const entered = (event) => {
    event.preventDefault();
    typed.fail(ticketIn(text()) ? "" : NOT_OURS.join(""));
    return ticketIn(text()) && accept(text());
  };
  const form = h("form", { novalidate: true, hidden: true, onsubmit: entered }, typed.node, button("打开", null));
  const type = button("输入二维码内容", () => {
    form.hidden = false;
    typed.input.focus();
  }, { kind: "secondary", icon: "keyboard" });
  const pick = button("从相册选择", () => file.click(), { kind: "secondary", icon: "image" });
  return h("div", { class: "tx-ways-round" }, pick, file, type, form);
}

async function picked(file, accept, said) {
  const [picture] = file.files;
  try {
    await accept(await textOfPicture(picture));
  } catch (failed) {
    if (!(failed instanceof NoCode)) throw failed;
    said.replaceChildren(notice("bad", NO_CODE[failed.reason]));
  } finally {
    // The same picture may be chosen again.
    file.value = "";
  }
}

function lightButton(light) {
  const made = button("手电筒", async () => {
    const on = made.getAttribute("aria-pressed") !== "true";
    await light(on);
    made.setAttribute("aria-pressed", String(on));
  }, { kind: "secondary", icon: "flashlight", cls: "tx-camera__light" });
  made.setAttribute("aria-pressed", "false");
  return made;
}
