// What is said aloud by a screen reader, and times that go on.

const said = document.getElementById("said");

export function say(text) {
  if (said.textContent !== text) said.textContent = text;
}

export function tick() {
  const now = Date.now() / 1000;
  for (const time of document.querySelectorAll("time[datetime]")) {
    const text = relative(Date.parse(time.dateTime) / 1000 - now);
    if (time.textContent !== text) time.textContent = text;
  }
}

function relative(away) {
  if (Math.abs(away) < 1.5) return "now";
  const text = span(Math.abs(away));
  return away > 0 ? `in ${text}` : `${text} ago`;
}

function span(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]])
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}
