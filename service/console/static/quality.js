// The button that copies the sentence for the newsroom.

const button = document.getElementById("copy");
const told = document.getElementById("copied");
const sentence = document.getElementById(button.dataset.copies);

button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(sentence.textContent);
    told.textContent = "Copied.";
  } catch { // without https, or without permission
    getSelection().selectAllChildren(sentence);
    told.textContent = "Select Copy in your browser's menu.";
  }
});
