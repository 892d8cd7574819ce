// Sets the colour mode before the first paint: the reader's choice on this device, else the device's own.
(function () {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try { return localStorage.getItem("theme"); } catch (refused) { return null; }
  }
  function apply() {
    root.dataset.bsTheme = chosen() || (dark.matches ? "dark" : "light");
  }
  function toggle() {
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch (refused) { /* the choice lasts for this page */ }
    root.dataset.bsTheme = next;
  }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-theme-toggle]")) toggle();
  });
})();
