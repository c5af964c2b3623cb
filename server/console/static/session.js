/* Warns two minutes before the session ends and keeps it on one key. Pages work without this file. */
(function () {
  "use strict";
  var box = document.getElementById("expiring");
  if (!box) { return; }
  var before = null;
  var timer = 0;
  function wait() {
    window.clearTimeout(timer);
    timer = window.setTimeout(function () {
      before = document.activeElement;
      box.hidden = false;
      document.getElementById("expiring-stay").focus();
    }, Number(box.dataset.after) * 1000);
  }
  function stay() {
    window.fetch("/session/alive", { credentials: "same-origin", redirect: "error" }).then(function (answer) {
      if (!answer.ok) { throw new Error("session is over"); }
      box.hidden = true;
      if (before && before.focus) { before.focus(); }
      wait();
    }).catch(function () { window.location.reload(); });
  }
  document.getElementById("expiring-stay").addEventListener("click", stay);
  box.addEventListener("keydown", function (event) { if (event.key === "Escape") { stay(); } });
  wait();
}());
