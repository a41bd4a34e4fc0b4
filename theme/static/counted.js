// Counts what is typed against its limit, as the server counts it: composed characters, a line's end one of
// them, no blanks around. Nothing is cut: what is too long stays to be shortened (templates/appeal/_remark.html).

const counted = (text) => [...text.replace(/\r\n?/g, "\n").normalize("NFC").trim()].length;

document.querySelectorAll("[data-counted]").forEach((block) => {
  const most = Number(block.dataset.counted);
  const field = block.querySelector("textarea");
  const line = block.querySelector("[data-counted-so-far]");
  const spoken = block.querySelector("[data-counted-spoken]");
  let pause = 0;
  const tell = () => {
    const now = counted(field.value);
    line.textContent = `${now}/${most}`;
    line.classList.toggle("govuk-error-message", now > most);
    // Whoever listens is told when he stops, not at each key.
    clearTimeout(pause);
    pause = setTimeout(() => {
      if (document.activeElement !== field) return;
      spoken.textContent = now > most ? `已超出 ${now - most} 字` : `还可以输入 ${most - now} 字`;
    }, 1000);
  };
  field.addEventListener("input", tell);
  tell();
});
