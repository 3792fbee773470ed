/** A reader's own comments: follow each receipt, tell the outcome, and offer what can be done. */

const WORDS = {}; // the server puts the words of the page's language here
const PAUSES = [300, 400, 800, 1500, 3000]; // ms between looks at a receipt

export default class Own {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
  }

  /** The comments whose text or outcome is known. */
  get shown() {
    return this.talk.kept.mine.filter((own) => own.text);
  }

  resume() {
    this.talk.kept.mine.forEach((own) => this.follow(own));
  }

  face(own) {
    const { make, talk } = this;
    const status = make("em", {}, WORDS.form[own.status ?? "pending"]);
    return [
      make("header", {}, talk.name(own), talk.time(own.at), status),
      make("div", { className: "text typed", part: "text", dir: "auto" }, own.text),
    ];
  }

  /** Watch the receipt until the comment is published, held or rejected. */
  async follow(own) {
    let status;
    for (const pause of PAUSES) {
      await new Promise((wake) => setTimeout(wake, pause));
      const receipt = await this.ask(own.receipt).catch((problem) => problem);
      if (this.talk.gone || receipt.status === own.status) return;
      status = receipt.status;
      if (status === "approved" && (await this.appears(own))) break;
      if (status === "flagged") return this.settle(own, WORDS.form.thanks, status);
      if (status === "rejected") return this.reject(own, receipt);
      if (status === 404) return this.settle(own, "");
    }
    if (status === "approved") this.settle(own, WORDS.form.published);
  }

  async appears(own) {
    const { talk } = this;
    await talk.read(talk.items.get(own.parent)?.page).catch(() => {});
    talk.render();
    return talk.known.has(own.id);
  }

  /** Keep only own comments that wait for a moderator. */
  settle(own, message, status) {
    const { talk } = this;
    own.status = status;
    talk.kept.mine = talk.kept.mine.filter((other) => other !== own || status);
    talk.keep();
    talk.render();
    talk.said.textContent = message;
  }

  async reject(own, { field, suggestion }) {
    const { talk } = this;
    this.settle(own, WORDS.form.rejected);
    if (field !== "email") return;
    const writing = await talk.load("writing");
    this.writeAgain(own);
    const email = talk.control("email");
    const [name, domain] = email.value.trim().split("@");
    const better = `${name}@${suggestion}`;
    const correct = () => {
      email.value = talk.kept.draft.email = better;
      writing.excuse(email);
      talk.form.querySelector("[part=button]").focus();
    };
    const offer = suggestion && this.button(WORDS.form.use.replace("{email}", better), correct);
    talk.said.textContent = "";
    const message = WORDS.form.nowhere.replace("{domain}", domain);
    writing.complain([{ field, message, offer }], talk.root.activeElement);
  }

  /** Put the text back into the form, before what was begun meanwhile. */
  writeAgain(own) {
    const { talk } = this;
    if (own.answered) talk.answer(own.answered);
    const body = talk.control("body");
    body.value = talk.kept.draft.body = `${own.text}\n\n${body.value}`.trim();
    talk.keep();
  }
}
