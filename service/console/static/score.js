// Why a comment got its scores: asked for once somebody stays with it, and marked in its text.

import { html } from "./sending.js";

const PAUSE = 150; // whoever goes on at once does not wait for it, nor does the server work for them
const AGAIN = 1000; // while the server is busy with others
let waiting;
let asking = new AbortController();

export function explain(item) {
  clearTimeout(waiting);
  asking.abort(); // the first answer after a start takes a second; it must not keep the next comment waiting
  asking = new AbortController();
  const places = [...(item?.querySelectorAll("[data-score]") ?? [])];
  if (places.length) waiting = setTimeout(() => fill(item, places), PAUSE);
}

async function fill(item, [place, ...others]) {
  try {
    const found = await html(place.dataset.score, "score", asking.signal);
    if (!place.isConnected) return;
    place.replaceChildren(found);
    // Of a comment in which the check found nothing every word would be a little guilty: the list of them is enough.
    if (place.querySelector("[data-marked]")) mark(item.querySelector(".said"), place.querySelectorAll("mark.up"));
  } catch (error) { // the link to its page is still there
    if (error.status === 503 && place.isConnected) waiting = setTimeout(() => fill(item, [place, ...others]), AGAIN);
    return;
  }
  if (others.length) await fill(item, others);
}

// The text was written in Markdown and is shown rendered, so its words are looked for where they are read.
function mark(said, marks) {
  const known = new Map([...marks].map((each) => [each.textContent.toLowerCase(), each]));
  const words = [...known.keys()].filter((word) => /[\p{L}\p{N}]/u.test(word)).sort((a, b) => b.length - a.length);
  if (!words.length) return;
  const literal = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const found = new RegExp(`(?<![\\p{L}\\p{N}])(?:${literal.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  const walker = document.createTreeWalker(said, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) text.replaceWith(...pieces(text.textContent, found, known));
}

function pieces(text, found, known) {
  const made = [];
  let at = 0;
  for (const match of text.matchAll(found)) {
    const like = known.get(match[0].toLowerCase());
    if (!like) continue;
    const marked = like.cloneNode(false);
    marked.textContent = match[0];
    made.push(text.slice(at, match.index), marked);
    at = match.index + match[0].length;
  }
  return [...made, text.slice(at)];
}
