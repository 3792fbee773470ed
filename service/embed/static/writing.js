/** Sending a comment: check the fields, post, and explain what went wrong. Loaded when the form is used. */

const WORDS = {}; // the server puts the words of the page's language here

export default class Writing {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
    talk.form.addEventListener("input", ({ target }) => this.excuse(target));
    this.loaded = Promise.all([talk.load("reader"), talk.load("own"), talk.load("panel")]);
    this.loaded.then(([reader]) => reader.greet(true)).catch(() => {});
  }

  excuse(control) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
    this.talk.root.getElementById(`${control.name}-error`)?.replaceChildren();
  }

  /** Show each error at its field, others below. */
  complain(errors, moving = true) {
    const { talk } = this;
    for (const { field, message, offer } of errors.reverse()) {
      const control = talk.control(field);
      if (!control?.id || control.closest("[hidden]")) {
        talk.said.textContent = message;
        continue;
      }
      control.setAttribute("aria-invalid", true);
      control.setAttribute("aria-describedby", `${field}-error`);
      talk.root.getElementById(`${field}-error`).replaceChildren(message, offer ?? "");
      if (moving) control.focus();
    }
  }

  async send() {
    const { talk } = this;
    const { form, said } = talk;
    if (form.ariaBusy) return;
    form.ariaBusy = true;
    try {
      const [reader, own] = await this.loaded;
      await reader.identity();
      const values = this.values();
      if (!values) return;
      said.textContent = WORDS.form.sending;
      const { token } = await talk.settings();
      const title = document.querySelector("meta[property='og:title']")?.content || document.title;
      const parent = talk.answered?.id ?? null;
      const comment = { ...values, thread: talk.thread, url: talk.url, title, parent, token };
      const accepted = await reader.send("POST", `${talk.site}comments`, comment);
      this.accepted({ ...comment, name: comment.name ?? reader.name }, accepted, own);
    } catch (problem) {
      this.refused(problem);
    } finally {
      form.ariaBusy = null;
    }
  }

  /** Return what the reader typed, or complain and return nothing. */
  values() {
    const { talk } = this;
    const controls = [...talk.form.elements].filter(({ name }) => name && name !== "remember");
    controls.forEach((control) => this.excuse(control));
    const shown = controls.filter((control) => !control.closest("[hidden]"));
    const values = Object.fromEntries(shown.map(({ name, value }) => [name, value.trim()]));
    values.website = values.website && !/^\w+:/.test(values.website) ? `https://${values.website}` : values.website || null;
    const missing = shown.filter(({ required, name }) => required && !values[name]);
    if (missing.length) return this.complain(missing.map(({ name }) => ({ field: name, message: WORDS.form.missing })));
    const wrong = shown.some(({ name, validity }) => name === "email" && validity.typeMismatch);
    if (wrong) return this.complain([{ field: "email", message: WORDS.form.wrong }]);
    return values;
  }

  accepted({ name, body, parent }, { id, receipt }, own) {
    const { talk } = this;
    const comment = { id, receipt, name, text: body, parent, answered: talk.answered, at: new Date().toISOString() };
    talk.kept.mine = [comment, ...talk.kept.mine.filter((other) => other.id !== id && other !== own.sentAgain)];
    if (own.sentAgain) talk.reader.finish(own.sentAgain.id);
    own.sentAgain = null;
    talk.control("body").value = talk.kept.draft.body = "";
    talk.keep();
    talk.reader.add(comment);
    talk.retire();
    talk.render();
    talk.items.get(id).article.focus();
    talk.said.textContent = WORDS.form.checking;
    own.follow(comment);
  }

  refused({ status, errors, after, detail }) {
    const { talk } = this;
    const { said, words } = talk;
    said.textContent = words.failed;
    if (status === 429) {
      const soon = new Intl.RelativeTimeFormat(talk.language).format(after || 60, "second");
      said.textContent = WORDS.form.slow.replace("{when}", soon);
    } else if (status === 401) {
      said.textContent = talk.code === "en" ? detail : talk.reader.token ? WORDS.identity.refused : WORDS.identity.proven;
      talk.reader.greet();
    } else if (status === 409) {
      talk.head.state = "closed";
      talk.render();
    } else if (status === 404) {
      talk.retire(); // its parent is gone
    } else if (errors) {
      said.textContent = "";
      this.complain(errors);
    }
  }
}
