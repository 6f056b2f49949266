import * as inplace from "./inplace.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { say, tick } from "./told.js";

function address() {
  // A note is shown once; without it in the address, a reload or a bookmark is clean.
  const url = new URL(location.href);
  if (!url.searchParams.has("note")) return;
  url.searchParams.delete("note");
  history.replaceState(history.state, "", url);
}

function copying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      copied(button);
    } catch {
      say("The browser did not allow copying."); // the text can still be marked and copied
    }
  });
}

function copied(button) {
  button.classList.add("copied");
  say("Copied.");
  setTimeout(() => button.classList.remove("copied"), 1500);
}

function theme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const name = () => (button.textContent = isDark() ? "Light" : "Dark");
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("hookproof-theme", next);
    } catch {
      // storage may be switched off; the choice then lasts for this page
    }
    name();
  });
  dark.addEventListener("change", name);
  name();
}

function filtering() {
  for (const field of document.querySelectorAll("[data-filter-list]")) {
    const list = document.getElementById(field.dataset.filterList);
    if (!list) continue;
    field.addEventListener("input", () => filter(list, field.value.trim().toLowerCase().split(/\s+/)));
  }
}

function filter(list, words) {
  let shown = 0;
  for (const item of list.querySelectorAll("[data-item]")) {
    const text = item.textContent.toLowerCase();
    item.hidden = !words.every((word) => text.includes(word));
    shown += item.hidden ? 0 : 1;
  }
  const some = words.some(Boolean);
  for (const group of list.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[data-item]:not([hidden])");
    group.open = some && !group.hidden;
  }
  list.querySelector("[data-none]").hidden = shown > 0;
  say(`${shown} shown`);
}

function choosing() {
  // Whoever types into a field that belongs to a choice means that choice.
  const links = { payload: "payload_kind-own", secret: "secret_kind-typed" };
  for (const [field, choice] of Object.entries(links))
    document.querySelector(`textarea#${field}, input#${field}`)?.addEventListener("input", () => {
      const radio = document.getElementById(choice);
      if (radio) radio.checked = true;
    });
}

// On a narrow screen the row of pages scrolls; the current one is shown.
document.querySelector("#pages [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
address();
copying();
theme();
filtering();
choosing();
keys.start();
inplace.start();
live.start();
tick();
setInterval(tick, 1000);
