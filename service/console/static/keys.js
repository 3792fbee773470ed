// Keys by their place on the keyboard (`event.code`), so that they work in an Arabic or a Russian layout too. Each is
// shown as the letter that is printed there. The help dialog lists the keys and changes them.

import { send } from "./sending.js";

const NAMES = { Slash: "/", Space: "space", Period: ".", Comma: ",", Semicolon: ";" };
const QUESTION_MARKS = ["?", "؟", "？"];
const LEARNED = "greenroom-letters"; // where letters that were typed are kept
const WRITES = "input:not([type=checkbox]), textarea, select, [contenteditable]";

export class Keys {
  // `act(action, event)` answers whether it took the key; `changed()` is called when the keys are others.
  constructor(preferences, act, changed) {
    this.preferences = preferences;
    this.act = act;
    this.changed = changed;
    this.help = document.getElementById("help");
    this.said = document.getElementById("help-said");
    this.waiting = null;
    this.kept = Promise.resolve();
    this.letters = new Map(); // the letter that is printed at each place
    this.readLetters();
    document.addEventListener("keydown", (event) => this.pressed(event));
    this.help.addEventListener("click", (event) => this.clicked(event));
    document.getElementById("ask-reason")?.addEventListener("change", (event) => {
      const ask_reason = event.target.checked;
      this.keep(() => ({ ask_reason }));
    });
  }

  // Chromium knows the letters, on a page that is served by HTTPS. Elsewhere they are learned as they are typed.
  async readLetters() {
    try {
      this.letters = new Map(JSON.parse(localStorage.getItem(LEARNED) ?? "[]"));
      const known = await navigator.keyboard?.getLayoutMap();
      if (known?.size) this.letters = known;
      this.isKnown = Boolean(known?.size);
    } catch { /* no storage, or no right to ask: the letters of a US keyboard are shown until others are typed */ }
    this.changed();
  }

  learn(event) {
    const isLetter = [...event.key].length === 1 && event.code !== "Space";
    if (this.isKnown || !isLetter || event.shiftKey || this.letters.get(event.code) === event.key) return;
    this.letters.set(event.code, event.key);
    try {
      localStorage.setItem(LEARNED, JSON.stringify([...this.letters]));
    } catch { /* learned for this page only */ }
    this.changed();
  }

  label(action) {
    const code = this.preferences.keys[action];
    if (!code) return "";
    if (code === "Shift+Slash" && action === "help") return "?";
    const place = code.replace("Shift+", "");
    const letter = this.letters.get(place) ?? NAMES[place] ?? place.replace(/^(Key|Digit)/, "");
    const name = letter.length === 1 ? letter.toLowerCase() : letter;
    if (place === code) return name;
    return `⇧${name.length === 1 ? name.toUpperCase() : name}`;
  }

  // A question mark opens the help wherever it is on the keyboard, unless the moderator chose its place for another key.
  actionOf(event) {
    const code = (event.shiftKey ? "Shift+" : "") + event.code;
    const { keys, own } = this.preferences;
    const action = Object.keys(keys).find((each) => keys[each] === code);
    return QUESTION_MARKS.includes(event.key) && !(action in own) ? "help" : action;
  }

  pressed(event) {
    if (this.waiting) return this.remap(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    this.learn(event);
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest(WRITES)) {
      if (event.code === "Escape") event.target.blur();
      return;
    }
    const onButton = event.target.closest("button, a, summary, [type=checkbox]");
    if (onButton && ["Enter", "Space", "NumpadEnter"].includes(event.code) && !onButton.closest(".reasons")) return;
    const action = this.actionOf(event);
    if (event.repeat && !["next", "previous", "seen"].includes(action)) return;
    if (this.act(action, event)) event.preventDefault();
  }

  clicked(event) {
    const preset = event.target.closest("[data-preset]");
    const cap = event.target.closest("[data-remap]");
    if (preset) this.keep(() => ({ preset: preset.dataset.preset, keys: {} }));
    if (cap) {
      this.help.querySelector(".waiting")?.classList.remove("waiting");
      cap.classList.add("waiting");
      this.waiting = cap.dataset.remap;
      this.said.textContent = "Press the new key, or Escape to cancel.";
    }
  }

  remap(event) {
    if (["ShiftLeft", "ShiftRight", "ControlLeft", "AltLeft", "MetaLeft"].includes(event.code)) return;
    event.preventDefault();
    const action = this.waiting;
    this.waiting = null;
    this.help.querySelector(".waiting")?.classList.remove("waiting");
    this.said.textContent = "";
    if (event.code === "Escape") return;
    const code = (event.shiftKey ? "Shift+" : "") + event.code;
    this.keep(({ keys, own }) => {
      const taken = Object.keys(keys).find((each) => keys[each] === code);
      const swapped = taken && taken !== action ? { [taken]: keys[action] } : {}; // the two change places
      return { keys: { ...own, [action]: code, ...swapped } };
    });
  }

  // One after the other, each from what came of the one before: two quick changes would else undo each other.
  keep(change) {
    this.kept = this.kept.then(() => this.send(change));
  }

  async send(change) {
    const { preset, own, ask_reason } = this.preferences;
    const wanted = { preset, keys: own, ask_reason, ...change(this.preferences) };
    try {
      Object.assign(this.preferences, await send("/console/preferences", wanted));
      this.said.textContent = "Saved.";
    } catch (error) {
      this.said.textContent = error.message;
    }
    for (const button of this.help.querySelectorAll("[data-preset]")) {
      button.setAttribute("aria-pressed", String(button.dataset.preset === this.preferences.preset));
    }
    this.changed();
  }
}
