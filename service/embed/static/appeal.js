/** Why a reader's comment was rejected, and the appeal against that. Loaded when there is a statement of reasons. */

const WORDS = {}; // the server puts the words of the page's language here

export default class Appeal {
  constructor(talk, tools) {
    Object.assign(this, { talk, ...tools });
  }

  /** The statement of reasons and the answer to an appeal, in the site's words. */
  reasons({ statement, appeal }) {
    const { make } = this;
    const quoted = (intro, words) => (words ? [make("p", {}, intro), make("blockquote", { dir: "auto" }, words)] : []);
    return [
      ...(statement ? this.statement(statement, quoted, Boolean(appeal)) : []),
      ...(appeal ? [make("p", {}, WORDS.appeal[appeal.status]), ...quoted(WORDS.appeal.answer, appeal.answer)] : []),
    ];
  }

  statement({ title, text, source, automated_decision: decided, automated_detection: detected, answer, appeal_until: until }, quoted, wasAppealed) {
    const { make, talk } = this;
    const who = decided ? "machine" : detected ? "both" : "human";
    const date = until && new Date(until).toLocaleDateString(talk.language, { dateStyle: "long" });
    const redress = until ? WORDS.appeal.until.replace("{date}", date) : WORDS.appeal.final;
    return [
      make("p", { dir: "auto" }, make("b", {}, title), " ", text),
      ...quoted(WORDS.appeal.words_to_you, answer),
      make("p", {}, `${WORDS.appeal[`source_${source.split("_")[0]}`]} ${WORDS.appeal[`decided_${who}`]}`),
      wasAppealed ? "" : make("p", {}, redress),
    ];
  }

  /** A button to appeal, while that is possible. */
  choice(own, place) {
    const { statement, appeal } = own.told;
    return statement?.appeal_until && !appeal && this.button(WORDS.appeal.title, () => this.open(own, place));
  }

  open(own, place) {
    const { talk } = this;
    const area = talk.panel.area("text", WORDS.appeal.label, { maxLength: 5000 });
    const send = async ({ text }) => {
      const words = text.value.trim();
      if (!words) throw { words: WORDS.appeal.empty };
      own.told.appeal = await talk.reader.send("POST", `${own.receipt}/appeal`, { text: words });
      talk.keep();
      talk.panel.note(place, WORDS.appeal.open);
    };
    talk.own.open(place, talk.panel.form({ fields: [area], verb: WORDS.appeal.send, send, close: () => talk.own.back(own, place) }));
  }
}
