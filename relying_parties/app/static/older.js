// What the browsers of older phones lack and the pages use. Syntax cannot be put right here: the modules keep to what
// Chrome 80 reads, and a test looks for what it does not.

// Chrome 86
if (!Element.prototype.replaceChildren) {
  Element.prototype.replaceChildren = function replaceChildren(...nodes) {
    while (this.firstChild) this.firstChild.remove();
    this.append(...nodes);
  };
}
