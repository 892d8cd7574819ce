// A page with an element [data-stream] listens there and renews the part that [data-refreshes] names when its version is
// another one. portal.js shows whether it is live: it hears portal:live and portal:lost.
(function () {
  "use strict";
  const place = document.querySelector("[data-stream]");
  if (!place || !window.EventSource || !window.htmx) return;
  const SILENCE = 40000, FIRST = 5000, LONGEST = 60000;
  let source = null, latest = "", pause = FIRST, silence = 0, again = 0, isOpen = false;

  const part = () => document.querySelector(place.dataset.refreshes);
  const shown = () => { const found = part(); return found && found.dataset.version; };

  function tell(isLive) {
    isOpen = isLive;
    document.dispatchEvent(new Event(isLive ? "portal:live" : "portal:lost"));
  }
  function hear() {
    clearTimeout(silence);
    silence = setTimeout(restart, SILENCE);
    pause = FIRST;
    if (!isOpen) tell(true);
  }
  function renew() {
    // What has ended has no version any more, and nothing to wait for.
    if (!shown()) { close(); return; }
    if (latest !== shown()) window.htmx.trigger(part(), "portal:changed");
  }
  function close() {
    clearTimeout(silence);
    if (source) source.close();
    source = null;
  }
  function restart() {
    close();
    tell(false);
    clearTimeout(again);
    again = setTimeout(open, pause);
    pause = Math.min(pause * 2, LONGEST);
  }
  function open() {
    source = new EventSource(place.dataset.stream, { withCredentials: true });
    source.addEventListener("version", function (event) { hear(); latest = event.data; renew(); });
    source.addEventListener("beat", hear);
    source.addEventListener("end", function () { close(); tell(false); });
    // A broken connection is taken up by the browser itself; one that was refused is not.
    source.addEventListener("error", function () {
      if (source && source.readyState === EventSource.CLOSED) restart(); else tell(false);
    });
  }

  document.addEventListener("htmx:afterSettle", function () {
    if (isOpen) tell(true);
    // What changed while the page was on its way is seen by the next version, or by this look back.
    setTimeout(function () { if (source && latest) renew(); }, 1500);
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", function (event) { if (event.persisted) open(); });
  open();
})();
