/** Confirming an email address, and following a thread by mail. Loaded when a reader asks for it. */

const WORDS = {}; // the server puts the words of the page's language here
const OFTEN = 4_000; // ms between two questions whether the code was entered
const SELDOM = 20_000; // the same, once the reader has taken some minutes
const PATIENT = 180_000;

export default class Confirm {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
    this.place = this.make("div", { className: "confirm", role: "status" });
  }

  /** Ask for a link to the typed address, and show the code for the page behind it. */
  async begin() {
    const { talk } = this;
    const [writing, reader] = await Promise.all(["writing", "reader", "panel"].map((name) => talk.load(name)));
    const values = { email: talk.control("email").value.trim(), name: talk.control("name").value.trim() };
    const errors = ["name", "email"].filter((field) => !values[field]).map((field) => ({ field, message: WORDS.form.missing }));
    if (errors.length) return writing.complain(errors);
    if (talk.control("email").validity.typeMismatch) return writing.complain([{ field: "email", message: WORDS.form.wrong }]);
    try {
      const asked = await reader.send("POST", `${talk.site}confirmations`, values);
      reader.awaitKey({ ...asked, name: values.name, since: Date.now() });
    } catch (problem) {
      if (problem.errors) return writing.complain(problem.errors);
      talk.said.textContent = talk.panel.explain(problem);
    }
  }

  /** Show the code, and fetch the key once it was entered. */
  async wait(asked) {
    const { make, talk } = this;
    if (this.asked === asked.confirmation) return;
    this.asked = asked.confirmation;
    const code = make("b", { className: "code", dir: "ltr" }, `${asked.code.slice(0, 3)} ${asked.code.slice(3)}`);
    const quiet = [WORDS.mail.code_hour, WORDS.mail.code_waits].map((words) => make("p", { className: "quiet" }, words));
    this.place.replaceChildren(make("p", {}, WORDS.mail.code_lead), make("p", {}, code), ...quiet);
    talk.control("website").parentElement.before(this.place);
    while (this.asked === asked.confirmation && !talk.gone) {
      await this.pause(Date.now() - asked.since < PATIENT ? OFTEN : SELDOM);
      if (document.hidden) continue;
      const body = JSON.stringify({ confirmation: asked.confirmation });
      const options = { method: "POST", headers: { "Content-Type": "application/json" }, body };
      const answer = await this.ask(`${talk.site}confirmations/key`, options).catch(() => ({}));
      if (answer.status === "confirmed") return this.finish(WORDS.mail.confirmed, answer.key, asked.name);
      if (answer.status === "ended" || new Date(asked.expires_at) < Date.now()) return this.finish(WORDS.mail.ended);
    }
  }

  /** Wait, or go on as soon as the reader returns from their mail. */
  pause(ms) {
    return new Promise((wake) => {
      setTimeout(wake, ms);
      addEventListener("visibilitychange", wake, { once: true });
    });
  }

  finish(words, key, name) {
    const { reader, said } = this.talk;
    this.asked = null;
    this.place.remove();
    said.textContent = words;
    reader.awaitKey(null);
    if (key) reader.prove(key, name);
  }

  /** A button that follows this thread, or stops that. Nothing for a reader without a confirmed address. */
  async follow() {
    const { talk } = this;
    const path = `${talk.site}following`;
    const thread = new URLSearchParams({ thread: talk.thread });
    let { following } = await talk.reader.send("GET", `${path}?${thread}`);
    const label = () => (following ? WORDS.mail.unfollow : WORDS.mail.follow);
    const toggle = async () => {
      const body = { thread: talk.thread, following: !following };
      ({ following } = await talk.reader.send("PUT", path, body).catch((problem) => {
        talk.said.textContent = talk.panel.explain(problem);
        return { following };
      }));
      follow.textContent = label();
    };
    const follow = this.button(label(), toggle);
    return follow;
  }
}
