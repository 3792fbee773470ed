// Receive Greenroom's webhooks: verify each one, answer quickly, keep a mirror of the approved comments. Node 18+, no packages.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRET = process.env.WEBHOOK_SECRET; // whsec_…, shown once, when you created the webhook
const mirror = new Map(); // approved comments by id
const heard = new Map(); // the last sequence of each comment

/** Verify by Standard Webhooks 1.0.0: HMAC-SHA256 over id.timestamp.body. During a rotation there are several signatures. */
function isGenuine(headers, content) {
  const stamp = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const key = Buffer.from(SECRET.replace(/^whsec_/, ""), "base64");
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${stamp}.`), content]);
  const expected = Buffer.from("v1," + createHmac("sha256", key).update(signed).digest("base64"));
  return (headers["webhook-signature"] ?? "").split(" ").some((given) => {
    const signature = Buffer.from(given);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
}

/** Apply an event. It may arrive twice, and an older one after a newer: the comment's sequence tells. */
function hear(event) {
  if (event.type === "webhook.test") return;
  const { comment, sequence } = event.data;
  if (sequence <= (heard.get(comment.id) ?? 0)) return;
  heard.set(comment.id, sequence);
  if (comment.status === "approved") mirror.set(comment.id, comment);
  else mirror.delete(comment.id);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const content = Buffer.concat(parts);
    const genuine = isGenuine(request.headers, content);
    if (genuine) hear(JSON.parse(content.toString()));
    response.writeHead(genuine ? 204 : 400).end();
  });
});

server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  console.log(`listening on port ${server.address().port}`);
});
