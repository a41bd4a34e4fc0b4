// The agreement (MISSION B24): shown whole, its box never ticked beforehand.

import { h, icon } from "./view.js";

/**
 * @param {{version: string, title: string, paragraphs: string[]}} agreement
 * @returns {HTMLElement} the text, which scrolls
 */
export const agreementText = ({ title, paragraphs }) =>
  h("section", { class: "tx-agreement", tabindex: "0", "aria-label": title },
    h("h2", null, title), paragraphs.map((each) => h("p", null, each)));

/**
 * The box that says yes.
 * @param {{title: string}} agreement
 * @returns {{node: HTMLElement, given: () => boolean}} `given` says what is missing where it is not ticked
 */
export function consent({ title }) {
  const wrong = h("p", { class: "govuk-error-message", id: "agree-e", role: "alert", hidden: true },
    icon("circle-alert"), h("span", null, "请阅读协议，同意后才能设置口令。"));
  const box = h("input", { class: "govuk-checkboxes__input", type: "checkbox", id: "agree", name: "agree" });
  const label = h("label", { class: "govuk-label govuk-checkboxes__label", for: "agree" }, `我已阅读并同意《${title}》`);
  const node = h("div", null, wrong,
    h("div", { class: "govuk-checkboxes" }, h("div", { class: "govuk-checkboxes__item" }, box, label)));
  const given = () => {
    wrong.hidden = box.checked;
    if (box.checked) {
      box.removeAttribute("aria-describedby");
    } else {
      box.setAttribute("aria-describedby", "agree-e");
      box.focus();
    }
    return box.checked;
  };
  return { node, given };
}
