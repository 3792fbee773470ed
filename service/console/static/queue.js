// The queue by keyboard. A decision shows at once and is sent in the background. If the server refuses it, the comment
// comes back with the reason. Without this script the same page works through its forms.

import { Fresh, settle } from "./fresh.js";
import { Keys } from "./keys.js";
import { send, html } from "./sending.js";
import { askFirst, markQuestion, withQuestion } from "./questions.js";
import { explain } from "./score.js";
import { tellTimes } from "./moments.js";

const rows = document.getElementById("rows");
const open = document.getElementById("open");
const pane = document.getElementById("main");
const saidSo = document.getElementById("said-so");
const nothing = document.getElementById("nothing");
const DID = { approve: "Approved", reject: "Rejected", flag: "Sent to review", leave: "Left for someone else:", seen: "Seen:" };
const AHEAD = 6; // comments fetched before they are asked for
const ROWS_AHEAD = 20; // when fewer rows than this follow, the next ones are fetched
const MOST_CHOSEN = 1000;
const CHUNK = 50; // decisions a call, when many are decided at once
const LOADING_AFTER = 150; // the earlier comment stays this long while the next one loads
const CLAIM_AFTER = 400, CLAIM_AGAIN = 25_000;
const preferences = JSON.parse(document.body.dataset.preferences);
const tab = document.body.dataset.tab;

const pages = new Map(); // id → promise of the comment's page
let asking = null; // the rows whose rejection waits for its reason
let slow = null; // the timer after which the pane says that the comment is loading
let gathering = false; // while "All" loads the list
const done = []; // what can be undone, the latest last
let current = rows.querySelector(".row[aria-current]");
let painted = null; // the item that the browser has drawn, see `onScreen`

document.documentElement.classList.add("scripted");

// ---- the list ----

const listed = () => [...rows.querySelectorAll(".row:not(.settled)")];
const rowOf = (id) => rows.querySelector(`.row[data-id="${id}"]`);
const chosen = () => listed().filter((row) => row.querySelector("input").checked);
const neighbour = (row, way) => {
  let next = row?.[way];
  while (next && !next.matches(".row:not(.settled)")) next = next[way]; // the head of a group, or decided by now
  return next ?? null;
};

function page(id) {
  if (!pages.has(id)) {
    const asked = html(`/console/items/${id}${location.search}`, "item");
    asked.catch(() => pages.delete(id));
    pages.set(id, asked);
  }
  return pages.get(id);
}

async function show(row, { focus = false } = {}) {
  if (row !== current) goOn(current);
  current = row;
  painted = null;
  forgetQuestion(); // it belongs to the comment that leaves the screen
  clearTimeout(slow);
  if (!row) return showNothing();
  row.setAttribute("aria-current", "true");
  intoSight(row);
  address(row.dataset.id);
  open.setAttribute("aria-busy", "true");
  slow = setTimeout(() => open.replaceChildren(inItsPlace(row, "Loading the comment by ", "…")), LOADING_AFTER);
  try {
    const fetched = await page(row.dataset.id);
    if (current === row) put(row, fetched.cloneNode(true), focus);
  } catch (error) {
    if (current === row) notLoaded(row, error);
  }
  fetchAhead();
}

// The row that was open goes if a colleague decided its comment meanwhile.
function goOn(row) {
  row?.removeAttribute("aria-current");
  row?.classList.remove("back-again");
  if (row?.classList.contains("settled")) row.remove();
  fresh.giveRoomBack();
}

function showNothing() {
  address(null);
  open.removeAttribute("aria-busy");
  const isEnd = !rows.querySelector("[data-more]");
  open.classList.toggle("waiting", !isEnd);
  if (isEnd) open.replaceChildren(nothing.content.cloneNode(true));
  else more();
}

function put(row, fetched, focus) {
  clearTimeout(slow);
  open.classList.remove("waiting");
  open.replaceChildren(fetched);
  labelKeys(open);
  labelSelection();
  tellTimes(open); // the page may have been fetched a while ago
  pane.scrollTop = 0;
  if (matchMedia("(max-width: 48rem)").matches) scrollTo(0, 0);
  if (focus) pane.focus({ preventScroll: true });
  const item = open.querySelector(".item");
  if (item) {
    row.dataset.version = item.dataset.version;
    markQuestion(row, "hasQuestion" in item.dataset);
  }
  afterPaint(item);
  clearTimeout(claiming);
  claiming = setTimeout(claim, CLAIM_AFTER); // a moderator who goes on at once did not have it open
  explain(item);
}

function notLoaded(row, error) {
  clearTimeout(slow);
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Try again";
  again.addEventListener("click", () => show(row, { focus: true }));
  const place = inItsPlace(row, "The comment by ", ` could not be loaded. ${error.message}`);
  place.append(again);
  open.replaceChildren(place);
}

function inItsPlace(row, before, after) {
  const text = document.createElement("p");
  const name = document.createElement("bdi");
  name.textContent = row.dataset.name;
  text.append(before, name, after);
  const place = document.createElement("div");
  place.className = "nothing";
  place.append(text);
  return place;
}

// ---- the comment on the screen ----

// Keys and buttons decide this comment and no other: the item of the current row, once the browser has drawn it. Between
// a step down the list and the frame that shows the next comment, there is none.
const onScreen = () => (current && painted?.isConnected && painted.dataset.id === current.dataset.id ? painted : null);

function afterPaint(item) {
  // A task that is posted in an animation frame runs after the browser has drawn that frame.
  requestAnimationFrame(() => setTimeout(() => {
    if (!item?.isConnected) return;
    painted = item;
    open.removeAttribute("aria-busy");
  }));
}

// What a key or a button acts on: the selected comments, or else the comment on the screen.
function target() {
  const selected = chosen();
  if (gathering) hint("Nothing was done: the list is still loading.");
  else if (selected.length) return selected;
  else if (onScreen() && isInSight(painted)) return [current];
  else tooEarly();
  return [];
}

// On a narrow screen the list is below the comment, which may be scrolled away.
function isInSight(item) {
  const { top, bottom } = item.getBoundingClientRect();
  return bottom > document.querySelector(".top").offsetHeight && top < innerHeight;
}

function tooEarly() {
  if (current) hint(`Nothing was done: the comment by ${current.dataset.name} was not on the screen.`);
}

// A sentence over the page. The line with the undo stays as it is.
let hinting;
function hint(text) {
  const line = document.getElementById("hint");
  line.textContent = text;
  line.hidden = false;
  clearTimeout(hinting);
  hinting = setTimeout(() => { line.hidden = true; }, 4000);
}

// Only the list scrolls: where it stands below the comment, on a narrow screen, the page keeps its place.
function intoSight(row) {
  if (rows.scrollHeight > rows.clientHeight) row.scrollIntoView({ block: "nearest" });
}

function fetchAhead() {
  let row = current;
  for (let n = 0; n < ROWS_AHEAD && row; n += 1) {
    row = neighbour(row, "nextElementSibling");
    if (row && n < AHEAD) page(row.dataset.id).catch(() => {});
  }
  if (!row) more();
}

let loading = null; // one page at a time: a second caller waits for the same one
function loadMore() {
  loading ??= nextPage().finally(() => { loading = null; });
  return loading;
}

async function nextPage() {
  const link = rows.querySelector("[data-more]");
  if (!link) return;
  const found = await html(link.dataset.more.replace("/console/?", "/console/rows?"), "rows");
  const known = new Set(listed().map((row) => row.dataset.id));
  for (const row of found.querySelectorAll(".row")) if (known.has(row.dataset.id)) row.remove();
  besideAlike(found);
  link.closest("li").replaceWith(found);
  countAlike();
}

async function more() {
  try {
    await loadMore();
  } catch (error) { // the link is still there
    if (!current) say(error.message, { wrong: true });
    return;
  }
  if (!current) show(listed()[0] ?? null);
}

function address(id) {
  const here = new URL(location.href);
  if (id) here.searchParams.set("item", id);
  else here.searchParams.delete("item");
  for (const told of ["done", "batch", "blocked"]) here.searchParams.delete(told);
  history.replaceState(null, "", here);
}

function step(way) {
  const row = current ? neighbour(current, way) : listed()[0];
  if (row) show(row);
  else if (way === "nextElementSibling") more();
}

// Take rows out of the list; answers how to put some of them back where they were.
function take(gone) {
  const places = gone.map((row) => ({ row, before: row.nextElementSibling, after: row.previousElementSibling }));
  const wasOpen = gone.includes(current);
  let next = current;
  while (next && gone.includes(next)) next = neighbour(next, "nextElementSibling");
  if (!next && wasOpen) {
    next = current;
    while (next && gone.includes(next)) next = neighbour(next, "previousElementSibling");
  }
  fresh.begin(gone.map((row) => row.dataset.id));
  for (const row of gone) row.remove();
  countAlike();
  if (wasOpen) show(next);
  return (those = gone) => {
    fresh.end(those.map((row) => row.dataset.id));
    for (const { row, before, after } of places.toReversed()) {
      if (!those.includes(row)) continue;
      row.querySelector("input").checked = false;
      settle(row, false);
      pages.delete(row.dataset.id);
      const other = rowOf(row.dataset.id); // the list had it again already
      if (other) replace(other, row);
      else if (before?.isConnected) before.before(row);
      else if (after?.isConnected) after.after(row);
      else rows.prepend(row);
    }
    countAlike();
    choosing();
  };
}

function replace(row, other) {
  row.replaceWith(other);
  if (row !== current) return;
  current = other;
  other.setAttribute("aria-current", "true");
}

// ---- deciding ----

// What is decided is sent in the background, one call after the other in the order of the keys: a browser opens six
// connections, and on a slow day these would fill them and keep the next comment waiting. What is still unsent when the
// page is left goes out then, all at once.
const unsent = new Set();
let lane = Promise.resolve();
function inTurn(address, body) {
  const call = { address, body };
  unsent.add(call);
  const answer = lane.then(() => unsent.delete(call) && send(address, body));
  lane = answer.catch(() => {});
  return answer;
}
addEventListener("pagehide", () => {
  for (const { address, body } of unsent) send(address, body).catch(() => {});
  unsent.clear();
});

function words(verdict, reason, gone) {
  const as = reason === "other" ? " for another reason" : reason ? ` as ${reason.replace("_", " ")}` : "";
  return { did: DID[verdict], of: gone.length === 1 ? gone[0].dataset.name : `${gone.length} comments`, as };
}

// The answer to an appeal that is typed in the open comment goes with the decision on that comment alone.
const answerTo = (gone) => (gone.length === 1 && gone[0] === current ? open.querySelector("[data-answer]")?.value ?? "" : "");

function decide(verdict, reason, gone, { sure = false, rule = null, answer = answerTo(gone) } = {}) {
  if (!gone.length || !mayDecide()) return;
  if (verdict === "approve" && !sure && withQuestion(gone).length) {
    return askFirst(gone, (meant) => decide(verdict, reason, meant, { sure: true, answer }));
  }
  const entry = { ...words(verdict, reason, gone), batch: gone.length > 1 ? uuid() : null, decisions: [], rows: gone };
  const items = gone.map((row) => ({ id: row.dataset.id, version: Number(row.dataset.version) }));
  for (const row of gone) pages.delete(row.dataset.id);
  entry.putBack = take(gone);
  entry.sent = sendDecisions(entry, items, { verdict, reason, rule, answer, batch: entry.batch, sure });
  done.push(entry);
  tell(entry);
  choosing();
}

async function sendDecisions(entry, items, ruling) {
  const chunks = [];
  for (let at = 0; at < items.length; at += CHUNK) chunks.push(items.slice(at, at + CHUNK));
  const calls = chunks.map((some) => inTurn("/console/decisions", { ...ruling, items: some }));
  const failed = [];
  for (const [n, chunk] of chunks.entries()) {
    try {
      const answer = await calls[n];
      entry.decisions.push(...answer.done.map((each) => each.decision));
      for (const each of answer.done) versionOf(entry.rows, each.id, each.version);
      for (const each of answer.refused) {
        if (each.has_question) markQuestion(entry.rows.find((row) => row.dataset.id === each.id), true);
        failed.push([each.id, each.detail, each.version]);
      }
    } catch (error) {
      for (const each of chunk) failed.push([each.id, error.message, null]);
    }
    fresh.end(chunk.map((each) => each.id));
    if (items.length > CHUNK) tell(entry, Math.min((n + 1) * CHUNK, items.length), items.length);
  }
  if (failed.length) comeBack(entry, failed);
  count();
}

function versionOf(gone, id, version) {
  const row = gone.find((each) => each.dataset.id === id);
  if (row && version) row.dataset.version = version;
}

// What could not be decided is in the list again, where it was, and said so. What is open stays open: whoever is about
// to press a key decides what they see. Where nothing is open it opens by itself.
function comeBack(entry, failed) {
  const ids = new Set(failed.map(([id]) => id));
  for (const [id, , version] of failed) versionOf(entry.rows, id, version);
  const back = entry.rows.filter((row) => ids.has(row.dataset.id));
  entry.rows = entry.rows.filter((row) => !ids.has(row.dataset.id));
  if (!entry.rows.length) done.splice(done.indexOf(entry), 1);
  entry.putBack(back);
  for (const row of back) row.classList.add("back-again");
  const who = back.length === 1 ? `Not saved: the comment by ${back[0].dataset.name} is back in the list. ` : `Not saved: ${back.length} comments are back in the list. `;
  const look = document.createElement("button");
  look.type = "button";
  look.className = "quiet";
  look.textContent = "View";
  look.addEventListener("click", () => show(back[0], { focus: true }));
  say(who + failed[0][1], { wrong: true, button: current ? look : null });
  if (!current) show(back[0]);
}

async function undo() {
  const entry = done.pop();
  if (!entry) return recent();
  say(`Undoing: ${entry.of}`);
  try {
    await entry.sent;
    if (entry.undo) await entry.undo();
    else await undoDecisions(entry);
    if (entry.rows) entry.putBack(entry.rows);
    else await fresh.refreshNow(); // decided before the page was loaded
    const back = entry.rows ? entry.rows[0] : entry.undone.map(rowOf).find(Boolean);
    if (back) show(back);
    count();
  } catch (error) {
    say(error.message, { wrong: true });
  }
}

async function undoDecisions(entry) {
  const refused = [];
  entry.undone = [];
  for (let at = 0; at < entry.decisions.length; at += CHUNK) {
    const answer = await send("/console/undo", { decisions: entry.decisions.slice(at, at + CHUNK) });
    for (const each of answer.done) if (entry.rows) versionOf(entry.rows, each.id, each.version);
    entry.undone.push(...answer.done.map((each) => each.id));
    refused.push(...answer.refused);
    if (entry.decisions.length > CHUNK) progress("Undoing", Math.min(at + CHUNK, entry.decisions.length), entry.decisions.length);
  }
  if (refused.length === entry.decisions.length) throw new Error(refused[0].detail);
  if (refused.length) say(`Undone, except ${refused.length}: ${refused[0].detail}`, { wrong: true });
  else say(`Undone: ${entry.of}`);
}

// After a reload the last hundred are still there to be undone: the server knows them.
async function recent() {
  const answer = await send("/console/recent");
  const last = answer.recent.map(({ verdict, reason, name, decisions }) => ({
    ...words(verdict, reason, decisions.length === 1 ? [{ dataset: { name } }] : decisions),
    decisions,
  }));
  if (!last.length) return say("You have no decisions left to undo.");
  done.push(...last.toReversed());
  await undo();
}

function leave() {
  if (tab !== "review") return;
  const gone = target();
  if (gone.length) background("leave", gone, "/console/left", (items) => send("/console/taken-back", { items }));
}

function seen() {
  if (tab !== "unread") return scrollOn();
  const gone = target();
  if (gone.length) background("seen", gone, "/console/seen", (items) => send("/console/seen", { items, seen: false }));
}

function background(what, gone, there, back) {
  const items = gone.map((row) => row.dataset.id);
  const entry = { ...words(what, null, gone), rows: gone, decisions: [], putBack: take(gone) };
  entry.undo = async () => {
    await back(items);
    say(`Undone: ${entry.of}`);
  };
  entry.sent = inTurn(there, { items }).then(
    () => { fresh.end(items); count(); },
    (error) => comeBack(entry, items.map((id) => [id, error.message])),
  );
  done.push(entry);
  tell(entry);
  choosing();
}

const mayDecide = () => open.querySelector(".item")?.dataset.may === "decide" || chosen().length > 0;
const scrollOn = () => pane.scrollBy({ top: pane.clientHeight * 0.85 });

// ---- the reason: one more key ----

function reject(gone) {
  if (!gone.length || !mayDecide()) return;
  if (preferences.ask_reason && !onScreen()) return tooEarly(); // the question is asked below the comment
  const strip = open.querySelector(".reasons");
  if (!preferences.ask_reason || !strip) return decide("reject", null, gone);
  asking = gone;
  strip.querySelector("span").textContent = gone.length === 1 ? "Why?" : `Why these ${gone.length}?`;
  strip.hidden = false;
  strip.querySelector("button").focus({ preventScroll: true });
}

function answerReason(reason, rule) {
  const gone = asking?.filter((row) => row.isConnected);
  stopAsking();
  if (gone) decide("reject", reason || null, gone, { rule: rule || null });
}

function forgetQuestion() {
  asking = null;
  const strip = open.querySelector(".reasons");
  if (strip) strip.hidden = true;
}

function stopAsking() {
  forgetQuestion();
  pane.focus({ preventScroll: true });
}

function reasonKey(event) {
  const buttons = [...open.querySelectorAll("[data-reason]")];
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const letter = { KeyS: "spam", KeyA: "abuse", KeyO: "off_topic", KeyX: "other" }[event.code];
  if (event.code === "Escape") stopAsking();
  else if (digit && buttons[digit - 1]) answerReason(buttons[digit - 1].dataset.reason, buttons[digit - 1].dataset.rule);
  else if (letter) answerReason(letter);
  else if (event.code === "Enter" || event.code === "NumpadEnter") {
    const on = document.activeElement?.closest("[data-reason]");
    const isChosen = event.target === on && on !== buttons[0];
    answerReason(isChosen ? on.dataset.reason : "", isChosen ? on.dataset.rule : null);
  } else return false;
  return true;
}

// ---- saying what happened ----

function say(text, { wrong = false, button = null } = {}) {
  const line = document.createElement("p");
  line.textContent = text;
  saidSo.classList.toggle("wrong", wrong);
  saidSo.replaceChildren(line, ...(button ? [button] : []));
}

function tell(entry, at, of) {
  if (done.at(-1) !== entry && at === undefined) return;
  const line = document.createElement("p");
  const did = document.createElement("b");
  const name = document.createElement("bdi");
  did.textContent = entry.did;
  name.textContent = name.title = entry.of;
  line.append(did, " ", name, entry.as);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.do = "undo";
  button.append("Undo ", keycap("undo"));
  saidSo.classList.remove("wrong");
  saidSo.replaceChildren(line, ...(of && at < of ? [bar(at, of)] : []), button);
}

function progress(what, at, of) {
  say(`${what} ${at} of ${of}`);
  saidSo.append(bar(at, of));
}

function bar(at, of) {
  const progress = document.createElement("progress");
  progress.max = of;
  progress.value = at;
  progress.setAttribute("aria-label", `${at} of ${of}`);
  return progress;
}

function keycap(action) {
  const cap = document.createElement("kbd");
  cap.textContent = keys.label(action);
  return cap;
}

// ---- who else is here ----

let claiming = null;
async function claim() {
  const row = current;
  if (!row || document.hidden) return;
  try {
    const answer = await send(`/console/claims/${row.dataset.id}`, {});
    if (current !== row) return;
    tellHolder(answer.held_by);
    const item = onScreen();
    if (item && answer.version !== Number(item.dataset.version)) fresh.poll();
  } catch { /* without it one only sees less */ }
}
setInterval(claim, CLAIM_AGAIN);

function tellHolder(name) {
  const note = open.querySelector(".held");
  if (!note) return;
  note.hidden = !name;
  note.querySelector("b").textContent = name ?? "";
}

// What happened to the open comment. It stays on the screen as it was read, until the moderator asks for the news.
function tellChange(state) {
  const item = onScreen();
  if (!item || item.dataset.id !== state?.id) return;
  tellHolder(state.held_by);
  item.querySelector(".changed")?.remove();
  if (!state.change || state.version === Number(item.dataset.version)) return;
  const line = document.createElement("p");
  line.className = "held changed";
  line.setAttribute("role", "status");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.do = "renew";
  button.textContent = "Show the current version";
  line.append(state.change, " ", button);
  (item.querySelector(".actions") ?? item).append(line);
}

function renew() {
  pages.delete(current.dataset.id);
  show(current, { focus: true });
}

let counting = null; // one call at a time; whoever asks meanwhile is answered by the one after it
function count() {
  counting ??= lane.then(recount).finally(() => { counting = null; });
}

async function recount() {
  try {
    tellCounts(await send(`/console/counts${location.search}`));
  } catch { /* asked again soon */ }
}

function tellCounts(counts) {
  for (const badge of document.querySelectorAll("[data-count]")) {
    const number = counts[badge.dataset.count] ?? 0;
    badge.textContent = number >= 1000 ? "1,000+" : number.toLocaleString("en");
    badge.hidden = !number;
  }
  const waiting = counts.review ? `(${counts.review}) ` : "";
  document.title = waiting + document.title.replace(/^\(\d+\) /, "");
  cover(counts.coverage);
  alarm(counts.alarm);
}

// How much of what is live a human has seen, where that list is open.
function cover(coverage) {
  const line = document.querySelector(".coverage");
  if (!line || !coverage) return;
  line.querySelector("[data-percent]").textContent = `${coverage.percent}%`;
  line.querySelector("[data-of]").textContent = coverage.of.toLocaleString("en");
}

function alarm(text) {
  let line = document.querySelector(".alarm");
  if (!text) return line?.remove();
  if (!line) {
    line = document.createElement("p");
    line.className = "alarm";
    line.setAttribute("role", "alert");
    document.querySelector(".top").after(line);
  }
  if (line.textContent !== text) line.textContent = text;
}

// ---- what colleagues and readers do meanwhile ----

const fresh = new Fresh(rows, {
  current: () => current,
  version: () => onScreen()?.dataset.version,
  told(answer) {
    tellCounts(answer);
    tellChange(answer.open);
  },
  merged(ids) {
    for (const id of ids) pages.delete(id);
    tellTimes(rows);
    countAlike();
    choosing();
    if (current) fetchAhead();
    else if (listed().length) show(listed()[0]);
  },
});

// ---- selection ----

function choosing() {
  const number = chosen().length;
  const label = document.querySelector(".chosen");
  rows.classList.toggle("choosing", number > 0);
  label.hidden = !number;
  label.querySelector("b").textContent = `${number} selected`;
  labelSelection();
}

// With a selection, the buttons below the open comment act on the selection and say so.
function labelSelection() {
  const number = chosen().length;
  for (const part of open.querySelectorAll(".of-selected")) part.remove();
  if (!number) return;
  for (const button of open.querySelectorAll(".actions > form[data-do] > button, .actions > button[data-do]")) {
    const part = document.createElement("span");
    part.className = "of-selected";
    part.textContent = `${number} selected`;
    button.insertBefore(part, button.querySelector("kbd"));
  }
}

function choose(row, on) {
  if (!row || rows.dataset.may === "look") return;
  const box = row.querySelector("input");
  box.checked = on ?? !box.checked;
  choosing();
}

// "All" is the whole list: it is loaded to its end first. If that fails, nothing is selected.
async function chooseAll() {
  if (gathering) return;
  gathering = true;
  try {
    while (gathering && rows.querySelector("[data-more]") && listed().length < MOST_CHOSEN) {
      await loadMore();
      say(`Loading the list: ${listed().length} comments`);
    }
    if (!gathering) return; // "None" was pressed meanwhile
    for (const row of listed().slice(0, MOST_CHOSEN)) row.querySelector("input").checked = true;
    const isAll = !rows.querySelector("[data-more]") && listed().length <= MOST_CHOSEN;
    say(isAll ? `${chosen().length} selected` : `The first ${chosen().length} are selected. The list is longer.`);
  } catch (error) {
    chooseNone();
    say(`Nothing is selected: the rest of the list could not be loaded. ${error.message}`, { wrong: true });
  } finally {
    gathering = false;
  }
  choosing();
}

// All of the open comment's campaign, or of the one whose button it is; a second time, none of them.
function chooseAlike(group = current?.dataset.group) {
  if (rows.dataset.may === "look") return;
  const alike = listed().filter((row) => group && row.dataset.group === group);
  const on = !alike.every((row) => row.querySelector("input").checked);
  for (const row of alike) row.querySelector("input").checked = on;
  choosing();
}

// More of a campaign that stands further up joins it there.
function besideAlike(found) {
  for (const head of rows.querySelectorAll(".alike-head")) {
    const alike = `[data-group="${head.dataset.group}"]`;
    found.querySelector(`.alike-head${alike}`)?.remove();
    [...rows.querySelectorAll(alike)].at(-1).after(...found.querySelectorAll(alike));
  }
}

function countAlike() {
  for (const head of rows.querySelectorAll(".alike-head")) {
    const left = listed().filter((row) => row.dataset.group === head.dataset.group).length;
    const goesOn = "goesOn" in head.dataset && rows.querySelector("[data-more]");
    head.hidden = left < 2 && !goesOn;
    head.querySelector("b").textContent = goesOn ? `${left}+` : left;
  }
}

function chooseNone() {
  gathering = false;
  for (const row of listed()) row.querySelector("input").checked = false;
  choosing();
}

let lastChosen = null;
rows.addEventListener("click", (event) => {
  const box = event.target.closest("input");
  const link = event.target.closest(".row > a");
  if (box) {
    const row = box.closest(".row");
    if (event.shiftKey && lastChosen?.isConnected) {
      const all = listed(), [from, to] = [all.indexOf(lastChosen), all.indexOf(row)].sort((a, b) => a - b);
      for (const each of all.slice(from, to + 1)) each.querySelector("input").checked = box.checked;
    }
    lastChosen = row;
    choosing();
  } else if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    const row = link.closest(".row");
    if (row === current && onScreen()) pane.focus({ preventScroll: true });
    else show(row, { focus: true });
  } else if (event.target.closest("[data-more]")) {
    event.preventDefault();
    more();
  }
});
rows.addEventListener("scroll", () => {
  if (rows.scrollTop + rows.clientHeight > rows.scrollHeight - 600) more();
}, { passive: true });

// ---- everything that can be done, by key or by button ----

const actions = {
  next: () => step("nextElementSibling"),
  previous: () => step("previousElementSibling"),
  approve: () => decide("approve", null, target()),
  reject: () => reject(target()),
  spam: () => decide("reject", "spam", target()),
  abuse: () => decide("reject", "abuse", target()),
  leave,
  undo,
  select: () => choose(current),
  select_alike: () => chooseAlike(),
  approve_selected: () => decide("approve", null, target()),
  reject_selected: () => reject(target()),
  search: () => document.getElementById("q").select(),
  author: () => follow("author"),
  thread: () => follow("thread"),
  readers,
  seen,
  note: writeNote,
  renew,
  help: () => document.getElementById("help").showModal(),
  "choose-all": chooseAll,
  "choose-none": chooseNone,
};

async function readers() {
  const link = document.querySelector("a[data-do=readers]");
  await lane; // so that the list shows what was just decided
  if (link) location.assign(link.href);
}

function writeNote() {
  if (!onScreen()) return tooEarly();
  const box = painted.querySelector("[data-note]");
  if (!box) return;
  box.closest("details").open = true;
  box.focus();
}

async function follow(what) {
  if (!onScreen()) return tooEarly();
  const link = painted.querySelector(`a[data-do=${what}]`);
  await lane; // so that what comes shows what was just decided
  if (link) location.assign(link.href);
}

document.addEventListener("click", (event) => {
  const reason = event.target.closest("[data-reason]");
  if (reason) return answerReason(reason.dataset.reason, reason.dataset.rule);
  const button = event.target.closest("button[data-do]");
  if (button?.dataset.do === "choose-alike") chooseAlike(button.dataset.group);
  else if (button) actions[button.dataset.do]?.();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-answers]")) {
    event.preventDefault();
    return decide(event.submitter?.value ?? "approve", null, current && onScreen() ? [current] : []);
  }
  const form = event.target.closest("form[data-do]");
  if (!form) return;
  event.preventDefault();
  actions[form.dataset.do]();
});

const keys = new Keys(preferences, (action, event) => {
  if (document.querySelector("dialog[open]")) return false;
  if (asking) return reasonKey(event);
  if (!action) return false;
  actions[action]();
  return true;
}, () => labelKeys(document));

function labelKeys(place) {
  for (const cap of place.querySelectorAll("kbd[data-key]")) cap.textContent = keys.label(cap.dataset.key);
}

const uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

for (const menu of document.querySelectorAll("details.menu, details.choice")) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
}
labelKeys(document);
setInterval(() => tellTimes(document), 60_000);
const tabs = document.querySelector(".tabs");
tabs.scrollLeft = (tabs.querySelector("[aria-current]")?.offsetLeft ?? 0) - tabs.offsetLeft - 48;
if (current) {
  intoSight(current);
  open.setAttribute("aria-busy", "true");
  afterPaint(open.querySelector(".item"));
  claim();
  explain(open.querySelector(".item"));
  address(current.dataset.id);
}
fetchAhead();
