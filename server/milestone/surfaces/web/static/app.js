// Keeps an open page up to date: hears that something happened, loads the same page, changes only what differs.

const REST = 1000; // milliseconds between two loads, however much happens
const AGAIN = 5000; // milliseconds until the stream is tried again where the server is gone
const link = document.getElementById("link");
const words = document.getElementById("link-words");
const news = document.getElementById("news");
let stream = null;
let loading = false;
let wanted = false;
let retry = 0;
let known = document.body.dataset.position || null;

function show(state, text) {
  if (link.dataset.state === state && words.textContent === text) return;
  link.dataset.state = state;
  words.textContent = text;
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || "" : "";
}

function same(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);
}

// What a person has done to an element stays: opened details, text and choices in fields.
function copyAttributes(old, fresh) {
  const kept = { DETAILS: ["open"], INPUT: ["value", "checked"], OPTION: ["selected"] }[old.nodeName] || [];
  for (const { name, value } of [...fresh.attributes]) {
    if (!kept.includes(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!kept.includes(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  copyAttributes(old, fresh);
  morphChildren(old, fresh);
}

// Children that are still there stay the same nodes: so do focus, scroll and selection in them.
function morphChildren(old, fresh) {
  const keyed = new Map();
  const others = [];
  for (const child of old.childNodes) {
    if (keyOf(child)) keyed.set(keyOf(child), child);
    else others.push(child);
  }
  const used = new Set();
  const result = [];
  for (const child of fresh.childNodes) {
    const key = keyOf(child);
    const found = key ? keyed.get(key) : others.find((one) => !used.has(one) && same(one, child));
    if (found && !used.has(found) && same(found, child)) {
      used.add(found);
      morph(found, child);
      result.push(found);
    } else {
      result.push(document.importNode(child, true));
    }
  }
  for (const child of [...old.childNodes]) if (!used.has(child)) child.remove();
  result.forEach((node, at) => {
    if (old.childNodes[at] !== node) old.insertBefore(node, old.childNodes[at] || null);
  });
}

function announced(root) {
  return [...root.querySelectorAll("[data-announce]")].map((one) => one.dataset.announce);
}

function take(fresh) {
  const focused = document.activeElement;
  const before = new Set(announced(document));
  for (const section of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(section.id);
    if (old) morph(old, section);
    else if (section.id) place(section);
  }
  for (const old of [...document.querySelectorAll("[data-live]")]) {
    if (!fresh.getElementById(old.id)) old.remove();
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  if (document.title !== fresh.title) document.title = fresh.title;
  const fresher = announced(document).filter((text) => !before.has(text));
  if (fresher.length) news.textContent = [...new Set(fresher)].slice(0, 3).join(". ");
}

// A section that was not there stands before the one that follows it on the new page.
function place(section) {
  const next = section.nextElementSibling;
  const anchor = next && next.id ? document.getElementById(next.id) : null;
  const made = document.importNode(section, true);
  if (anchor) anchor.before(made);
  else document.getElementById("main").append(made);
}

async function load() {
  if (loading) {
    wanted = true;
    return;
  }
  loading = true;
  wanted = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (answer.status === 401) return lost("Started anew: open its new link");
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The stream tells whether the connection is lost; the next news loads again.
  } finally {
    setTimeout(() => {
      loading = false;
      if (wanted) load();
    }, REST);
  }
}

function lost(text = "Connection lost") {
  show("lost", text);
  if (!retry) retry = setTimeout(open, AGAIN);
}

function close() {
  if (stream) stream.close();
  stream = null;
}

// A page that nobody sees does not listen: a browser has six connections to one server.
function open() {
  clearTimeout(retry);
  retry = 0;
  close();
  if (document.hidden) return;
  stream = new EventSource("/live");
  stream.addEventListener("open", () => {
    clearTimeout(retry);
    retry = 0;
    show("live", "Live");
  });
  stream.addEventListener("position", (event) => {
    if (known !== event.data) load();
    known = event.data;
  });
  stream.addEventListener("beat", load);
  stream.addEventListener("error", () => {
    const refused = stream && stream.readyState === EventSource.CLOSED;
    if (refused) close();
    lost();
    if (refused) load(); // it is there, and says why: an earlier start of it knew this page
  });
}

if (!("still" in document.body.dataset)) {
  show("", "Connecting");
  document.addEventListener("visibilitychange", open);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
