// Keeps the page as the sender is now: changes are told by server-sent events, and the regions that
// they concern are asked for again, never more often than the server answers with ease.

import { morph } from "./morph.js";
import { say, tick } from "./told.js";

const SHORTEST = 150; // ms between a change and the look at it; more changes join it meanwhile
const LONGEST = 3000;

let source = null;
let wanted = new Set();
let timer = 0;
let busy = false;
let pause = SHORTEST;

export function start() {
  connect();
  // A browser opens six connections to a host at most: a page that nobody sees must hold none.
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : connect()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function connect() {
  if (source || document.hidden) return;
  source = new EventSource("/api/stream");
  source.onopen = () => {
    show("on", "Live");
    ask("*"); // something may have changed while nobody listened, if only since the page was made
  };
  source.onerror = () => {
    show("lost", "Reconnecting");
    if (source?.readyState !== EventSource.CLOSED) return;
    source = null; // refused, not broken: the browser does not try again by itself
    setTimeout(connect, 2000);
  };
  for (const kind of ["delivery", "event", "subscription", "part", "account"])
    source.addEventListener(kind, () => ask(kind));
  source.addEventListener("missed", () => ask("*"));
}

function leave() {
  source?.close();
  source = null;
  show("off", "Not live");
}

function show(state, words) {
  const live = document.getElementById("live");
  live.dataset.state = state;
  document.getElementById("live-words").textContent = words;
}

function concerned(region) {
  const kinds = region.dataset.live.split(" ");
  return wanted.has("*") || kinds.some((kind) => wanted.has(kind));
}

function ask(kind) {
  wanted.add(kind);
  plan();
}

function plan() {
  if (!timer && !busy) timer = setTimeout(look, pause);
}

async function look() {
  timer = 0;
  const regions = [...document.querySelectorAll("[data-live]")].filter(concerned);
  wanted = new Set();
  busy = true;
  const begun = performance.now();
  const text = await fetched();
  if (text) update(text, regions);
  pause = Math.min(LONGEST, Math.max(SHORTEST, 3 * (performance.now() - begun)));
  busy = false;
  if (wanted.size) plan();
}

async function fetched() {
  try {
    const answer = await fetch(location.href);
    return answer.ok ? await answer.text() : "";
  } catch {
    return ""; // the sender is away; when the stream opens again, all is asked for anew
  }
}

// A sender that was started anew has another token; the forms of this page go on working.
function renew(fresh) {
  const token = fresh.querySelector("meta[name=token]").content;
  document.querySelector("meta[name=token]").content = token;
  for (const field of document.querySelectorAll("input[name=token]")) field.value = token;
}

function update(text, regions) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const region of regions) {
    const next = fresh.getElementById(region.id);
    if (!next) continue;
    const said = next.dataset.say;
    if (said && said !== region.dataset.say) say(said);
    morph(region, next);
  }
  renew(fresh);
  const nav = document.getElementById("pages");
  morph(nav, fresh.getElementById("pages"));
  tick();
}
