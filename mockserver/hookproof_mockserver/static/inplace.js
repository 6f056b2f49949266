// A form marked `data-inplace` changes the page it stands on without a jump: the same request and
// the same answer as without script, put in place.

import { morph } from "./morph.js";
import { say, tick } from "./told.js";

export function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-inplace]")) return;
    event.preventDefault();
    send(form, event.submitter);
  });
}

async function send(form, submitter) {
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  try {
    const body = new URLSearchParams(new FormData(form, submitter));
    const answer = await fetch(form.action, { method: "POST", body });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.getElementById("main");
    if (next) place(next, fresh);
  } catch {
    say("The sender does not answer.");
    notAnswered();
  } finally {
    delete form.dataset.busy;
  }
}

function place(next, fresh) {
  const focused = document.activeElement?.id;
  morph(document.getElementById("main"), next);
  morph(document.getElementById("pages"), fresh.getElementById("pages"));
  if (document.activeElement === document.body && focused) document.getElementById(focused)?.focus();
  const note = document.querySelector("#note, #errors");
  if (note) say(note.textContent.trim().replace(/\s+/g, " "));
  tick();
}

function notAnswered() {
  const note = document.createElement("div");
  note.className = "note bad";
  note.id = "note";
  note.textContent = "The sender does not answer. Is it still running?";
  document.getElementById("notes").replaceChildren(note);
}
