/** What a reader can do about a comment: report it, or edit and delete an own one. Loaded by the first click. */

const WORDS = {}; // the server puts the words of the page's language here
const REASONS = {
  insult: WORDS.report.insult,
  hate: WORDS.report.hate,
  threat: WORDS.report.threat,
  spam: WORDS.report.spam,
  off_topic: WORDS.report.off_topic,
  privacy: WORDS.report.privacy,
  other: WORDS.report.other,
};

export default class Actions {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
    this.loaded = Promise.all(["reader", "panel", "own"].map((name) => talk.load(name)));
    this.loaded.catch(() => {});
  }

  /** Open what can be done below the comment, or close it. */
  async toggle(comment, opener) {
    const wasOpen = opener.ariaExpanded === "true";
    this.close();
    if (wasOpen) return;
    opener.ariaExpanded = "true";
    this.opener = opener;
    const place = this.make("div", { className: "actions" });
    opener.closest("article").append(place);
    place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close(opener);
    });
    this.place = place;
    await this.loaded;
    const receipt = this.talk.reader.receipt(comment.id);
    place.append(receipt ? await this.talk.own.tools(comment, receipt, place) : this.tools(comment, place));
  }

  close(focused) {
    this.place?.remove();
    if (this.opener) this.opener.ariaExpanded = "false";
    focused?.focus();
  }

  /** The address of a page without JavaScript. */
  page(path, query) {
    const { site, code } = this.talk;
    return `${this.HOST}${site.slice(3)}${path}?${new URLSearchParams({ ...query, lang: code })}`;
  }

  tools(comment, place) {
    const href = this.page("notice", { comment: comment.id });
    return this.make(
      "p",
      { className: "tools" },
      this.button(WORDS.report.report, () => this.report(comment, place)),
      this.make("a", { href }, WORDS.report.illegal),
    );
  }

  report(comment, place) {
    const { make, talk } = this;
    const choice = ([value, words]) => make("label", {}, make("input", { type: "radio", name: "reason", value }), words);
    const choices = Object.entries(REASONS).map(choice);
    const send = async ({ reason, text }) => {
      if (!reason.value) {
        choices[0].firstChild.focus();
        throw { words: WORDS.report.choose };
      }
      const body = { reason: reason.value, text: text.value.trim() };
      const { receipt } = await talk.reader.send("POST", `${talk.site}comments/${comment.id}/reports`, body);
      const href = this.page(`reports/${receipt.split("/").pop()}`);
      talk.panel.note(place, WORDS.report.sent, " ", make("a", { href }, WORDS.report.outcome));
    };
    const form = talk.panel.form({
      fields: [make("fieldset", {}, make("legend", {}, WORDS.report.reported), make("div", { className: "choices" }, ...choices)), talk.panel.area("text", WORDS.report.words, { maxLength: 1000 })],
      verb: WORDS.report.send,
      send,
      close: () => this.close(this.opener),
    });
    place.replaceChildren(form);
    choices[0].firstChild.focus();
  }
}
