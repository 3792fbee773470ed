/** A reader's own comments: follow each receipt, tell the outcome, and offer what can be done. */

const WORDS = {}; // the server puts the words of the page's language here
const PAUSES = [300, 400, 800, 1500, 3000]; // ms between looks at a receipt

export default class Own {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
    talk.load("panel").catch(() => {});
  }

  /** The comments whose text is known. */
  get shown() {
    return this.talk.kept.mine.filter((own) => own.text);
  }

  resume() {
    for (const own of [...this.talk.kept.mine]) own.text ? this.follow(own) : this.restore(own);
  }

  /** Look once at a comment of which only the receipt was kept. */
  async restore(own) {
    const { kept, known } = this.talk;
    const receipt = known.has(own.id) ? null : await this.ask(own.receipt).catch(() => null);
    if (!receipt || receipt.status === "approved" || receipt.field === "email") {
      kept.mine = kept.mine.filter((other) => other !== own);
      return;
    }
    await this.tell(own, receipt);
    if (receipt.status === "pending") this.follow(own);
    else this.settle(own, "", receipt.status);
  }

  face(own) {
    const { make, talk } = this;
    const place = make("div", {});
    place.append(this.outcome(own, place));
    const status = own.status ?? "pending";
    return [
      make("header", {}, talk.name(own), talk.time(own.at), status !== "rejected" && make("em", {}, WORDS.form[status])),
      make("div", { className: "text typed", part: "text", dir: "auto" }, own.text),
      own.told ? place : "",
    ];
  }

  /** Tell why, and offer what can be done now. */
  outcome(own, place) {
    const { make, button, talk } = this;
    const { status, reason } = own.told ?? {};
    const told = make("div", { className: "outcome" });
    const reasons = talk.appeal && own.told ? talk.appeal.reasons(own.told) : [];
    if (status === "rejected") {
      told.append(make("p", {}, WORDS.form.rejected));
      if (!reasons.length && talk.code === "en" && reason) told.append(make("p", {}, reason));
    }
    if (own.told?.field === "name") told.append(make("p", {}, WORDS.identity.taken));
    told.append(...reasons);
    const again = status === "rejected" && button(WORDS.edit.again, () => this.again(own));
    const appeal = status === "rejected" && talk.appeal?.choice(own, place);
    told.append(make("p", { className: "tools" }, again, appeal, ...this.choices(own, place)));
    return told;
  }

  /** Keep what a receipt says, and load what its statement needs. */
  async tell(own, receipt) {
    if (receipt.statement || receipt.appeal) await this.talk.load("appeal").catch(() => {});
    own.told = receipt;
    own.text ||= receipt.body;
  }

  /** What an author can do with a comment of any status. */
  choices(own, place) {
    const edits = new Date(own.told?.editable_until ?? 0) > Date.now();
    return [
      edits && this.button(WORDS.edit.edit, () => this.edit(own, place)),
      own.told && this.button(WORDS.edit.delete, () => this.remove(own, place)),
    ];
  }

  /** The same for a published comment, in the actions below it. */
  async tools(comment, receipt, place) {
    const told = await this.ask(receipt).catch(() => null);
    const own = { id: comment.id, receipt, told, text: told?.body };
    return this.make("p", { className: "tools" }, ...this.choices(own, place), this.talk.reader.mine());
  }

  edit(own, place) {
    const { talk } = this;
    const time = new Date(own.told.editable_until).toLocaleTimeString(talk.language, { timeStyle: "short" });
    const area = talk.panel.area("body", talk.words.body, { value: own.text ?? own.told.body, maxLength: 10000 });
    const send = async ({ body }) => {
      await talk.reader.send("PATCH", own.receipt, { body: body.value.trim() }).catch((problem) => {
        throw problem.status === 403 ? { words: WORDS.edit.late } : problem;
      });
      own.text = body.value.trim();
      talk.keep();
      talk.panel.note(place, WORDS.edit.saved);
      if (!own.status) return this.followEdit(own, place.firstChild);
      own.status = undefined; // not public, so it is checked like a new comment
      this.follow(own);
    };
    const hint = this.make("p", { className: "quiet" }, WORDS.edit.until.replace("{time}", time));
    this.open(place, talk.panel.form({ fields: [area, hint], verb: WORDS.edit.save, send, close: () => this.back(own, place) }));
  }

  /** Tell whether the new text is published or waits for a moderator. */
  async followEdit(own, said) {
    const { talk } = this;
    for (const pause of PAUSES) {
      await new Promise((wake) => setTimeout(wake, pause));
      const told = await this.ask(own.receipt).catch(() => ({}));
      if (talk.gone) return;
      if (told.edit?.status === "waiting" || !told.id) continue;
      if (told.edit?.status === "rejected") return said.replaceChildren(WORDS.own.rejected);
      await talk.read(talk.items.get(own.id)?.page).catch(() => {});
      talk.render();
      talk.items.get(own.id)?.article.focus();
      talk.said.textContent = WORDS.edit.published;
      return;
    }
    said.textContent = WORDS.edit.waiting;
  }

  remove(own, place) {
    const { talk } = this;
    const send = async () => {
      await talk.reader.send("DELETE", own.receipt);
      talk.reader.drop(own.id);
      this.settle(own, "");
      if (talk.known.has(own.id)) talk.panel.note(place, WORDS.edit.deleted);
      else talk.said.textContent = WORDS.edit.deleted;
    };
    const sure = this.make("p", {}, WORDS.edit.sure);
    this.open(place, talk.panel.form({ fields: [sure], verb: WORDS.edit.delete, send, close: () => this.back(own, place) }));
  }

  open(place, form) {
    place.replaceChildren(form);
    form.querySelector("textarea, button").focus();
  }

  /** Close a form: show the outcome again, or return to the button of the actions. */
  back(own, place) {
    if (place === this.talk.actions?.place) return this.talk.actions.close(this.talk.actions.opener);
    place.replaceChildren(this.outcome(own, place));
    place.querySelector("button")?.focus();
  }

  /** Watch the receipt until the comment is published, held or rejected. */
  async follow(own) {
    let status;
    for (const pause of PAUSES) {
      await new Promise((wake) => setTimeout(wake, own.status ? 0 : pause));
      const receipt = await this.ask(own.receipt).catch((problem) => problem);
      if (this.talk.gone) return;
      if (receipt.status === 404) return this.settle(own, "");
      if (!receipt.id) continue;
      await this.tell(own, receipt);
      if (receipt.status === own.status) return this.talk.render();
      status = receipt.status;
      if (status === "approved" && (await this.appears(own))) break;
      if (status === "flagged") return this.settle(own, WORDS.form.thanks, status);
      if (status === "rejected") return this.reject(own, receipt);
    }
    if (status !== "approved") return;
    this.settle(own, WORDS.form.published);
  }

  async appears(own) {
    const { talk } = this;
    await talk.read(talk.items.get(own.parent)?.page).catch(() => {});
    talk.render();
    return talk.known.has(own.id);
  }

  /** Keep only own comments that are not published. */
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
    this.settle(own, WORDS.form.rejected, field === "email" ? undefined : "rejected");
    if (field !== "email") return;
    talk.reader.finish(own.id);
    const writing = await talk.load("writing");
    this.again(own);
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
  again(own) {
    const { talk } = this;
    if (own.answered) talk.answer(own.answered);
    const body = talk.control("body");
    body.value = talk.kept.draft.body = `${own.text}\n\n${body.value}`.trim();
    talk.keep();
    this.sentAgain = own;
    body.focus();
  }
}
