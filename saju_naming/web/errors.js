// Loaded first and on its own: shows every error that nothing else handled, also a file that could not be read.
"use strict";
(() => {
  const show = text => {
    const box = document.getElementById("problem");
    if (!box) return document.addEventListener("DOMContentLoaded", () => show(text));
    box.querySelector("pre").textContent = text;
    box.querySelector("button").onclick = () => { box.hidden = true; };
    box.hidden = false;
  };
  addEventListener("error", event => {
    const file = event.target !== window && (event.target.src || event.target.href);
    show(file ? `파일을 읽지 못했습니다 (could not load): ${file}` : `${event.message} (${(event.filename || "").split("/").pop()}:${event.lineno})`);
  }, true);
  addEventListener("unhandledrejection", event => show(String(event.reason?.stack || event.reason)));
})();
