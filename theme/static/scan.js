// A page that waits for a phone: asks how far the ticket is, renews the code, and sends the form once confirmed.
//
// <section data-scan="<ticket>"> holds one form and its steps ([data-scan-step]: waiting, scanned, ended); see
// web/_waiting.html. Where this does not run, the form's buttons do the same.

const EARLY = 10_000; // ms before a code's end at which the next one is fetched
const HELD = 25; // seconds a question may be held
const SLOWEST = 30; // seconds between two tries while nobody answers
const PATIENCE = 10; // seconds for an answer, beyond those it may be held; then its line counts as broken
const SETTLED = 60_000; // ms after which a page may load itself anew, so that it does not do so in a loop
const GONE = 0; // in the place of a status: nobody of ours answered
const LEFT = -1; // the page itself hung up

const section = document.querySelector("[data-scan]");
const form = section.querySelector("form");
const one = (name) => section.querySelector(`[data-scan-${name}]`);
const all = (name) => section.querySelectorAll(`[data-scan-${name}]`);

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

let ticket = section.dataset.scan;
let step = section.dataset.state;
let end = Date.now() + Number(section.dataset.left) * 1000;
let renewUntil = Date.now() + Number(section.dataset.renewal) * 1000;
let lost = 0; // codes in a row that the server did not know
let failures = 0; // questions in a row that nobody answered
let watched = 0; // which of the watches is the one that counts: a new code ends the older ones
let asking = new AbortController();

function says(text) {
  one("says").textContent = text;
}

function whispers(text) {
  one("whispers").textContent = text;
}

function show(name) {
  step = name;
  for (const each of all("step")) each.hidden = each.dataset.scanStep !== name;
}

// The clock is an animation of the style sheet: it begins anew in a new element.
function wind(seconds) {
  end = Date.now() + seconds * 1000;
  section.style.setProperty("--tx-left", seconds);
  for (const each of section.querySelectorAll(".tx-count, .tx-qr__over")) each.replaceWith(each.cloneNode(true));
  const until = new Date(end).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  for (const each of all("until")) each.textContent = until;
}

/** Say how it ended; true, as that was heard. */
function stop(why, message) {
  watched += 1;
  const known = one(`ended="${why}"`) ? why : "unknown";
  for (const each of all("ended")) each.hidden = each.dataset.scanEnded !== known;
  if (message) one(`ended="${known}"`).querySelector("p").textContent = message;
  show("ended");
  says("");
  whispers(one(`ended="${known}"`).innerText);
  return true;
}

// ---- the server

const mayRenew = () => section.dataset.tickets && Date.now() < renewUntil;

/** Whether the provider said it: what a proxy or a firewall says in between tells nothing of the ticket. */
function isOurs(status, { state, ticket: next, message }) {
  if (status === 200) return Boolean(state || next);
  return status === 204 || ([400, 404, 409, 429].includes(status) && Boolean(state || message));
}

async function told(answer) {
  const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
  const body = (isJson && (await answer.json())) || {};
  return { status: isOurs(answer.status, body) ? answer.status : GONE, body, isPage: answer.status === 400 && !isJson };
}

async function fetched(address, options, { line = new AbortController(), held = 0 } = {}) {
  let late = false;
  const patience = setTimeout(() => {
    late = true;
    line.abort();
  }, (held + PATIENCE) * 1000);
  try {
    const request = { credentials: "same-origin", redirect: "error", signal: line.signal, ...options };
    return await told(await fetch(address, request));
  } catch (error) {
    return { status: error.name === "AbortError" && !late ? LEFT : GONE, body: {} };
  } finally {
    clearTimeout(patience);
  }
}

function ask() {
  const left = (end - (mayRenew() ? EARLY : 0) - Date.now()) / 1000;
  const seconds = step === "waiting" ? Math.min(HELD, Math.max(1, Math.ceil(left))) : HELD;
  asking = new AbortController();
  const address = `${section.dataset.wait}${ticket}?seconds=${seconds}&state=${step}`;
  return fetched(address, {}, { line: asking, held: seconds });
}

function send(address, fields) {
  const token = form.elements.csrf_token.value;
  return fetched(address, { method: "POST", body: new URLSearchParams({ csrf_token: token, ...fields }) });
}

/** Whether an answer says anything; while none does, the tries become rarer and the page says so. */
async function heard(status) {
  if (status !== GONE && status !== LEFT && status !== 429) {
    if (failures) says("连接已恢复");
    failures = 0;
    return true;
  }
  if (status !== LEFT) {
    failures += 1;
    if (failures === 1) says("连接中断，正在重试");
    await pause(Math.min(SLOWEST, 2 ** failures));
  }
  return false;
}

// ---- the steps

/** Fetch the next code; false if nobody answered. `asked`: somebody pressed the button. */
async function renew({ asked = false } = {}) {
  const mine = watched;
  const { tickets, purpose, tx } = section.dataset;
  const answer = await send(tickets, { purpose, tx, replaces: ticket });
  if (mine !== watched) return true; // a later click has its own
  if (answer.isPage) return anew(asked);
  if (answer.status === 429) return stop("unknown", answer.body.message);
  if (!(await heard(answer.status))) return false;
  if (answer.status === 409) return true; // somebody has just scanned it: the next question tells
  if (answer.status !== 200) return stop("unknown", answer.body.message);
  const next = answer.body;
  const image = one("image");
  image.src = next.image;
  ticket = next.ticket;
  form.elements.ticket.value = ticket;
  one("open").href = section.dataset.open + new URLSearchParams({ code: next.url });
  wind(next.expires_in);
  show("waiting");
  whispers("二维码已更新");
  return true;
}

// The form belongs to cookies that this browser has no longer: a new page brings both.
function anew(asked) {
  if (!asked && performance.now() < SETTLED) return stop("unknown");
  watched += 1;
  location.replace(location.pathname + location.search);
  return true;
}

function scanned(answer) {
  if (step === "scanned") return;
  const then = section.dataset.purpose === "face" ? "再刷脸" : "再确认";
  one("number").textContent = answer.number;
  wind(answer.expires_in);
  show("scanned");
  whispers(`已扫码。请在手机上选择 ${answer.number}，${then}`);
}

function confirmed() {
  watched += 1;
  whispers(section.dataset.purpose === "face" ? "人脸核验已通过，正在继续" : "已确认，正在登录");
  form.submit();
}

async function forgotten() {
  lost += 1;
  says("二维码已失效");
  if (lost > 2 || !mayRenew()) return stop("unknown");
  await renew();
}

async function take(answer) {
  if (answer.status === 404) return forgotten();
  if (answer.status !== 200) return stop("unknown");
  lost = 0;
  const { state, ended, interval } = answer.body;
  if (state === "confirmed") return confirmed();
  if (state === "denied") return stop(ended);
  if (state === "expired") return expired();
  if (state === "scanned") scanned(answer.body);
  if (interval) await pause(interval);
}

async function expired() {
  if (step === "waiting" && mayRenew()) return renew();
  if (step === "scanned") return stop("expired");
  watched += 1; // the cover over the code asks for a click
  whispers("二维码已失效，点击刷新二维码");
}

function seen() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

async function watch() {
  const mine = (watched += 1);
  while (mine === watched) {
    if (document.hidden) await seen();
    else if (step === "waiting" && mayRenew() && Date.now() >= end - EARLY) await renew();
    else {
      const answer = await ask();
      if (mine === watched && (await heard(answer.status)) && mine === watched) await take(answer);
    }
  }
}

async function again() {
  const mine = (watched += 1);
  asking.abort();
  says("");
  renewUntil = Date.now() + Number(section.dataset.renewal) * 1000;
  lost = 0;
  failures = 0;
  const untilHeard = async (attempt) => {
    while (mine === watched && !(await attempt()));
  };
  if (step === "scanned") await untilHeard(cancel);
  await untilHeard(() => renew({ asked: true }));
  if (mine === watched) watch();
}

async function cancel() {
  const answer = await send(`${section.dataset.tickets}/${ticket}/cancel`, {});
  return answer.isPage ? anew(true) : heard(answer.status);
}

document.addEventListener("visibilitychange", () => document.hidden && asking.abort());
form.addEventListener("submit", (event) => {
  if (event.submitter?.name !== "again" || !section.dataset.tickets) return;
  event.preventDefault();
  again();
});
for (const each of all("manual")) each.hidden = true;
watch();
