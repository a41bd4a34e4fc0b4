// Questions of a form, each with room for an error: several answers to choose from, or one box to tick.
// A question is {node, value, problem, fail}: `value()` is the answer, `problem()` the sentence about what is missing,
// `fail` shows a sentence beside it and takes an empty one away.

import { h, icon } from "./view.js";

/**
 * A question whose answers are radios.
 * @param {string} id
 * @param {string} legend
 * @param {HTMLElement} answers
 * @param {string} missing the sentence where none was chosen
 */
export function choice(id, legend, answers, missing) {
  const asked = question(id, legend, answers);
  const value = () => answers.querySelector("input:checked")?.value ?? "";
  return { ...asked, value, problem: () => (value() ? "" : missing) };
}

/**
 * A question that is answered by ticking its box; never ticked beforehand.
 * @param {string} id
 * @param {string} legend
 * @param {string} label
 * @param {string} missing the sentence where it was not ticked
 */
export function agreement(id, legend, label, missing) {
  const box = h("input", { type: "checkbox", class: "govuk-checkboxes__input", id: `${id}-yes`, name: id, value: "yes" });
  const answers = h("div", { class: "govuk-checkboxes" },
    h("div", { class: "govuk-checkboxes__item" }, box,
      h("label", { class: "govuk-label govuk-checkboxes__label", for: `${id}-yes` }, label)));
  const asked = question(id, legend, answers);
  return { ...asked, value: () => box.checked, problem: () => (box.checked ? "" : missing) };
}

function question(id, legend, answers) {
  const error = h("p", { class: "govuk-error-message", id: `${id}-e`, role: "alert", hidden: true });
  const node = h("fieldset", { "aria-describedby": `${id}-e` }, h("legend", null, legend), error, answers);
  const fail = (sentence) => {
    error.hidden = !sentence;
    error.replaceChildren(...(sentence ? [icon("circle-alert"), h("span", null, sentence)] : []));
    node.classList.toggle("govuk-form-group--error", Boolean(sentence));
    if (sentence) node.querySelector("input:enabled")?.focus();
  };
  return { node, fail };
}
