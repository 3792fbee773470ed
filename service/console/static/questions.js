// Comments with a question that no one has answered. Before they are approved, their moderator is asked.

const dialog = document.getElementById("unanswered");

export const withQuestion = (rows) => rows.filter((row) => "hasQuestion" in row.dataset);

// Keeps in the row what the server says of its comment.
export function markQuestion(row, has) {
  row?.toggleAttribute("data-has-question", has);
}

// Asks, and calls `approve` with the rows that are meant; not at all if the moderator cancels.
export function askFirst(rows, approve) {
  const asked = withQuestion(rows);
  const others = rows.filter((row) => !asked.includes(row));
  const has = asked.length === 1 ? "has" : "have";
  dialog.querySelector("p").textContent = rows.length === 1
    ? `No one has answered the question about the comment by ${rows[0].dataset.name} yet.`
    : `${asked.length} of these ${rows.length} comments ${has} a question that no one has answered yet.`;
  dialog.querySelector("[value=others]").hidden = !others.length;
  dialog.returnValue = "none";
  dialog.addEventListener("close", () => {
    const meant = { all: rows, others }[dialog.returnValue];
    if (meant) approve(meant);
  }, { once: true });
  dialog.showModal();
}
