// The last day of an identity document, as its first day and its term make it (theme/documents.html).

const two = (number) => String(number).padStart(2, "0");

function lastDay(first, years) {
  const [year, month, day] = first.split("-").map(Number);
  const until = year + Number(years);
  const leaps = (until % 4 === 0 && until % 100 !== 0) || until % 400 === 0;
  // Of 29 February the 28th, where the year has none.
  const last = month === 2 && day === 29 && !leaps ? 28 : day;
  return `${until}-${two(month)}-${two(last)}`;
}

document.querySelectorAll("[data-document]").forEach((block) => {
  const first = block.querySelector("[name=valid_from]");
  const last = block.querySelector("[name=valid_until]");
  const fill = () => {
    const term = block.querySelector("[name=term]:checked")?.value;
    last.readOnly = term === "long";
    if (term === "long") last.value = "";
    else if (term && /^\d{4}-\d{2}-\d{2}$/.test(first.value)) last.value = lastDay(first.value, term);
  };
  block.addEventListener("change", (event) => {
    if (event.target !== last) fill();
  });
  if (!last.value) fill();
});
