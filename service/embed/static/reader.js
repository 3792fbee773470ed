/** Who writes: a reader with the site's token, one with a proven address, or a stranger; and what this browser keeps. */

const WORDS = {}; // the server puts the words of the page's language here
const DAY = 86_400_000;
const DAYS = 30; // how long the browser remembers a reader who ticked the box
const MOST_RECEIPTS = 200;
const SOON = 10_000; // ms before a token expires in which it counts as expired

export default class Reader {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
    const kept = this.recall(talk.memory) ?? {};
    if (kept.until < Date.now()) this.forgetAll();
    this.kept = { receipts: [], ...(kept.until < Date.now() ? {} : kept) };
    this.kept.receipts = this.kept.receipts.filter(({ at }) => Date.now() - new Date(at) < DAYS * DAY);
    if (this.box.checked) this.remember(true); // ticked while this module was loading
    this.box.addEventListener("change", () => this.remember(this.box.checked));
  }

  get box() {
    return this.talk.control("remember");
  }

  /** The name that goes with the identity, or nothing for a stranger. */
  get name() {
    return payload(this.token)?.name ?? (this.kept.key && this.kept.name);
  }

  get token() {
    return this.talk.element.token;
  }

  /** Return the token or the key for a call. Ask the page for a token if there is none that lasts. */
  async identity(renewing) {
    const expires = (payload(this.token)?.exp ?? 0) * 1000;
    if (renewing || expires < Date.now() + SOON) {
      const token = await this.askPage(renewing ? "refused" : this.token ? "expired" : "missing");
      if (token && token !== this.token) this.talk.element.token = token;
    }
    return this.token || this.kept.key;
  }

  /** Let the page answer `greenroom:token` with a token or a promise of one. */
  async askPage(reason) {
    let answer;
    const detail = { reason, respond: (token) => (answer = token) };
    const event = new CustomEvent("greenroom:token", { bubbles: true, composed: true, detail });
    this.talk.element.dispatchEvent(event);
    return Promise.resolve(answer).catch(() => null);
  }

  /** Send JSON as this reader. After a 401, ask for another token and try once more. */
  async send(method, path, body, renewing = false) {
    const identity = await this.identity(renewing);
    const headers = { ...(body && { "Content-Type": "application/json" }), ...(identity && { "Greenroom-Identity": identity }) };
    try {
      return await this.ask(path, { method, headers, body: body && JSON.stringify(body) });
    } catch (problem) {
      if (problem.status !== 401 || renewing) throw problem;
      if (identity && identity === this.kept.key) this.prove(null);
      return this.send(method, path, body, true);
    }
  }

  /** Show the form as this reader needs it: a known reader gives neither name nor address. */
  async greet(asking) {
    const { talk } = this;
    if (!talk.form) return;
    if (asking) await this.identity();
    if (asking) this.offer();
    for (const name of ["name", "email", "website"]) talk.control(name).parentElement.hidden = Boolean(this.name);
    this.note();
    this.box.checked = this.remembers;
    const name = talk.control("name");
    if (!name.value && this.kept.name) name.value = this.kept.name;
    return (this.own ??= this.showOwn());
  }

  /** Say who writes, with what goes with it. */
  note() {
    const { talk, button } = this;
    const needed = { proven: WORDS.identity.proven, signed_in: WORDS.identity.signed_in }[this.needed];
    const said = this.name ? WORDS.identity.as.replace("{name}", this.name) : needed ?? talk.words.note;
    const other = !this.token && this.kept.key && button(WORDS.identity.other, () => this.prove(null));
    const mine = (this.name || this.kept.receipts[0]) && this.mine();
    const choices = [other, mine, talk.head.count && this.follow].filter(Boolean);
    talk.form.querySelector(".quiet").replaceChildren(said, ...choices.flatMap((choice) => [" · ", choice]));
  }

  /** Offer a stranger to confirm the address, and a proven reader to follow the thread. */
  async offer() {
    const { talk } = this;
    const { confirms, identity } = await talk.settings();
    this.needed = identity;
    this.note();
    if (!confirms) return;
    const confirm = () => talk.load("confirm");
    if (this.name) {
      this.follow ??= this.proven && (await confirm().then((part) => part.follow()).catch(() => null));
      return this.note();
    }
    this.begin ??= this.button(WORDS.mail.confirm, () => confirm().then((part) => part.begin()));
    talk.control("email").parentElement.append(this.begin);
    if (this.kept.awaited) confirm().then((part) => part.wait(this.kept.awaited));
  }

  get proven() {
    return payload(this.token)?.email_verified || (!this.token && this.kept.key);
  }

  /** Keep a confirmation that waits for its code, so that it survives a reload. */
  awaitKey(awaited) {
    this.kept.awaited = awaited ?? undefined;
    this.keep();
    this.offer();
  }

  /** A button that opens the page of all this reader's comments on the site. */
  mine() {
    const { make, talk } = this;
    const open = () => {
      const field = (name, value) => make("input", { type: "hidden", name, value });
      const receipts = this.kept.receipts.map(({ receipt }) => field("receipt", receipt.split("/").pop()));
      const action = `${this.HOST}${talk.site.slice(3)}mine?lang=${talk.code}`;
      const form = make("form", { method: "post", action, hidden: true }, ...receipts);
      const who = this.token || this.kept.key;
      if (who) form.append(field("identity", who));
      talk.root.append(form);
      form.submit();
    };
    return this.button(WORDS.edit.mine, open);
  }

  /** Keep or drop the key of a proven address. */
  prove(key, name) {
    Object.assign(this.kept, { key, name: name ?? this.kept.name });
    this.follow = undefined;
    this.keep();
    this.greet(true);
  }

  get remembers() {
    return Boolean(this.kept.until);
  }

  remember(wanted) {
    this.kept.until = wanted ? Date.now() + DAYS * DAY : undefined;
    this.keep();
  }

  /** Keep a receipt, and renew the 30 days. */
  add({ id, receipt, name, at }) {
    const receipts = this.kept.receipts.filter((other) => other.id !== id);
    this.kept.receipts = [{ id, receipt, at, thread: this.talk.thread }, ...receipts].slice(0, MOST_RECEIPTS);
    if (!this.token) this.kept.name = name;
    if (this.remembers) this.remember(true);
    this.keep();
  }

  receipt(id) {
    return this.kept.receipts.find((own) => own.id === id)?.receipt;
  }

  /** Never show this comment above the thread again. “Your comments” still lists it. */
  finish(id) {
    Object.assign(this.kept.receipts.find((own) => own.id === id) ?? {}, { done: true });
    this.keep();
  }

  drop(id) {
    this.kept.receipts = this.kept.receipts.filter((own) => own.id !== id);
    this.keep();
  }

  keep() {
    const { memory } = this.talk;
    const [here, elsewhere] = this.remembers ? [localStorage, sessionStorage] : [sessionStorage, localStorage];
    try {
      elsewhere.removeItem(memory);
      here.setItem(memory, JSON.stringify(this.kept));
    } catch {} // without storage, comments still work
  }

  forgetAll() {
    localStorage.removeItem(this.talk.memory);
  }

  /** Bring back this reader's comments in this thread, to see which of them are not published. */
  async showOwn() {
    const { kept, thread } = this.talk;
    const here = this.kept.receipts.filter((own) => own.thread === thread && !own.done);
    const lost = here.filter(({ id }) => !kept.mine.some((own) => own.id === id));
    kept.mine.push(...lost.map(({ id, receipt, at }) => ({ id, receipt, at, name: this.kept.name })));
    if (!kept.mine.length) return;
    const own = await this.talk.load("own");
    for (const comment of kept.mine.filter(({ told }) => told)) await own.tell(comment, comment.told);
  }
}

/** Return what a token says, unproven: only the server can check it. */
function payload(token) {
  try {
    const bytes = Uint8Array.from(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {}
}
