// Files that are sent as soon as they are chosen: says at once what is too large or of another kind, shows how far
// the sending is, and puts into its field what became of it. The parts of a [data-upload] block are those of
// theme/files.html; without this script the form sends all files together.

const FIELD_ERROR = "govuk-form-group--error";
const BUSY = "文件正在上传，请等上传完成后再继续";

const part = (block, name) => block.querySelector(`[data-upload-${name}]`);
const field = (block) => block.querySelector("input[type=file]");

function inWords(octets) {
  if (octets < 1048576) return `${Math.max(1, Math.ceil(octets / 1024))} KB`;
  return `${(Math.ceil((octets * 10) / 1048576) / 10).toFixed(1)} MB`;
}

function say(block, sentence) {
  part(block, "fate").textContent = sentence;
}

function unlist(id) {
  document.querySelectorAll(`.govuk-error-summary a[href="#${id}"]`).forEach((link) => {
    const summary = link.closest(".govuk-error-summary");
    link.closest("li").remove();
    recount(summary);
  });
}

// The title counts the lines below it, unless it says something else.
function recount(summary) {
  const left = summary.querySelectorAll("li").length;
  const title = summary.querySelector(".govuk-error-summary__title").lastChild;
  title.textContent = title.textContent.replace(/有 \d+ 处/, `有 ${left} 处`);
  if (!left) summary.remove();
}

// What is wrong stands beside the field, as the server would have written it.
function fault(block, sentence) {
  const input = field(block);
  const place = part(block, "error");
  block.classList.toggle(FIELD_ERROR, Boolean(sentence));
  input.classList.toggle("govuk-input--error", Boolean(sentence));
  place.replaceChildren();
  unlist(input.id);
  const told = [`${input.id}-hint`, sentence && `${input.id}-error`, `${input.id}-fate`].filter(Boolean);
  input.setAttribute("aria-describedby", told.join(" "));
  if (!sentence) {
    input.removeAttribute("aria-invalid");
    return;
  }
  input.setAttribute("aria-invalid", "true");
  const line = document.createElement("p");
  line.id = `${input.id}-error`;
  line.className = "govuk-error-message";
  line.setAttribute("role", "alert");
  line.textContent = sentence;
  place.append(line);
}

function show(block, kept) {
  const open = part(block, "open");
  open.hidden = !kept.href;
  open.setAttribute("href", kept.href);
  part(block, "kept").hidden = !kept.name;
  part(block, "name").textContent = kept.name;
  part(block, "about").textContent = kept.about;
}

// What can be said of a file without sending it; empty if nothing is wrong.
function wrongWith(block, file) {
  const most = Number(block.dataset.most);
  const ending = file.name.includes(".") ? file.name.split(".").pop().toLowerCase() : "";
  if (!block.dataset.endings.split(" ").includes(ending)) {
    return `这里只能上传 ${block.dataset.bounds.split(" 格式")[0]} 格式的文件。请转换格式或重新拍照后再上传`;
  }
  if (file.size > most) {
    return `这个文件是 ${inWords(file.size)}，超过 ${most / 1048576} MB。请压缩或重新拍照后再上传`;
  }
  return file.size ? "" : "这个文件是空的。请检查文件后重新选择";
}

function formWith(block, extra) {
  const form = field(block).form;
  const body = new FormData();
  // They carry the journey and its token, and what the page wants kept with a file; all else is sent with the form.
  form.querySelectorAll("input[type=hidden], [data-upload-along]").forEach((one) => body.append(one.name, one.value));
  body.append("upload_alone", "1");
  Object.entries(extra).forEach(([name, value]) => body.append(name, value));
  return body;
}

function ask(block, extra) {
  return new Promise((done) => {
    const call = new XMLHttpRequest();
    const bar = part(block, "bar");
    call.open("POST", field(block).form.getAttribute("action") || location.href);
    call.setRequestHeader("Accept", "application/json");
    call.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.floor((event.loaded / event.total) * 100);
      bar.value = percent;
      if (percent === 100) say(block, "已传完，正在检查文件…");
    });
    call.addEventListener("loadend", () => {
      const isJson = call.getResponseHeader("Content-Type")?.startsWith("application/json");
      done({ status: call.status, told: isJson ? JSON.parse(call.responseText) : null });
    });
    call.send(formWith(block, extra));
  });
}

const IN_WORDS = {
  0: "网络不通，文件没有传完。请检查网络后重新选择",
  408: "文件没有在规定时间内传完。请检查网络后重新选择",
  503: "服务正忙，文件没有保存。请稍后重新选择",
};

function settle(block, { status, told }) {
  if (!told) {
    const sentence = IN_WORDS[status] || (status >= 500 ? IN_WORDS[503] : "");
    // The journey has gone on or is over, or the page is too old: let the page itself say so.
    if (sentence) fault(block, sentence);
    else location.reload();
    return;
  }
  const found = told.fields[field(block).name];
  show(block, found);
  fault(block, found.sentence);
  say(block, found.name ? "重新选择文件，会替换已上传的这一份" : "");
}

async function send(block, extra, began) {
  const input = field(block);
  const bar = part(block, "bar");
  block.dataset.busy = "1";
  bar.value = 0;
  bar.hidden = !("sent" in block.dataset);
  input.disabled = true;
  say(block, began);
  const answer = await ask(block, extra);
  delete block.dataset.busy;
  bar.hidden = true;
  input.disabled = false;
  input.value = "";
  say(block, "");
  settle(block, answer);
  input.focus();
}

function chosen(block) {
  const file = field(block).files[0];
  if (!file) return;
  const wrong = wrongWith(block, file);
  if (wrong) {
    field(block).value = "";
    fault(block, wrong);
    return;
  }
  fault(block, "");
  block.dataset.sent = "1";
  send(block, { [field(block).name]: file }, `正在上传 ${file.name}（${inWords(file.size)}）…`);
}

const blocks = [...document.querySelectorAll("[data-upload]")];

blocks.forEach((block) => {
  field(block).addEventListener("change", () => chosen(block));
  block.querySelector("button[name=remove]").addEventListener("click", (event) => {
    event.preventDefault();
    delete block.dataset.sent;
    if (!block.dataset.busy) send(block, { remove: event.currentTarget.value }, "正在移除…");
  });
});

// Going on while a file is on its way would leave it behind.
document.addEventListener("submit", (event) => {
  const busy = blocks.find((block) => block.dataset.busy && field(block).form === event.target);
  if (!busy) return;
  event.preventDefault();
  say(busy, BUSY);
  busy.scrollIntoView({ block: "center" });
});
