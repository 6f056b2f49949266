// Keys: each is offered by a link or a button too.

let going = 0;

export function start() {
  const keys = document.getElementById("keys");
  document.getElementById("show-keys").addEventListener("click", () => keys.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || keys.open) return;
    if (press(event.key, keys)) event.preventDefault();
  });
}

function typing(element) {
  return element.matches?.("input:not([type=radio], [type=checkbox]), textarea, select");
}

function press(key, keys) {
  if (Date.now() - going < 1500) {
    going = 0;
    return follow(document.querySelector(`#pages a[data-key="${CSS.escape(key)}"]`));
  }
  switch (key) {
    case "g":
      going = Date.now();
      return true;
    case "/":
      return focus(document.querySelector("[data-filter]"));
    case "?":
      keys.showModal();
      return true;
    case "n":
      location.href = "/events/new";
      return true;
    case "t":
      document.getElementById("theme").click();
      return true;
    default:
      return false;
  }
}

function follow(link) {
  link?.click();
  return Boolean(link);
}

function focus(field) {
  field?.focus();
  field?.select();
  return Boolean(field);
}
