// <script src="…/chat/embed.js" data-key="…" async></script> on a client's website: a button that opens the chat in a frame.
// It reads nothing of the page and sets no cookie; the frame comes from the portal and knows nothing of the page either.
(function () {
  "use strict";
  const script = document.currentScript;
  if (!script || !script.dataset.key) return;
  const frameUrl = new URL("/chat/" + encodeURIComponent(script.dataset.key), script.src).href;
  const label = script.dataset.label || (/^id/.test(document.documentElement.lang) ? "Obrolan" : "Chat");
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    "button{position:fixed;right:1rem;bottom:1rem;z-index:2147483000;font:600 1rem/1.2 system-ui,sans-serif;padding:.8rem 1.2rem;" +
    "border:0;border-radius:2rem;background:#0b6460;color:#fff;cursor:pointer;box-shadow:0 2px 10px rgba(0,0,0,.25)}" +
    "button:focus-visible{outline:3px solid #fff;outline-offset:-6px}" +
    "iframe{position:fixed;right:1rem;bottom:4.5rem;z-index:2147483000;width:min(24rem,calc(100vw - 2rem));" +
    "height:min(36rem,calc(100vh - 6rem));border:1px solid #c9c5bd;border-radius:.75rem;background:#fff}" +
    "[hidden]{display:none}"
  );
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.setAttribute("aria-expanded", "false");
  let frame = null;

  function toggle() {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.src = frameUrl;
      frame.title = label;
      frame.referrerPolicy = "no-referrer";
      frame.hidden = true;
      root.prepend(frame);
    }
    frame.hidden = !frame.hidden;
    button.setAttribute("aria-expanded", String(!frame.hidden));
  }
  button.addEventListener("click", toggle);
  root.append(button);
  document.body ? document.body.append(host) : addEventListener("DOMContentLoaded", function () { document.body.append(host); });
})();
