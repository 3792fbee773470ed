// A moderator's day with the types that openapi-typescript generates: node journey.js URL KEY HOOK
import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./schema.js";

declare const process: { argv: string[] };

const PATIENCE = 60_000;
const [url, key, hook] = process.argv.slice(2) as [string, string, string];
const reader = createClient<paths>({ baseUrl: url });
const moderator = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
const site = { path: { site: "demo" } };
const thread = "/typescript";

function told<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

function holds(what: string, is: boolean): void {
  if (!is) throw new Error(what);
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error("not in time");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

type Record = components["schemas"]["CommentRecord"];
type Approved = webhooks["comment.approved"]["post"]["requestBody"]["content"]["application/json"];

// The types of an event: a receiver's program is written against them.
export function receive(event: Approved): string {
  return `${event.type} ${event.data.comment.id} ${event.data.thread.key}`;
}

const policy = told(
  await moderator.PATCH("/v1/sites/{site}/policy", { params: site, body: { moderation: "before" } }),
);
holds("the policy is whole", policy.moderation === "before" && policy.links.max_links >= 0);
const wrong = await moderator.PATCH("/v1/sites/{site}/policy", { params: site, body: { links: { max_links: -1 } } });
holds("a wrong patch is explained", wrong.error?.errors?.[0]?.field === "links.max_links");

const webhook = told(
  await moderator.POST("/v1/sites/{site}/webhooks", { params: site, body: { url: hook, events: ["comment.approved"] } }),
);
holds("the secret is shown", webhook.secret.startsWith("whsec_"));

const form = told(await reader.GET("/v1/sites/{site}/form", { params: site }));
const accepted = told(
  await reader.POST("/v1/sites/{site}/comments", {
    params: site,
    body: { thread, name: "Ann", email: "ann@example.org", body: "The ferry was late.", token: form.token },
  }),
);
const receipt = accepted.receipt.split("/").at(-1) ?? "";
const status = await until(async () => {
  const found = told(await reader.GET("/v1/receipts/{receipt}", { params: { path: { receipt } } }));
  return found.status === "pending" ? undefined : found.status;
});
holds("it is held", status === "flagged");

const queue = told(await moderator.GET("/v1/sites/{site}/queue", { params: { ...site, query: { limit: 100 } } }));
const items: Record[] = "items" in queue ? queue.items : [];
holds("it is in the queue", items.some((item) => item.id === accepted.id));
const comment = { path: { site: "demo", id: accepted.id } };
const record = told(await moderator.GET("/v1/sites/{site}/comments/{id}", { params: comment }));
holds("the evidence is there", record.evidence.some((found) => found.check === "spam"));
const decided = told(
  await moderator.POST("/v1/sites/{site}/comments/{id}/decisions", {
    params: comment,
    body: { verdict: "approve", note: "", version: record.version },
  }),
);
holds("it is approved", decided.status === "approved");
const late = await moderator.POST("/v1/sites/{site}/comments/{id}/decisions", {
  params: comment,
  body: { verdict: "reject", note: "", version: record.version },
});
holds("a late decision is refused", late.response.status === 409 && late.error !== undefined);

await until(async () => {
  const page = told(await reader.GET("/v1/sites/{site}/comments", { params: { ...site, query: { thread } } }));
  return page.comments.find((each) => each.id === accepted.id);
});
told(
  await moderator.POST("/v1/sites/{site}/webhooks/{id}/test", { params: { path: { site: "demo", id: webhook.id } } }),
);
await until(async () => {
  const log = told(
    await moderator.GET("/v1/sites/{site}/webhooks/{id}/deliveries", {
      params: { path: { site: "demo", id: webhook.id } },
    }),
  );
  const done = log.deliveries.filter((each) => each.state === "delivered").map((each) => each.type);
  return done.includes("comment.approved") && done.includes("webhook.test") ? true : undefined;
});
const events = told(await moderator.GET("/v1/sites/{site}/events", { params: site }));
holds("the event is in the log", events.events.some((event) => event.data.comment.id === accepted.id));
const log = told(await moderator.GET("/v1/sites/{site}/log", { params: site }));
holds("the decision is in the log", log.log.some((line) => line.comment === accepted.id));
