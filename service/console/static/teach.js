// Labels by one key. Each label is the page's own form, so the page works without this script. A key labels only the
// comment that the browser has drawn, and only once: the next page brings the next comment.

import { Keys } from "./keys.js";
import { tellTimes } from "./moments.js";

const preferences = JSON.parse(document.body.dataset.preferences);
let isReady = false; // the browser has drawn the page, and no form was sent from it

document.documentElement.classList.add("scripted");

// A page that comes back from the browser's memory was sent before.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
// A task that is posted in an animation frame runs after the browser has drawn that frame.
requestAnimationFrame(() => setTimeout(() => {
  isReady = true;
  document.documentElement.classList.add("drawn");
}));

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-do]")) return;
  if (!isReady) event.preventDefault();
  isReady = false;
});
document.addEventListener("click", (event) => {
  if (event.target.closest("button[data-do=help]")) act("help");
});

function act(action) {
  if (action === "help") {
    document.getElementById("help").showModal();
    return true;
  }
  const button = document.querySelector(`form[data-do="${action}"] button[name=label]`);
  if (button && isReady) button.form.requestSubmit(button);
  return Boolean(button);
}

const keys = new Keys(preferences, (action) => Boolean(action) && act(action), () => labelKeys());

function labelKeys() {
  for (const cap of document.querySelectorAll("kbd[data-key]")) cap.textContent = keys.label(cap.dataset.key);
}

labelKeys();
setInterval(() => tellTimes(document), 60_000);
