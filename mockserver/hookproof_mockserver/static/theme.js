// Runs before the page is painted, so that it never flashes in the wrong colours.
const kept = (() => {
  try {
    return localStorage.getItem("hookproof-theme");
  } catch {
    return null; // storage may be switched off; the system's choice then stands
  }
})();
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
document.documentElement.classList.add("js");
