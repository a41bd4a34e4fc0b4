// 大字版: larger letters for all apps of this address, as this phone was told once.

const NAME = "letters";

/** @returns {boolean} whether the pages are drawn with large letters */
export const isLarge = () => localStorage.getItem(NAME) === "large";

/** Draw the pages as this phone was told. */
export const drawLetters = () => document.documentElement.classList.toggle("tx-large", isLarge());

/**
 * Draw with large letters from now on, or no more.
 * @param {boolean} large
 */
export function writeLarge(large) {
  if (large) localStorage.setItem(NAME, "large");
  else localStorage.removeItem(NAME);
  drawLetters();
}
