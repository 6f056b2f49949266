// Makes a piece of the page equal to a new one from the server, changing only what differs:
// focus, scroll, what was typed and what was folded open stay.

const KEPT = new Set(["open"]);

export function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(document.importNode(to, true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  attributes(from, to);
  children(from, to);
}

function attributes(from, to) {
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (from.getAttribute(name) !== value && !KEPT.has(name)) from.setAttribute(name, value);
}

function children(from, to) {
  const named = new Map([...from.children].filter((e) => e.id).map((e) => [e.id, e]));
  const wanted = new Set([...to.children].map((e) => e.id).filter(Boolean));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const same = next.id ? named.get(next.id) : undefined;
    while (at && at !== same && at.id && !wanted.has(at.id)) at = dropped(at);
    if (same) {
      if (same === at) at = at.nextSibling;
      else from.insertBefore(same, at);
      morph(same, next);
    } else if (at && !at.id && !next.id && at.nodeName === next.nodeName) {
      const current = at;
      at = at.nextSibling;
      morph(current, next);
    } else {
      const added = document.importNode(next, true);
      if (added.id && from.matches("tbody, .timeline")) added.classList.add("fresh");
      from.insertBefore(added, at);
    }
  }
  while (at) at = dropped(at);
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
