// Keys by their place on the keyboard (`event.code`), so that they work on an Arabic or a Russian layout too; the help
// dialog shows them, changes them and keeps the change.

import { send } from "./sending.js";

const NAMES = { Slash: "/", Space: "space", Period: ".", Comma: ",", Semicolon: ";" };
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
    document.addEventListener("keydown", (event) => this.pressed(event));
    this.help.addEventListener("click", (event) => this.clicked(event));
    document.getElementById("ask-reason").addEventListener("change", (event) => {
      const ask_reason = event.target.checked;
      this.keep(() => ({ ask_reason }));
    });
  }

  label(action) {
    const code = this.preferences.keys[action];
    if (!code) return "";
    const shifted = code.startsWith("Shift+");
    const key = code.replace("Shift+", "").replace(/^(Key|Digit)/, "");
    if (shifted && key === "Slash") return "?";
    const name = NAMES[key] ?? (key.length === 1 ? key.toLowerCase() : key);
    return shifted ? `⇧${name.length === 1 ? name.toUpperCase() : name}` : name;
  }

  pressed(event) {
    if (this.waiting) return this.remap(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (this.help.open || event.target.closest(WRITES)) {
      if (event.code === "Escape" && !this.help.open) event.target.blur();
      return;
    }
    const onButton = event.target.closest("button, a, summary, [type=checkbox]");
    if (onButton && ["Enter", "Space", "NumpadEnter"].includes(event.code) && !onButton.closest(".reasons")) return;
    const code = (event.shiftKey ? "Shift+" : "") + event.code;
    const action = Object.keys(this.preferences.keys).find((each) => this.preferences.keys[each] === code);
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
      this.said.textContent = "Press the new key, or Escape.";
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
      this.said.textContent = "Kept.";
    } catch (error) {
      this.said.textContent = error.message;
    }
    for (const button of this.help.querySelectorAll("[data-preset]")) {
      button.setAttribute("aria-pressed", String(button.dataset.preset === this.preferences.preset));
    }
    this.changed();
  }
}
