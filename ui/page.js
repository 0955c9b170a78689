// The page's own behaviour. Gradio runs this once with `element` (the running answer), `trigger` and `watch`.
// Nothing here makes markup: texts are set as text, and the server renders all HTML.
const root = document.querySelector(".gradio-container") || document.body;
const $ = (selector) => document.querySelector(selector);
const phone = window.matchMedia("(max-width: 899px)");
let opener = null; // what had the focus before the source opened
let shown = ""; // which source the panel holds

$("#talk").setAttribute("role", "main");
$("#side").setAttribute("role", "region");

// The language of the interface: the one chosen here before, else the browser's.
const CHOSEN = "feud:interface";
const remembered = () => { try { return localStorage.getItem(CHOSEN); } catch { return null; } };
const remember = (language) => { try { localStorage.setItem(CHOSEN, language); } catch { /* not kept */ } };
function spoken() {
  const top = $("#top .top");
  if (!top) return;
  document.documentElement.lang = top.lang;
  $("#side").setAttribute("aria-label", top.dataset.source);
}
spoken();
new MutationObserver(() => {
  spoken();
  if (waits) linked(); // it had to wait for the language, whose answer shows the conversation, too
}).observe($("#top"), { childList: true, subtree: true });
let waits = false;
const wanted = remembered() || navigator.language || "en";
const foreign = wanted.split("-")[0] !== document.documentElement.lang;
if (foreign) trigger("interface", { language: wanted });
else trigger("shelved", {}); // the documents may have changed since the page was made

// A link leads to a conversation that is kept, and in it to an answer.
let wantedTurn = "";
function reopen(talk, turn = "") {
  wantedTurn = turn ?? "";
  shown = "";
  view("");
  trigger("reopen", { talk });
}
function linked() {
  waits = false;
  const link = new URLSearchParams(location.hash.slice(1));
  if (!link.get("talk")) return;
  history.replaceState(null, "", location.pathname + location.search); // else the same link would do nothing
  reopen(link.get("talk"), link.get("turn"));
}
function jump() {
  const there = wantedTurn && $(`[data-turn="${Number(wantedTurn)}"].exchange`);
  wantedTurn = "";
  if (there) there.scrollIntoView({ block: "start" });
}
window.addEventListener("hashchange", linked);
document.addEventListener("change", (event) => {
  const { value, dataset } = event.target;
  if (dataset?.do === "interface") {
    remember(value);
    shown = "";
    if (root.dataset.view !== "shelf") view("");
    trigger("interface", { language: value });
  } else if (dataset?.do === "only") {
    dated(dataset.by === "first" ? number(value) || 0 : 0, dataset.by);
  }
});
// A page of the timeline comes from the server; what had the focus gets it back.
let again = null;
function dated(first, by) {
  const chosen = (name) => $(`#times [data-by=${name}]`)?.value ?? "";
  again = () => {
    $("#times .volumes").scrollTop = 0;
    $(by ? `#times [data-by=${by}]` : "#times .volume")?.focus({ preventScroll: true });
  };
  trigger("times", { document: chosen("document"), language: chosen("language"), first });
}
const area = () => $("#question textarea");
// The box may come after this. On a phone the focus would cover the page with its keyboard.
function greet() {
  const box = area();
  box?.setAttribute("dir", "auto");
  if (!phone.matches && document.activeElement === document.body) box?.focus();
  return box !== null;
}
const coming = new MutationObserver(() => greet() && coming.disconnect());
if (!greet()) coming.observe(root, { childList: true, subtree: true });

const peek = document.createElement("div");
peek.id = "peek";
peek.setAttribute("aria-hidden", "true");
const peekQuote = document.createElement("q");
const peekSource = document.createElement("small");
const peekTold = document.createElement("p");
peekQuote.dir = peekTold.dir = "auto";
peek.append(peekQuote, peekTold, peekSource);
root.append(peek);

function view(mode) {
  root.dataset.view = mode; // "", "source", "shelf", "times", "talks" or "quality"
  $("#talk").inert = mode !== "" && phone.matches;
}
view("");
if (foreign) waits = true;
else linked();

function reveal() {
  view("source");
  const mark = $("#cited");
  const text = $("#source .document");
  if (mark) {
    text.scrollTop += mark.getBoundingClientRect().top - text.getBoundingClientRect().top - text.clientHeight / 3;
    mark.focus({ preventScroll: true });
  } else {
    text?.focus({ preventScroll: true });
  }
  for (const other of document.querySelectorAll("[data-open]")) other.removeAttribute("data-open");
  opener?.setAttribute("data-open", "");
}

function open(button, wanted) {
  hidePeek();
  opener = button;
  const key = JSON.stringify(wanted);
  if (key === shown) return reveal();
  shown = key;
  trigger("cite", wanted);
}

function close() {
  if (!root.dataset.view) return;
  const panel = opener?.closest("#times, #quality")?.id ?? "";
  view(panel);
  opener?.removeAttribute("data-open");
  const back = opener?.isConnected ? opener : area();
  back?.focus({ preventScroll: true });
  opener = panel ? $(`#top [data-do=${panel}]`) : null;
}

let lingering = 0; // the clock that runs while a peek is on
function hidePeek() {
  clearInterval(lingering);
  peek.removeAttribute("data-on");
}

// Who lingers on a mark for a second gets the cited words in their language, as its source shows them.
function showPeek(button) {
  clearInterval(lingering);
  peekQuote.textContent = button.dataset.quote;
  peekQuote.lang = button.dataset.language;
  peekSource.textContent = button.dataset.source;
  fillPeek(button);
  peek.setAttribute("data-on", "");
  let looks = 0;
  lingering = setInterval(() => {
    looks += 1;
    if (looks === 4) offered(button)?.querySelector(".translate")?.click();
    fillPeek(button);
  }, 250);
}
function offered(button) {
  const place = `[data-turn="${button.dataset.turn}"][data-citation="${button.dataset.citation}"].reference`;
  return $(place)?.closest("li");
}
function fillPeek(button) {
  const told = offered(button)?.querySelector(".told");
  peekTold.textContent = told ? told.textContent : "";
  peekTold.lang = told?.querySelector("q")?.lang ?? "";
  const at = button.getBoundingClientRect();
  const left = Math.max(12, Math.min(at.left - 24, window.innerWidth - peek.offsetWidth - 12));
  const above = at.top - peek.offsetHeight - 8;
  peek.style.left = `${left}px`;
  peek.style.top = `${above > 8 ? above : at.bottom + 8}px`;
}

const number = (text) => Number.parseInt(text, 10);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const data = button.dataset;
  if (data.citation) open(button, { turn: number(data.turn), citation: number(data.citation) });
  else if (data.save) trigger("save", { turn: number(data.turn), form: data.save });
  else if (data.print) {
    const exchange = button.closest(".exchange");
    exchange.setAttribute("data-printed", "");
    window.print(); // a browser prints into a file, too
    exchange.removeAttribute("data-printed");
  } else if (data.do === "save") trigger("save", { turn: null, form: "HTML" });
  else if (data.translate) {
    if ("busy" in data) return;
    data.busy = ""; // until the answer is shown anew, or for a while
    setTimeout(() => delete data.busy, 20_000);
    trigger("translate", { turn: number(data.turn), citation: number(data.translate) });
  } else if (data.passage) open(button, { turn: number(data.turn), passage: number(data.passage) });
  else if (data.start) open(button, { document: data.document, start: number(data.start), end: number(data.end) });
  else if (data.document) open(button, { document: data.document });
  else if (data.remove) remove([data.remove]);
  else if (data.undo) undo();
  else if (data.do === "paste") {
    const form = $("#shelf .pasting");
    form.hidden = !form.hidden;
    button.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) form.querySelector("textarea").focus();
  }
  else if (data.example) trigger("example", { example: number(data.example) });
  else if (data.talk) reopen(data.talk);
  else if (data.rename) rename(button);
  else if (data.delete) trigger("talks", { do: "delete", name: data.delete });
  else if (data.restore) trigger("talks", { do: "restore", name: data.restore });
  else if (data.again) {
    const box = area();
    box.value = data.again;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  } else if (data.first) dated(number(data.first));
  else if (data.run) trigger("quality", { run: data.run });
  else if (["measure", "halt"].includes(data.do)) trigger(data.do, {});
  else if (["shelf", "times", "talks", "quality"].includes(data.do)) {
    opener = button;
    view(root.dataset.view === data.do ? "" : data.do);
    if (data.do === "times" && !$("#times .volumes")) trigger("times", {});
    if (root.dataset.view === "talks") trigger("talks", { do: "list" });
    if (root.dataset.view === "quality") trigger("quality", {});
    if (root.dataset.view && (phone.matches || event.detail === 0)) { // by a key: Tab goes on inside
      const panel = $(`#${data.do}`);
      panel.tabIndex = -1;
      panel.focus({ preventScroll: true });
    }
  } else if (data.do === "fresh") {
    shown = "";
    opener = null;
    view("");
    trigger("fresh", {});
    area()?.focus();
  } else if (button.classList.contains("close")) close();
});

// Documents: files are sent one by one, then the index is made once; what is going on is said in one line.
let news = { words: "", back: null };
let work = Promise.resolve();
function tell(words, back = null) {
  news = { words, back };
  telling();
}
function telling() {
  const line = $("#shelf .told");
  if (!line || (line.news === news && line.textContent.startsWith(news.words))) return;
  line.news = news;
  line.textContent = news.words;
  if (!news.back) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.dataset.undo = button.textContent = line.dataset.undo;
  line.append(" ", button);
}
new MutationObserver(telling).observe($("#shelf"), { childList: true, subtree: true });
const ask = (method, path, body) =>
  fetch(path, { method, body, headers: { "X-Feud": document.documentElement.lang } });

async function change(method, files, back) {
  const done = []; // what undo is about: not what was there before
  const named = [];
  const wrong = [];
  for (const { name, body } of files) {
    try {
      const answer = await ask(method, `documents/${encodeURIComponent(name)}`, body);
      if (answer.ok) named.push(name);
      else wrong.push(await answer.text());
      if (answer.ok && (method !== "PUT" || answer.status === 201)) done.push(name);
    } catch {
      wrong.push(`${name}: ?`); // a folder that was dropped, or the server is gone
    }
  }
  let words = "";
  if (named.length) {
    const answer = await ask("POST", "index", named.join("\n"));
    if (!answer.ok) wrong.push(await answer.text());
    let rest = "";
    for (const reader = answer.ok && answer.body.pipeThrough(new TextDecoderStream()).getReader(); reader; ) {
      const { done: over, value = "" } = await reader.read();
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) tell((words = JSON.parse(line).words), news.back);
      if (over) break;
    }
  }
  shown = "";
  tell([words, ...wrong].filter(Boolean).join(" "), done.length ? () => back(done) : news.back);
  trigger("shelved", {});
  windows.postMessage("");
}
// What one window changes, or another program, the other windows show: told at once, or when they are looked at.
const windows = new BroadcastChannel("feud:shelved");
windows.onmessage = () => trigger("shelved", {});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) trigger("shelved", {});
});
new MutationObserver(() => {
  if ($("#times .volumes")) {
    again?.();
    again = null;
  } else if (root.dataset.view === "times") trigger("times", {});
}).observe($("#times"), { childList: true, subtree: true });
function queue(method, files, back) {
  work = work.then(() => change(method, files, back)).catch((error) => tell(String(error), news.back));
}
const bare = (names) => names.map((name) => ({ name }));
const remove = (names) => queue("DELETE", bare(names), restore);
const restore = (names) => queue("POST", bare(names), remove);
const undo = () => {
  const { back } = news;
  tell("");
  back?.();
};
function add(files) {
  if (!files.length || !$("#shelf .adding")) return;
  if (!["", "shelf"].includes(root.dataset.view) || phone.matches) view("shelf");
  queue("PUT", Array.from(files, (file) => ({ name: file.name, body: file })), remove);
}
document.addEventListener("change", (event) => {
  if (event.target.dataset?.do !== "files") return;
  add(Array.from(event.target.files));
  event.target.value = ""; // the same file may be chosen again
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".pasting")) return;
  event.preventDefault();
  const text = event.target.querySelector("textarea").value.trim();
  const title = text.split("\n")[0].replace(/[\\/\p{C}\p{Z}]+/gu, " ").replace(/^[\s.#]+/, "").slice(0, 60).trim();
  if (text) add([new File([text], `${title || "text"}.txt`)]);
  event.target.reset();
});
const dropped = (event) => event.dataTransfer?.types.includes("Files") && $("#shelf .adding");
document.addEventListener("dragover", (event) => {
  if (!dropped(event)) return;
  event.preventDefault();
  root.dataset.drag = "";
});
for (const kind of ["dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (kind === "drop" || !event.relatedTarget) delete root.dataset.drag;
    if (kind !== "drop" || !dropped(event)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
}

// Conversations: found by words, renamed where they stand, shared by a link.
document.addEventListener("input", (event) => {
  if (event.target.dataset?.do !== "find") return;
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll("#talks li")) {
    item.hidden = !words.every((word) => item.dataset.said.includes(word));
  }
});
function rename(button) {
  const title = button.closest("li").querySelector(".volume");
  if (!title) return; // it is being renamed
  const field = document.createElement("input");
  field.value = title.querySelector("bdi").textContent;
  field.maxLength = 200;
  field.setAttribute("aria-label", button.title);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.stopPropagation();
    field.replaceWith(title);
    button.focus();
    if (event.key === "Enter") trigger("talks", { do: "rename", name: button.dataset.rename, title: field.value });
  });
  title.replaceWith(field);
  field.focus();
  field.select();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.link");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  navigator.clipboard?.writeText(link.href).then(() => {
    const words = link.textContent;
    link.textContent = link.dataset.copied;
    setTimeout(() => (link.textContent = words), 2000);
  });
});

// A mouse peeks by hovering, a keyboard by moving the focus; a finger opens the source itself.
document.addEventListener("pointerover", (event) => {
  const button = event.target.closest?.("button.cite");
  if (button && event.pointerType === "mouse") showPeek(button);
  else hidePeek();
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("button.cite:focus-visible")) showPeek(event.target);
  else hidePeek();
});
document.addEventListener("scroll", hidePeek, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    hidePeek();
    close();
  }
});
// The second click of a double one begins nothing twice, nor stops it where that button has taken the place.
const once = "#stop, [data-do=measure], [data-do=halt]";
document.addEventListener(
  "click",
  (event) => {
    if (event.detail > 1 && event.target.closest(once)) event.stopImmediatePropagation();
  },
  true,
);
let sending;
function send() {
  clearTimeout(sending);
  if (element.querySelector('[data-state="running"]')) return;
  const button = $("#send");
  if (button) button.click();
  else sending = setTimeout(send, 100); // the page is still being made
}
// Enter sends, Shift+Enter makes a new line, and Enter that ends a Chinese or Japanese composition does neither.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.target !== area()) return;
    event.stopImmediatePropagation();
    if (event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!event.repeat) send();
  },
  true,
);
document.addEventListener(
  "keypress",
  (event) => {
    if (event.key === "Enter" && event.target === area()) event.stopImmediatePropagation();
  },
  true,
);

document.addEventListener("feud:source", () => {
  if ($("#source .document")) reveal();
});

// Folding and unfolding by the reader outlives the snapshots that follow.
const folds = new Map();
document.addEventListener("click", (event) => {
  const details = event.target.closest("details.passages");
  if (details && event.target.closest("summary")) folds.set(details.dataset.turn, !details.open);
});
// Gradio closes its stream with the last answer; a question of that very instant would wait for ever. What joins
// the queue opens it again, and what has been said meanwhile comes.
let silent = 0; // seconds
setInterval(() => {
  silent = element.querySelector('[data-state="running"]') ? silent + 1 : 0;
  if (silent % 30 === 3) trigger("listen", {});
}, 1000);

let turn = "";
watch("value", () => {
  silent = 0;
  const exchange = element.querySelector(".exchange");
  const details = element.querySelector("details.passages");
  if (details && folds.has(details.dataset.turn)) details.open = folds.get(details.dataset.turn);
  if (exchange && exchange.dataset.turn !== turn) {
    const page = $("#transcript");
    page.scrollTop += exchange.getBoundingClientRect().top - page.getBoundingClientRect().top;
  }
  turn = exchange ? exchange.dataset.turn : "";
  jump();
  if (!exchange) folds.clear();
});
