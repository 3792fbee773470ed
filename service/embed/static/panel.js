/** The small forms and notes that open at a comment, and how they look. */

const WORDS = {}; // the server puts the words of the page's language here

export default class Panel {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
    talk.root.adoptedStyleSheets.push(sheet);
  }

  /** A form with its own line for what happens. `send` may throw a problem; `close` takes the form away. */
  form({ fields, verb, send, close }) {
    const { make } = this;
    const said = make("p", { className: "said", role: "status" });
    const buttons = make(
      "p",
      { className: "end" },
      make("button", { part: "button" }, make("span", {}, verb)),
      this.button(WORDS.report.cancel, close),
    );
    const form = make("form", { className: "panel", noValidate: true }, ...fields, buttons, said);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (form.ariaBusy) return;
      form.ariaBusy = true;
      said.textContent = "";
      await send(form.elements).catch((problem) => (said.textContent = problem.words ?? this.explain(problem)));
      form.ariaBusy = null;
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    return form;
  }

  area(name, label, traits) {
    const id = `panel-${name}-${(this.count = (this.count ?? 0) + 1)}`;
    const text = this.make("textarea", { id, name, dir: "auto", placeholder: " ", ...traits });
    return this.make("p", {}, this.make("label", { htmlFor: id }, label), text);
  }

  /** A note that takes the focus from the form it replaces. */
  note(place, ...words) {
    const note = this.make("p", { className: "said", role: "status", tabIndex: -1 }, ...words);
    place.replaceChildren(note);
    note.focus();
  }

  explain({ detail, errors }) {
    return (this.talk.code === "en" && (errors?.[0]?.message ?? detail)) || WORDS.edit.failed;
  }
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
.actions { margin-block-end: .75em; }
.tools a { display: inline-flex; align-items: center; min-block-size: 44px; font-weight: 600; }
.tools a, .outcome > :not(.tools) { color: var(--quiet); font-family: var(--greenroom-small-font, inherit); font-size: .875em; }
.tools a { text-decoration: underline 1px var(--edge); text-underline-offset: .3em; }
.outcome > * { margin-block: .5em; }
.outcome > p:first-child:not(.tools) { color: inherit; }
.typed + div > .outcome:has(> :not(.tools)) { margin-block: .25em .75em; padding-inline-start: 1em; border-inline-start: 2px solid var(--accent); }
form.panel { display: block; margin-block: .25em 1em; padding: 1em; border: 1px solid var(--line); border-radius: var(--radius); }
.panel > * { margin-block-end: .75em; }
.panel > .end, .panel > .said:empty { margin: 0; }
.panel .quiet { margin-block-start: -.25em; }
fieldset { min-inline-size: 0; margin: 0; padding: 0; border: 0; }
legend { padding: 0; margin-block-end: .25em; font-weight: 600; }
fieldset label { display: flex; align-items: center; gap: .6em; min-block-size: 2.75em; margin: 0; font-weight: inherit; }
fieldset input { flex: none; inline-size: 1.25em; min-block-size: 1.25em; margin: 0; accent-color: var(--accent); }
.panel textarea { min-block-size: 5.5em; }
.said:focus { outline: 0; }
.confirm { padding-inline-start: 1em; border-inline-start: 2px solid var(--accent); }
.code { font: 600 1.75em/1.5 ui-monospace, monospace; letter-spacing: .1em; }
form .email button { font-weight: inherit; color: var(--quiet); }
@container (inline-size > 34em) {
  .choices { display: grid; grid-template-columns: 1fr 1fr; column-gap: 1.5em; }
}
`);
