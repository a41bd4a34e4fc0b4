// Rebuilds what the theme takes from npm: static/govuk.css and templates/theme/icons.html.
// Run by hand (npm ci && npm run build) when a version or the list of icons changes.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "sass";

const ICONS = [
  "a-large-small", "arrow-left", "blocks", "briefcase", "building-2", "camera", "check", "chevron-right",
  "circle-alert", "circle-check", "circle-dot", "circle-question-mark", "circle-x", "clock", "copy", "download",
  "ellipsis", "eye", "file-text", "fingerprint-pattern", "flashlight", "history", "hourglass", "house", "id-card",
  "image", "info", "key-round", "keyboard", "log-in", "log-out", "minus", "monitor", "monitor-smartphone", "plus",
  "printer", "refresh-cw", "scan-face", "scan-line", "scan-qr-code", "search", "shield-alert", "shield-check", "smartphone",
  "trash-2", "triangle-alert", "umbrella", "user-round", "users-round", "wifi-off", "x",
];

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;

function buildCss() {
  const banner = `/*! govuk-frontend ${versionOf("govuk-frontend")}, MIT, a subset: see govuk-frontend.LICENSE.txt */\n`;
  const { css } = compile("govuk.scss", {
    style: "compressed", charset: false, loadPaths: ["node_modules"], quietDeps: true,
  });
  writeFileSync("../static/govuk.css", banner + css + "\n");
}

function pathsOf(name) {
  const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
  return svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.indexOf("</svg>")).replace(/\s*\n\s*/g, "");
}

function buildIcons() {
  const rows = ICONS.map((name) => `  "${name}": '${pathsOf(name)}',`).join("\n");
  const head = `{# lucide-static ${versionOf("lucide-static")}, ISC: see icons.LICENSE.txt. Written by theme/build/build.mjs. #}`;
  writeFileSync("../templates/theme/icons.html", `${head}\n{% set ICONS = {\n${rows}\n} %}\n`);
}

buildCss();
buildIcons();
