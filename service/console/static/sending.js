// Calls to the server: JSON both ways, and parts of pages as nodes. The message of an error is a sentence for the
// moderator.

const trusted = window.trustedTypes?.createPolicy("greenroom", { createHTML: (text) => text });
const AWAY = "The server can't be reached. Nothing was lost; try again in a moment.";

async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
  } catch {
    throw new Error(AWAY);
  }
  if ((answer.ok || answer.status === 304) && !answer.redirected) return answer;
  if (answer.redirected || answer.status === 401) {
    throw new Error("You are signed out. Reload the page and sign in; nothing was lost.");
  }
  const problem = await answer.json().catch(() => null);
  const error = new Error(problem?.detail ?? `The server answered with an error (${answer.status}).`);
  throw Object.assign(error, { status: answer.status });
}

// With a body it is a POST.
export async function send(address, body) {
  const headers = { Accept: "application/json" };
  if (body === undefined) return (await ask(address, { headers })).json();
  headers["Content-Type"] = "application/json";
  headers["X-Greenroom-CSRF"] = document.body.dataset.csrf;
  const content = JSON.stringify(body);
  // It arrives although the page is left meanwhile; a browser does so for what is small.
  const keepalive = content.length < 30_000;
  return (await ask(address, { method: "POST", headers, body: content, keepalive })).json();
}

// The answer with its tag, or null if nothing has changed since the answer with the tag that is given.
export async function changed(address, tag) {
  const headers = { Accept: "application/json" };
  if (tag) headers["If-None-Match"] = tag;
  const answer = await ask(address, { headers });
  return answer.status === 304 ? null : { ...(await answer.json()), tag: answer.headers.get("ETag") };
}

// A part of a page. Its HTML is the server's own, where everything of strangers is escaped or sanitised.
export async function html(address, part, signal) {
  const answer = await ask(address, { headers: { Accept: "text/html", "X-Greenroom": part }, signal });
  const text = await answer.text();
  const holder = document.createElement("template");
  holder.innerHTML = trusted ? trusted.createHTML(text) : text;
  return holder.content;
}
