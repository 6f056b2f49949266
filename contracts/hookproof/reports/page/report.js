
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const rules = [...document.querySelectorAll(".rule")];
  const sections = [...document.querySelectorAll(".category")];

  // --- light and dark ---
  const theme = $("theme");
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const showTheme = () => {
    theme.textContent = dark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", dark() ? "Use light colours" : "Use dark colours");
    theme.removeAttribute("aria-pressed");
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    showTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  showTheme();

  // --- links lead into closed rules ---
  const reveal = () => {
    const target = location.hash && $(decodeURIComponent(location.hash.slice(1)));
    const rule = target && target.closest(".rule");
    if (rule) {
      rule.hidden = false;
      rule.closest(".category").hidden = false;
      rule.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();

  // --- filters ---
  const form = $("filters");
  if (!form) return;
  form.hidden = false;
  const verdicts = [...form.querySelectorAll("[name=verdict]")];
  for (const box of verdicts) {
    const count = rules.filter((rule) => rule.dataset.verdicts.split(" ").includes(box.value)).length;
    box.parentElement.append(` ${count}`);
    box.parentElement.hidden = count === 0;
  }
  const apply = () => {
    const wanted = verdicts.filter((box) => box.checked).map((box) => box.value);
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [level, category] = [$("level").value, $("category").value];
    let shown = 0;
    for (const section of sections) {
      let any = false;
      for (const rule of section.querySelectorAll(".rule")) {
        const has = rule.dataset.verdicts.split(" ");
        const fits = (!wanted.length || wanted.some((verdict) => has.includes(verdict)))
          && (!level || rule.dataset.level === level)
          && (!category || section.dataset.category === category)
          && words.every((word) => rule.dataset.text.includes(word));
        rule.hidden = !fits;
        any ||= fits;
        shown += fits ? 1 : 0;
      }
      section.hidden = !any;
    }
    $("shown").textContent = `${shown} of ${rules.length} rules`;
    $("nothing").hidden = shown > 0;
  };
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  const openAll = (open) => rules.filter((rule) => !rule.hidden).forEach((rule) => { rule.open = open; });
  $("open").addEventListener("click", () => openAll(true));
  $("close").addEventListener("click", () => openAll(false));
  apply();
})();
