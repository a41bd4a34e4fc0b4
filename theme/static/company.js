// What the name of a company is called follows its 法人类型 (theme/company.html); without a script
// the server names it once the form was sent.

document.querySelectorAll("[data-company]").forEach((block) => {
  const kind = block.querySelector("[name=type]");
  const label = block.querySelector("label[for=name]");
  const rename = () => {
    label.textContent = kind.value === "企业法人" ? "企业名称" : "单位名称";
  };
  kind.addEventListener("change", rename);
  rename();
});
