"""Whether a page breaks a rule of accessibility, as axe sees it.

Half of what axe takes is for the contrast of colours, and most words of a page are drawn as on the page
before: its head and foot, its labels, its buttons. So each element with words is signed by all that its
contrast is judged by: its letters, what it and everything around it is drawn with, and whatever else lies
under or over it in this window. Where that was found right, the contrast is not judged again by this worker;
all other rules are.
"""

from __future__ import annotations

from typing import Final

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

# Colour contrast on top of the decorative drawing cannot be computed; it was computed by hand.
_AXE: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "reporter": "no-passes",
    # Fetching style sheets and sounds again would serve two rules: one is experimental and not asked here,
    # the other never says no, but only asks somebody to listen.
    "preload": False,
}
_SIGN: Final = """() => {
  const digest = (text) => {
    let [one, two] = [0xdeadbeef, 0x41c6ce57];
    for (let at = 0; at < text.length; at++) {
      one = Math.imul(one ^ text.charCodeAt(at), 2654435761);
      two = Math.imul(two ^ text.charCodeAt(at), 1597334677);
    }
    return (one >>> 0).toString(36) + (two >>> 0).toString(36);
  };
  const around = ["backgroundColor", "backgroundImage", "backgroundClip", "opacity", "position", "filter",
    "mixBlendMode", "overflowX", "clipPath"];
  const letters = ["color", "fontSize", "fontWeight", "textShadow", "textIndent", "visibility", "display"];
  const all = (style, names) => names.map((name) => style[name]).join();
  const paints = (style) => style.backgroundColor !== "rgba(0, 0, 0, 0)" || style.backgroundImage !== "none";
  const pictured = new Set(["img", "svg", "video", "canvas", "object", "iframe"]);
  const [drawn, painters, texts] = [new Map(), [], []];
  const look = (element, outer) => {
    const style = getComputedStyle(element);
    const besides = ["::before", "::after"].map((each) => {
      const pseudo = getComputedStyle(element, each);
      return pseudo.content === "none" ? "" : pseudo.content + all(pseudo, around);
    });
    const isOff = element.matches(":disabled, [aria-disabled=true]") || element.control?.matches(":disabled");
    const name = `${element.localName}.${element.getAttribute("class") ?? ""}`;
    const mine = digest([outer, name, all(style, around), besides, Boolean(isOff)].join("|"));
    drawn.set(element, { style, mine, name, box: element.getBoundingClientRect() });
    if (pictured.has(element.localName) || paints(style)) painters.push(element);
    const words = element.matches("input, select, textarea")
      ? element.value + element.placeholder
      : [...element.childNodes].map((node) => (node.nodeType === Node.TEXT_NODE ? node.data : "")).join("");
    if (words.trim()) texts.push({ element, words: words.trim() });
    if (element.localName !== "svg") for (const inner of element.children) look(inner, mine);
  };
  look(document.documentElement, "");
  const meets = (one, other) =>
    one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  const holds = (outer, box) =>
    outer.left <= box.left && box.right <= outer.right && outer.top <= box.top && box.bottom <= outer.bottom;
  const signed = ({ element, words }) => {
    const { style, mine, box } = drawn.get(element);
    const met = painters.filter((each) => meets(drawn.get(each).box, box)).map((each) => {
      const { style: its, name, box: outer } = drawn.get(each);
      return [name, all(its, around), its.zIndex, each.contains(element), holds(outer, box)].join();
    });
    const kind = [words.length > 1, /[\\p{L}\\p{N}]/u.test(words), box.width > 1 && box.height > 1];
    return digest([mine, all(style, letters), kind, ...met].join("|"));
  };
  window.signedTexts = texts.map(({ element }) => element);
  return texts.map(signed).join(" ");
}"""
_RUN_AXE: Final = """async ([options, known]) => {
  const right = known.map((place) => window.signedTexts[place]);
  axe.configure({ rules: [{ id: "color-contrast", selector: ":not([data-known-contrast])" }] });
  right.forEach((each) => each.setAttribute("data-known-contrast", ""));
  const { violations } = await axe.run(options);
  right.forEach((each) => each.removeAttribute("data-known-contrast"));
  return { violations };
}"""
_right: Final = set[str]()
"""Signatures of the words whose contrast this worker found right."""


def faults_of(page: Page) -> str:
    """What axe finds on the page as it stands in its window, in words; empty if nothing."""
    # Its script is half a megabyte: a page that is looked over at two widths takes it once.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    signed: list[str] = page.evaluate(_SIGN).split()
    known = [place for place, signature in enumerate(signed) if signature in _right]
    found = AxeResults(page.evaluate(_RUN_AXE, [_AXE, known]))
    if found.violations_count:
        return str(found.generate_report())
    _right.update(signed)
    return ""
