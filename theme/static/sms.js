// 获取验证码 without leaving the page: asks for the message, counts the seconds until the next one, and says
// what has become of it; 换一张 of its captcha in the same way. The parts of a [data-sms] block are those of
// theme/sms.html; without this script the same buttons send the whole form.

const FIELD_ERROR = "govuk-error-message";
const ASKED_FOR = 90; // seconds within which a message leaves or does not
const PAUSE = 2000;

const code = (block) => block.querySelector("input[autocomplete=one-time-code]");

function say(block, sentence, isBad) {
  const line = block.querySelector("[data-sms-fate]");
  line.textContent = sentence;
  line.classList.toggle(FIELD_ERROR, Boolean(isBad));
}

// By the clock: a page in the background is called rarely. `over` is called once there is nothing to wait for.
function count(button, seconds, over) {
  const until = Date.now() + seconds * 1000;
  clearInterval(Number(button.dataset.timer));
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${left} 秒后可重新获取` : "重新获取";
    if (left > 0) return;
    clearInterval(Number(button.dataset.timer));
    over?.();
  };
  button.dataset.timer = String(setInterval(tick, 500));
  tick();
}

function renew(block, fresh) {
  const later = block.querySelector("[data-sms-captcha-later]");
  if (later && fresh) later.replaceWith(later.content.cloneNode(true));
  const place = block.querySelector("[data-sms-captcha]");
  if (!place || !fresh) return;
  place.querySelector("[name=captcha_id]").value = fresh.id;
  place.querySelector("[name=captcha]").value = "";
  place.querySelector("img").src = fresh.image;
  place.querySelector("audio").src = fresh.audio;
}

async function follow(block, address) {
  const until = Date.now() + ASKED_FOR * 1000;
  block.dataset.following = address;
  while (Date.now() < until && block.dataset.following === address) {
    await new Promise((done) => setTimeout(done, PAUSE));
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer || block.dataset.following !== address) continue;
    if (answer.status >= 500) continue;
    if (!answer.ok) return;
    const told = await answer.json();
    say(block, told.sentence, ["failed", "lost"].includes(told.state));
    if (["failed", "lost", "arrived"].includes(told.state)) return;
  }
}

// What the server says to a press of `button`; null where that is already said, or the page goes on by itself.
async function press(block, button) {
  const form = button.form;
  const body = new FormData(form);
  body.set(button.name, button.value);
  // Nobody needs a password for a message.
  form.querySelectorAll("input[type=password]").forEach((secret) => body.delete(secret.name));
  const answer = await fetch(form.getAttribute("action") || location.href, {
    method: "POST",
    headers: { Accept: "application/json" },
    body,
  }).catch(() => null);
  if (!answer || answer.status >= 500) {
    say(block, answer ? "服务正忙，没有发送。请稍后再试" : "网络不通，没有发送。请检查网络后再试", true);
    return null;
  }
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) {
    // The journey has gone on or is over: let the page itself say so.
    button.disabled = false;
    button.dataset.plain = "1";
    button.click();
    return null;
  }
  return answer.json();
}

// What was wrong with the code before says nothing of the one that is on its way.
function forget(block) {
  const group = block.querySelector("input[autocomplete=one-time-code]").closest(".govuk-form-group");
  const input = group.querySelector("input");
  document.querySelectorAll(`.govuk-error-summary a[href="#${input.id}"]`).forEach((link) => {
    const summary = link.closest(".govuk-error-summary");
    link.closest("li").remove();
    const left = summary.querySelectorAll("li").length;
    const title = summary.querySelector(".govuk-error-summary__title").lastChild;
    title.textContent = title.textContent.replace(/有 \d+ 处/, `有 ${left} 处`);
    if (!left) summary.remove();
  });
  document.getElementById(`${input.id}-error`)?.remove();
  group.classList.remove("govuk-form-group--error");
  input.classList.remove("govuk-input--error");
  input.removeAttribute("aria-invalid");
}

async function send(block, button) {
  button.disabled = true;
  const told = await press(block, button);
  if (!told) {
    button.disabled = false;
    return;
  }
  // The button counts the seconds; a sentence beside it would stand still.
  const mustWait = Boolean(told.wait) && !told.sent;
  const sentence = mustWait ? told.sentence.replace(/ \d+ 秒后/, "稍后") : told.sentence;
  say(block, sentence, !told.sent);
  renew(block, told.captcha);
  const line = block.querySelector("[data-sms-fate]");
  const unsay = () => line.textContent === sentence && say(block, "");
  if (told.wait) count(button, told.wait, mustWait ? unsay : undefined);
  else button.disabled = false;
  if (told.sent) {
    forget(block);
    block.querySelector("[name=sms_ref]").value = told.ref;
    follow(block, told.state);
  }
  // The button may be pressed no more: whoever works by the keyboard goes on from the field.
  const next = told.field === "code" || told.sent ? code(block) : button.form.querySelector(`[name=${told.field}]`);
  next?.focus();
}

async function renewed(block, button) {
  const told = await press(block, button);
  if (!told) return;
  renew(block, told.captcha);
  block.querySelector("[name=captcha]")?.focus();
}

document.querySelectorAll("[data-sms]").forEach((block) => {
  const button = block.querySelector("[data-sms-send]");
  const line = block.querySelector("[data-sms-fate]");
  if (Number(button.dataset.wait)) count(button, Number(button.dataset.wait));
  if (line.dataset.state && ["queued", "sent"].includes(line.dataset.smsFate)) follow(block, line.dataset.state);
  block.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[name=send], button[name=again]");
    if (!pressed || pressed.dataset.plain) return;
    event.preventDefault();
    if (pressed === button) send(block, button);
    else renewed(block, pressed);
  });
});
