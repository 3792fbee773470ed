// Keeps the list as the server has it: a colleague's decision or a new comment appears within seconds. Nothing moves
// under the hand: the open row, the row below the pointer and the row with the focus stay where they are on the screen.

import { changed, html } from "./sending.js";

const EVERY = 4000; // milliseconds from one answer to the next question
const SELDOM = 60_000; // the longest pause while the server does not answer
const HIDDEN = 8; // a row with fewer pixels in sight counts as out of sight
const AT_ONCE = 100; // rows that one call fetches

export class Fresh {
  // `queue` has `current()` for the open row, `version()` of the comment on the screen, and is told of what came:
  // `told(answer)` the numbers and the open comment, `merged(ids)` the rows that came, went or changed.
  constructor(rows, queue) {
    this.rows = rows;
    this.queue = queue;
    this.asked = 0; // how many questions were sent
    this.ours = new Map(); // id → the last question that does not know what this moderator did with the comment
    this.tag = null;
    this.pause = EVERY;
    this.room = { before: 0, after: 0 }; // pixels that keep the list in place where it can't scroll
    this.unseen = new Set(); // new rows above the part of the list that is in sight
    this.button = document.getElementById("new-above");
    this.button.addEventListener("click", () => this.goUp());
    rows.addEventListener("scroll", () => this.scrolled(), { passive: true });
    rows.addEventListener("pointerleave", () => this.giveRoomBack());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.poll(); });
    this.wait();
  }

  // The moderator takes these rows away. Until `end`, no answer brings them back.
  begin(ids) {
    for (const id of ids) this.ours.set(id, Infinity);
  }

  // The server has heard of it. An answer to an earlier question may still not know.
  end(ids) {
    for (const id of ids) this.ours.set(id, this.asked);
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), this.pause);
  }

  async poll() {
    if (document.hidden) return; // it goes on when somebody looks again
    try {
      await this.refresh();
      this.pause = EVERY;
    } catch {
      this.pause = Math.min(2 * this.pause, SELDOM);
    }
    this.wait();
  }

  refresh() {
    this.running ??= this.ask().finally(() => { this.running = null; });
    return this.running;
  }

  // A refresh that begins now, and so knows everything that was done until now.
  async refreshNow() {
    await this.running?.catch(() => {});
    await this.refresh();
  }

  async ask() {
    this.asked += 1;
    const number = this.asked;
    const isKnown = (id) => number > (this.ours.get(id) ?? 0);
    const until = this.until();
    const list = this.list(until);
    const answer = await changed(`/console/changes?${list}`, this.tag);
    if (!answer) return;
    this.tag = null; // until all of it is merged
    this.queue.told(answer);
    const prints = new Map(this.all().map((row) => [row.dataset.id, row.dataset.print]));
    const news = answer.rows.filter(([id, print]) => isKnown(id) && prints.get(id) !== print).map(([id]) => id);
    const some = news.slice(0, AT_ONCE);
    const fetched = some.length
      ? await html(`/console/rows?${list}&only=${some}`, "rows")
      : document.createDocumentFragment();
    if (until !== this.until()) return; // more of the list was loaded meanwhile
    this.merge(answer, fetched, until, isKnown);
    const isWhole = some.length === news.length && answer.rows.every(([id]) => isKnown(id));
    if (isWhole) this.tag = answer.tag;
  }

  // ---- what the page shows of the list ----

  all() {
    return [...this.rows.querySelectorAll(".row")];
  }

  more() {
    return this.rows.querySelector("[data-more]");
  }

  // The place where the next page of the list begins; empty if its end is on the page.
  until() {
    const link = this.more();
    return link ? new URL(link.href).searchParams.get("after") : "";
  }

  list(until) {
    const list = new URLSearchParams(location.search);
    list.set("shown", this.all().length);
    if (until) list.set("until", until);
    if (this.queue.version()) list.set("version", this.queue.version());
    return list;
  }

  // ---- merging ----

  merge(answer, fetched, until, isKnown) {
    const heads = [...fetched.querySelectorAll(".alike-head")];
    const newer = new Map([...fetched.querySelectorAll(".row")].map((row) => [row.dataset.id, row]));
    const isShort = Boolean(until && answer.following && answer.following !== until);
    const gone = this.gone(answer, isShort, isKnown);
    const hand = this.hand();
    const added = this.inPlace(hand, () => {
      for (const row of gone) this.leave(row, hand, answer.open);
      const rows = this.put(answer, newer, isKnown);
      for (const head of heads) this.putHead(head);
      if (!isShort) this.setMore(answer.following);
      return rows;
    });
    for (const row of added) this.unseen.add(row);
    this.scrolled();
    const ids = [...newer.keys(), ...gone.map((row) => row.dataset.id)];
    if (ids.length) this.queue.merged(ids);
  }

  // Rows that the list does not have any more. If the answer stops early, it says nothing of the rows after its last.
  gone(answer, isShort, isKnown) {
    const listed = new Set(answer.rows.map(([id]) => id));
    const all = this.all();
    const told = isShort ? all.slice(0, all.findLastIndex((row) => listed.has(row.dataset.id)) + 1) : all;
    const isGone = (row) => !listed.has(row.dataset.id) && isKnown(row.dataset.id);
    return told.filter((row) => isGone(row) && !row.classList.contains("back-again"));
  }

  // A row under the hand stays, and shows that it is settled. A comment that was opened from elsewhere was never in the
  // list: it stays as it is.
  leave(row, hand, open) {
    const isChanged = open?.change && this.queue.version();
    if (row === hand.open && !isChanged) return;
    const isHeld = [hand.open, hand.pointed, hand.focused].includes(row);
    if (isHeld) settle(row, true);
    else row.remove();
  }

  put(answer, newer, isKnown) {
    const onPage = new Map(this.all().map((row) => [row.dataset.id, row]));
    const added = [];
    let last = null;
    for (const [id] of answer.rows) {
      const row = onPage.get(id);
      const other = newer.get(id);
      if (row && isKnown(id)) settle(row, false);
      if (row && other) this.renew(row, other);
      if (!row && other && isKnown(id)) {
        this.insert(other, last);
        added.push(other);
      }
      last = row ?? (other?.isConnected ? other : last);
    }
    return added;
  }

  insert(row, last) {
    const { group } = row.dataset;
    const head = group && last?.dataset.group !== group ? this.headOf(group) : null;
    const before = head ?? last;
    if (before) before.after(row);
    else this.rows.prepend(row);
  }

  headOf(group) {
    return this.rows.querySelector(`.alike-head[data-group="${group}"]`);
  }

  putHead(head) {
    const { group } = head.dataset;
    if (!this.headOf(group)) this.rows.querySelector(`.row[data-group="${group}"]`)?.before(head);
  }

  // The link and the box stay the same elements, with their focus and their tick. A comment on the screen keeps the
  // version that is on the screen: that one is decided.
  renew(row, other) {
    const { version } = row.dataset;
    for (const name of Object.keys(row.dataset)) if (!(name in other.dataset)) delete row.dataset[name];
    Object.assign(row.dataset, other.dataset);
    if (row === this.queue.current()) row.dataset.version = version;
    row.querySelector("a").replaceChildren(...other.querySelector("a").childNodes);
  }

  setMore(following) {
    const link = this.more();
    if (!following) return link?.closest("li").remove();
    if (link) return;
    const next = new URL(location.href);
    next.searchParams.delete("item");
    next.searchParams.set("after", following);
    const more = document.createElement("a");
    more.href = more.dataset.more = next.pathname + next.search;
    more.textContent = "More";
    const line = document.createElement("li");
    line.className = "more";
    line.append(more);
    this.rows.append(line);
  }

  // ---- nothing moves ----

  hand() {
    return {
      open: this.queue.current(),
      pointed: this.rows.querySelector(".row:hover"),
      focused: document.activeElement?.closest(".row") ?? null,
    };
  }

  // The list scrolls in its own box; below the comment, on a narrow screen, with the page.
  scrolls() {
    return getComputedStyle(this.rows).overflowY !== "visible";
  }

  inSight(row) {
    const box = this.rows.getBoundingClientRect();
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > Math.max(box.top, 0) && top < Math.min(box.bottom, innerHeight);
  }

  inPlace(hand, change) {
    const rows = [hand.pointed, hand.open, hand.focused, ...this.all()];
    const anchor = rows.find((row) => row && this.rows.contains(row) && this.inSight(row));
    const before = anchor?.getBoundingClientRect().top;
    const result = change();
    if (anchor?.isConnected) this.scrollBy(anchor.getBoundingClientRect().top - before);
    return result;
  }

  scrollBy(pixels) {
    if (!pixels) return;
    if (!this.scrolls()) return scrollBy({ top: pixels, behavior: "instant" });
    const { rows, room } = this;
    const place = rows.scrollTop + pixels;
    this.setRoom(room.before + Math.max(0, -place), room.after + Math.max(0, pixels - this.below()));
    rows.scrollTop = Math.max(0, place);
  }

  // How many pixels of the list, with its padding, are below its box; negative if the box has space left.
  below() {
    const { rows } = this;
    const end = rows.lastElementChild?.getBoundingClientRect().bottom ?? 0;
    const padding = parseFloat(getComputedStyle(rows).paddingBlockEnd);
    return end + padding - rows.getBoundingClientRect().bottom;
  }

  setRoom(before, after) {
    this.room = { before, after };
    this.rows.style.setProperty("--room-before", `${before}px`);
    this.rows.style.setProperty("--room-after", `${after}px`);
  }

  scrolled() {
    const { rows, room } = this;
    const below = room.after ? this.below() : 0;
    if (below > 0) this.setRoom(room.before, Math.max(0, room.after - below));
    const top = Math.max(rows.getBoundingClientRect().top, 0) + HIDDEN;
    for (const row of this.unseen) {
      if (!row.isConnected || row.getBoundingClientRect().bottom > top) this.unseen.delete(row);
    }
    this.button.hidden = !this.unseen.size;
    this.button.textContent = `↑ ${this.unseen.size} new`;
  }

  giveRoomBack() {
    for (const row of this.rows.querySelectorAll(".settled")) if (row !== this.queue.current()) row.remove();
    if (this.room.before) this.setRoom(0, this.room.after);
  }

  goUp() {
    const first = this.all().find((row) => this.unseen.has(row));
    first?.scrollIntoView({ block: "nearest" });
  }
}

export function settle(row, isSettled) {
  row.classList.toggle("settled", isSettled);
  const box = row.querySelector("input");
  box.disabled = isSettled;
  if (isSettled) box.checked = false;
}
