// Single keys of the review queue, an extra: every one of them presses a button or follows a link of the page.
// Ignored in fields, with Ctrl, Alt or Meta held, and where the reader switched them off (?keys=off is kept).
"use strict";
(() => {
  const store = window.localStorage;
  const wanted = new URLSearchParams(location.search).get("keys");
  if (wanted === "off" || wanted === "on") store.setItem("review-keys", wanted);
  if (store.getItem("review-keys") === "off") return;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    if (event.key.toLowerCase() === "r" && !document.getElementById("text").value.trim()) {
      document.getElementById("text").focus();
      return;
    }
    target.click();
  });
})();
