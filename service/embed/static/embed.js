/** <greenroom-comments>: a thread of comments and the form to join it. Other modules load when needed. */

const HOST = new URL(import.meta.url).origin;
const ENGLISH = {}; // the server puts locales/en.json here: English needs no second file
const LANGUAGES = /^(en)(-|$)/; // the server puts every language of locales/ here
const VERSION = ""; // the server puts a fingerprint of the other modules here

class GreenroomComments extends HTMLElement {
  static observedAttributes = ["site", "thread", "lang", "token"];

  /** The site's sign-on token. A script may have set the property before this module loaded. */
  get token() {
    return this.getAttribute("token");
  }
  set token(token) {
    this.setAttribute("token", token ?? "");
  }

  connectedCallback() {
    const { token } = this;
    if (delete this.token && token) this.token = token;
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.conversation = new Conversation(this);
    this.conversation.open();
  }

  disconnectedCallback() {
    this.conversation.leaving.abort();
  }

  attributeChangedCallback(name, before, now) {
    if (!this.conversation || before === now) return;
    if (name === "token") return this.conversation.meet();
    this.disconnectedCallback();
    this.connectedCallback();
  }
}

class Conversation {
  pages = new Map(); // page number → what the API gave
  items = new Map(); // comment id → its elements, made once so that focus stays
  parts = {}; // module name → its promise
  tries = "";
  leaving = new AbortController();

  constructor(element) {
    const canonical = document.querySelector("link[rel=canonical]")?.href;
    this.url = canonical || location.origin + location.pathname;
    this.element = element;
    this.root = element.shadowRoot;
    this.language = element.closest("[lang]")?.lang;
    this.thread = element.getAttribute("thread") || new URL(this.url).pathname;
    this.site = `/v1/sites/${element.getAttribute("site")}/`;
    this.memory = `greenroom ${this.site}`;
    this.place = `${this.memory} ${this.thread}`;
    this.kept = { draft: {}, mine: [], ...recall(this.place) };
  }

  get gone() {
    return this.leaving.signal.aborted;
  }

  async open() {
    const first = this.read().catch(() => {}); // starts while the words are loading
    this.language ||= (await this.settings()).locale;
    if (!LANGUAGES.test(this.language)) this.language = "en";
    const code = (this.code = this.language.slice(0, 2));
    this.words = code === "en" ? ENGLISH : await ask(`/embed/locales/${code}.json`).catch(() => ENGLISH);

    if (this.gone) return;
    this.heading = make("h2", { part: "heading" }, this.words.title);
    this.note = make("p", { className: "quiet", role: "status" }, this.words.loading);
    this.list = make("ol", { role: "list" });
    const main = make("section", { dir: this.words.dir, lang: code }, this.heading, this.note);
    this.root.replaceChildren(main);
    const read = await first;
    if (this.gone) return;
    if (!read) {
      return this.note.replaceChildren(this.words.broken, button(this.words.retry, () => this.open()));
    }
    if (read.next && read.comments.length < 10) await this.read(read.page - 1).catch(() => {});
    this.form = this.paper();
    if (this.element.token || recall(this.memory)) await this.meet();
    this.home = make("div", {}, this.form);
    main.append(this.home, this.list);
    this.render();
    addEventListener("hashchange", () => this.visit().catch(() => {}), { signal: this.leaving.signal });
    await this.visit().catch(() => {});
    this.own?.resume();
  }

  /** Load a part of this element, with its words. After a failure, the next try has another address. */
  load(name) {
    this.parts[name] ??= import(`${HOST}/embed/${this.code}/${name}.js?${VERSION}${this.tries}`)
      .then((part) => (this[name] = new part.default(this, tools)))
      .catch((problem) => {
        this.parts[name] = null;
        this.tries += "~";
        throw problem;
      });
    return this.parts[name];
  }

  /** Show who writes: a reader with a token, a proven address, or receipts in this browser. */
  async meet() {
    await this.load("reader").then((reader) => reader.greet()).catch(() => {});
  }

  async read(page = "") {
    const query = new URLSearchParams({ thread: this.thread, ...(page && { page }) });
    const answer = await ask(`${this.site}comments?${query}`);
    this.head = answer; // every page has the current count and state
    this.pages.set(answer.page, answer);
    return answer;
  }

  render() {
    const { words, head } = this;
    const form = new Intl.PluralRules(this.language).select(head.count);
    const several = words.comments[form] ?? words.comments.other;
    const count = several.replace("{n}", head.count.toLocaleString(this.language));
    const closed = head.state === "closed";
    this.heading.textContent = head.count ? count : words.title;

    this.known = new Set();
    const rows = [...this.pages.keys()].sort((a, b) => b - a).flatMap((page) => {
      const { comments, next } = this.pages.get(page);
      const older = next && !this.pages.has(page - 1) && row(button(words.older, () => this.older(page - 1)));
      return [...comments.map((comment) => this.item(comment, page)), older];
    });
    const mine = this.mine.filter((own) => !this.known.has(own.parent));
    arrange(this.list, [...mine.map((own) => this.item(own)), ...rows]);
    this.note.textContent = closed ? words.closed : this.list.firstChild ? "" : words.first;
    if (closed || !this.form.isConnected) this.retire();
    this.home.hidden = closed;
  }

  /** This reader's comments that the thread does not show to everybody. */
  get mine() {
    return this.own?.shown.filter((own) => !this.known.has(own.id)) ?? [];
  }

  item(comment, page) {
    const id = comment.id ?? `above ${comment.replies[0]?.id}`;
    if (!comment.receipt) this.known.add(id);
    if (!this.items.has(id)) {
      const article = make("article", { tabIndex: -1, part: "comment" });
      const replies = make("ol", { role: "list" });
      this.items.set(id, { article, replies, row: row(article, replies) });
    }
    const item = this.items.get(id);
    const now = JSON.stringify({ ...comment, replies: this.head.state });
    if (item.shown !== now) item.article.replaceChildren(...(comment.receipt ? this.own : this).face(comment, page));
    Object.assign(item, { shown: now, page });

    const replies = (comment.replies ?? []).map((reply) => this.item(reply, page));
    const mine = this.mine.filter((own) => own.parent === id);
    const more = comment.more && row(button(this.words.more, () => this.more(comment)));
    arrange(item.replies, [...replies, ...mine.map((own) => this.item(own, page)), more]);
    return item.row;
  }

  face(comment, page) {
    const { words } = this;
    if (comment.removed) return [make("p", { className: "quiet" }, words.removed)];
    const text = make("div", { className: "text", part: "text", dir: "auto" });
    text.append(sanitised(comment.html));
    for (const block of text.children) block.dir = "auto";

    const href = new URL(`#greenroom-${comment.id}.${page}`, location).href;
    const when = make("a", { href }, this.time(comment.at));
    const badges = comment.badges?.map((badge) => make("span", { part: "badge" }, badge === "staff" ? words.staff : badge));
    const moderate = moderates() && make("a", { href: `${HOST}/console/c/${comment.id}`, accessKey: "m" }, "Moderate");
    const answer = () => {
      this.answer(comment);
      this.control("body").focus();
    };
    const reply = button(words.reply, answer, { "aria-label": words.answer.replace("{name}", comment.name) });
    const act = () => this.load("actions").then((actions) => actions.toggle(comment, more));
    const label = `${words.actions}: ${comment.name}`;
    const more = button("⋯", act, { className: "more", "aria-label": label, "aria-expanded": false });
    return [
      rosette(comment.avatar),
      make("header", {}, this.name(comment), ...(badges ?? []), when, comment.edited_at && make("em", {}, words.edited), moderate),
      text,
      make("p", { className: "tools" }, this.head.state !== "closed" && reply, more),
    ];
  }

  name({ name, website }) {
    const link = /^https?:/.test(website) && { href: website, rel: "ugc nofollow noopener" };
    return make(link ? "a" : "b", { className: "name", part: "name", dir: "auto", ...link }, name);
  }

  time(stamp) {
    const at = new Date(stamp);
    const exact = at.toLocaleString(this.language, { dateStyle: "long", timeStyle: "short" });
    return make("time", { dateTime: stamp, title: exact }, this.ago(at));
  }

  ago(date) {
    const relative = new Intl.RelativeTimeFormat(this.language, { numeric: "auto" });
    const seconds = (Date.now() - date) / 1000;
    if (seconds > 604800) return date.toLocaleDateString(this.language, { dateStyle: "long" });
    for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
      if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit);
    }
    return relative.format(0, "second");
  }

  async older(page) {
    const { comments } = await this.read(page);
    this.render();
    this.items.get(comments[0]?.id)?.article.focus();
  }

  async more(comment) {
    const { comments, next } = await ask(comment.more);
    Object.assign(comment, { replies: [...comment.replies, ...comments], more: next });
    this.render();
    this.items.get(comments[0]?.id)?.article.focus();
  }

  /** Go where the address points: `#greenroom-<comment>.<page>`. */
  async visit() {
    const [, id, page] = /^#greenroom-([\w-]+)\.?(\d*)$/.exec(location.hash) ?? [];
    if (!id) return;
    if (page && !this.pages.has(+page)) await this.older(page);
    for (const top of this.pages.get(+page)?.comments ?? []) {
      while (top.more && !this.items.has(id)) await this.more(top);
    }
    const article = this.items.get(id)?.article;
    article?.scrollIntoView();
    article?.focus();
  }

  /** Fetch the token once, when the form is seen. The form works without it. */
  settings() {
    return (this.asked ??= ask(`${this.site}form`).catch(() => ({})));
  }

  paper() {
    const { words } = this;
    const field = (name, traits, tag = "input") => {
      const value = this.kept.draft[name] ?? "";
      const control = make(tag, { id: name, name, dir: "auto", placeholder: " ", value, ...traits });
      const label = make("label", { htmlFor: name }, words[name], traits.required && " *");
      return make("p", { className: name }, label, control, make("span", { id: `${name}-error`, className: "error" }));
    };
    this.title = make("h3", { part: "heading" }, words.leave);
    this.said = make("p", { className: "said", role: "status" });
    this.cancel = button(words.cancel, () => this.retire(true), { hidden: true });
    const form = make(
      "form",
      { noValidate: true, part: "form" },
      this.title,
      make("p", { className: "quiet" }, words.note),
      field("body", { required: true, maxLength: 10000 }, "textarea"),
      field("name", { required: true, maxLength: 80, autocomplete: "name" }),
      field("email", { required: true, maxLength: 254, autocomplete: "email", type: "email", dir: "ltr" }),
      field("website", { maxLength: 500, autocomplete: "url", type: "url", dir: "ltr" }),
      make("input", { name: "homepage_url", tabIndex: -1, autocomplete: "off", "aria-hidden": true }),
      make("label", { className: "check" }, make("input", { type: "checkbox", name: "remember" }), words.remember),
      make("p", { className: "end" }, make("button", { part: "button" }, make("span", {}, words.post)), this.cancel),
      this.said,
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      this.said.textContent = "";
      await this.load("writing").then((writing) => writing.send(), () => (this.said.textContent = words.failed));
    });
    form.addEventListener("focusin", () => this.load("writing").catch(() => {}));
    form.addEventListener("input", ({ target }) => {
      if (target.id) this.kept.draft[target.name] = target.value;
      this.keep();
    });
    const sight = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.settings());
    sight.observe(form);
    return form;
  }

  keep() {
    try {
      sessionStorage.setItem(this.place, JSON.stringify(this.kept));
    } catch {} // without storage, comments still work
  }

  answer({ id, name }) {
    this.answered = { id, name };
    this.title.textContent = this.words.answer.replace("{name}", name);
    this.cancel.hidden = false;
    this.items.get(id)?.article.after(this.form);
  }

  /** Move the form back to its place. */
  retire(back) {
    const from = this.items.get(this.answered?.id)?.article;
    this.answered = null;
    this.title.textContent = this.words.leave;
    this.cancel.hidden = true;
    this.home.append(this.form);
    if (back) from?.querySelector("button")?.focus();
  }

  control(name) {
    return this.form.elements.namedItem(name);
  }
}

/** Return the answer, or throw it with its status. */
async function ask(path, options) {
  const response = await fetch(new URL(path, HOST), { credentials: "omit", ...options });
  const answer = response.status === 204 || (await response.json());
  if (response.ok) return answer;
  throw { ...answer, status: response.status, after: response.headers.get("Retry-After") };
}

function recall(place) {
  try {
    return JSON.parse(localStorage.getItem(place) ?? sessionStorage.getItem(place));
  } catch {}
}

/** Whether the console ever led here. */
function moderates() {
  try {
    if (location.hash.match("#greenroom-moderate")) localStorage.greenroom = "moderates";
    return localStorage.greenroom;
  } catch {}
}

function make(tag, traits, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(traits)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

function button(text, act, traits) {
  const element = make("button", { type: "button", ...traits }, text);
  element.addEventListener("click", act);
  return element;
}

const row = (...children) => make("li", {}, ...children);
const tools = { HOST, make, button, ask, recall };

/** Move only misplaced elements. */
function arrange(list, wanted) {
  const rows = wanted.filter(Boolean);
  rows.forEach((item, at) => list.children[at] === item || list.insertBefore(item, list.children[at] ?? null));
  while (list.children[rows.length]) list.lastChild.remove();
}

/** The server's HTML: a few tags and nothing that runs. */
let policy;
function sanitised(html) {
  const rules = { createHTML: (text) => text };
  policy ??= globalThis.trustedTypes?.createPolicy("greenroom", rules) ?? rules;
  const template = make("template", {});
  template.innerHTML = policy.createHTML(html);
  return template.content;
}

/** Draw a flower for each author from the server's digits. */
function rosette(seed) {
  const draw = (tag, traits) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const name in traits) element.setAttribute(name, traits[name]);
    return element;
  };
  const [count, far, wide, long, hue] = Array.from(seed.padEnd(5, "5"), (digit) => parseInt(digit, 16));
  const petals = 5 + (count % 6);
  const petal = { cy: -8 - far / 6, rx: 3.5 + wide / 6, ry: 5.5 + long / 6 };
  const flower = draw("svg", { viewBox: "-20 -20 40 40", fill: `hsl(${hue * 24} 45% 50%)`, "aria-hidden": true });
  for (let turn = 0; turn < 360; turn += 360 / petals) {
    flower.append(draw("ellipse", { ...petal, transform: `rotate(${turn})` }));
  }
  return flower;
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
section {
  --accent: var(--greenroom-accent, currentColor);
  --error: var(--greenroom-error, color-mix(in oklab, #d00 60%, currentColor));
  --line: var(--greenroom-line, color-mix(in srgb, currentColor 18%, transparent));
  --edge: var(--greenroom-edge, color-mix(in srgb, currentColor 55%, transparent));
  --quiet: var(--greenroom-quiet, color-mix(in srgb, currentColor 72%, transparent));
  --radius: var(--greenroom-radius, 2px);
}
:host { display: block; container-type: inline-size; line-height: 1.5; }
* { box-sizing: border-box; }
[hidden], :host([hidden]) { display: none !important; }
h2, h3, p, ol { margin: 0; padding: 0; }
h2, h3 { font-family: var(--greenroom-heading-font, inherit); line-height: 1.2; }
h2 { font-size: 1.5em; }
h3 { font-size: 1.2em; }
ol { list-style: none; }
.quiet, time, header em, label, button, .error, .said {
  font-family: var(--greenroom-small-font, inherit);
  font-size: .875em;
}
.quiet, time, header em { color: var(--quiet); }
.quiet:empty, .said:empty, .error:empty, ol:empty { display: none; }
section > .quiet { margin-block: .5em; }

form { display: grid; gap: 1em 1.5em; margin-block: 1.5em 2.5em; }
form > * { grid-column: 1 / -1; min-inline-size: 0; }
form .quiet { margin-block-start: -.75em; }
label { display: block; margin-block-end: .3em; font-weight: 600; }
input, textarea {
  display: block;
  inline-size: 100%;
  min-block-size: 44px;
  padding: .5em .7em;
  border: 1px solid var(--edge);
  border-radius: var(--radius);
  background: var(--greenroom-field, transparent);
  color: inherit;
  font: inherit;
}
:placeholder-shown { direction: inherit; }
.check { display: flex; align-items: center; gap: .6em; min-block-size: 44px; margin: 0; font-weight: inherit; }
.check input { flex: none; inline-size: 1.25em; min-block-size: 1.25em; margin: 0; accent-color: var(--accent); }
textarea { min-block-size: 8em; resize: vertical; field-sizing: content; }
[aria-invalid] { border-color: var(--error); box-shadow: inset 0 0 0 1px var(--error); }
.error { display: block; margin-block-start: .3em; color: var(--error); }
input[aria-hidden] { position: absolute; inline-size: 1px; opacity: 0; pointer-events: none; }
@container (inline-size > 34em) {
  form { grid-template-columns: 1fr 1fr; }
  form > :is(.name, .email, .website, .check) { grid-column: auto; }
  form > .check { align-self: end; }
}

button {
  min-block-size: 44px;
  padding: 0;
  border: 0;
  background: none;
  color: inherit;
  font-weight: 600;
  text-decoration: underline 1px var(--edge);
  text-underline-offset: .3em;
  cursor: pointer;
}
button:hover { text-decoration-color: currentColor; }
.end { display: flex; flex-wrap: wrap; gap: 0 1.5em; }
.error button { display: block; color: inherit; font-size: 1em; }
[part=button] {
  padding-inline: 1.6em;
  border: 1px solid var(--accent);
  border-radius: var(--radius);
  text-decoration: none;
}
[part=button]:hover { filter: brightness(1.15); }
@supports (color: oklch(from currentColor l c h)) {
  [part=button] { background: var(--accent); }
  [part=button] span { color: var(--greenroom-on-accent, oklch(from var(--accent) clamp(0, (.68 - l) * 99, 1) 0 0)); }
}
[aria-busy] [part=button] { opacity: .6; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

article {
  display: grid;
  grid-template-columns: 2.5em 1fr;
  column-gap: .9em;
  padding-block: 1.25em .25em;
  border-block-start: 1px solid var(--line);
}
article > * { grid-column: 2; }
article > :is(svg, .quiet) { grid-column: 1; }
article > .quiet { grid-column: 1 / -1; padding-block-end: 1em; font-style: italic; }
.tools { display: flex; flex-wrap: wrap; gap: 0 1.25em; }
.tools button { color: var(--quiet); }
.more { min-inline-size: 44px; margin-inline-start: -.5em; text-decoration: none; }
[part=badge] { padding-inline: .5em; border: 1px solid var(--edge); border-radius: 9em; font-size: .75em; }
article:focus { outline: 0; border-block-start-color: var(--accent); box-shadow: inset 0 2px var(--accent); }
svg { inline-size: 2.5em; block-size: 2.5em; grid-row: 1 / span 2; fill-opacity: .55; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .75em; }
header .name { font-weight: 700; overflow-wrap: anywhere; }
header a { color: inherit; text-decoration: none; }
header a:hover { text-decoration: underline; }
.text { overflow-wrap: anywhere; }
.typed { white-space: pre-line; }
.text > * { margin-block: 0 .75em; }
.text :is(ul, ol) { padding-inline-start: 1.4em; list-style: revert; }
.text > :last-child { margin-block-end: 0; }
.text a { color: inherit; }
blockquote { margin: 0; padding-inline-start: 1em; border-inline-start: 2px solid var(--line); color: var(--quiet); }
pre { overflow-x: auto; white-space: pre; }
li > form { margin-block: .5em 2em; padding-inline-start: 1em; border-inline-start: 2px solid var(--accent); }
[role=list] [role=list] {
  margin: .5em 0 1em;
  margin-inline-start: min(1.2em, 3cqi);
  padding-inline-start: 1.2em;
  border-inline-start: 2px solid var(--line);
}
[role=list] [role=list] article { border-color: transparent; padding-block-start: .5em; }
[role=list] [role=list] [role=list] [role=list] { padding: 0; border: 0; }
`);

if (!customElements.get("greenroom-comments")) customElements.define("greenroom-comments", GreenroomComments);
