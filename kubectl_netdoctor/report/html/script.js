"use strict";
// Copy buttons, folded parts that a link points into, and everything open on paper.
const said = document.getElementById("said");

function copyByHand(block) {
  const range = document.createRange();
  range.selectNodeContents(block);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  const done = document.execCommand("copy");
  selection.removeAllRanges();
  return done;
}

async function copy(button) {
  const block = button.parentElement.querySelector("code");
  let done = false;
  try {
    await navigator.clipboard.writeText(block.textContent);
    done = true;
  } catch {
    done = copyByHand(block);
  }
  button.firstChild.data = done ? "Copied" : "Select and copy";
  said.textContent = done ? "Copied" : "The browser did not copy";
  setTimeout(() => {
    button.firstChild.data = "Copy";
    said.textContent = "";
  }, 2000);
}

for (const button of document.querySelectorAll(".commands button")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  for (let part = target; part; part = part.parentElement) {
    if (part.tagName === "DETAILS") part.open = true;
  }
  if (!target || target.tagName !== "DETAILS") return;
  target.scrollIntoView({ block: "center" });
  target.querySelector("summary").focus({ preventScroll: true });
}
addEventListener("hashchange", openTarget);
openTarget();

let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")].slice(0, 200);
  for (const part of opened) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of opened) part.open = false;
  opened = [];
});
