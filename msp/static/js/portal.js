// Makes pages nicer that already work without it: keys, sending once, counts, copying, what is lost and what is live.
// Words come from the page (data attributes), because the page knows the reader's language.
(function () {
  "use strict";
  const find = (selector, place) => (place || document).querySelector(selector);
  const all = (selector, place) => Array.from((place || document).querySelectorAll(selector));
  const help = find("#help");
  const words = help ? help.dataset : {};

  // -- keys ------------------------------------------------------------------------------------------

  const KEYS_OFF = "keys-off";
  let before = "";

  function keysAreOn() {
    try { return localStorage.getItem(KEYS_OFF) === null; } catch (refused) { return true; }
  }
  function isTyping(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("dialog[open]");
  }
  function focusSearch() {
    const field = find("[data-search-first]") || find("[data-search]");
    if (field) { field.focus(); field.select(); }
    return Boolean(field);
  }
  function rowLink(row) {
    return find(".cell-main a, a", row);
  }
  function moveRow(step) {
    const rows = all("[data-rows] tbody tr").filter(rowLink);
    if (!rows.length) return false;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[Math.min(Math.max(here < 0 ? (step > 0 ? 0 : rows.length - 1) : here + step, 0), rows.length - 1)];
    rows.forEach((row) => row.classList.toggle("is-current", row === next));
    rowLink(next).focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }
  function tickRow() {
    const row = all("[data-rows] tbody tr").find((each) => each.contains(document.activeElement));
    const box = row && find("input[type=checkbox]", row);
    if (box) box.checked = !box.checked;
    return Boolean(box);
  }
  function follow(keys) {
    const link = all("[data-key]").find((each) => each.dataset.key === keys);
    if (link) link.click();
    return Boolean(link);
  }
  function openHelp() {
    if (help && !help.open) help.showModal();
    return Boolean(help);
  }
  const ACTIONS = { "/": focusSearch, "?": openHelp, j: () => moveRow(1), k: () => moveRow(-1), x: tickRow };

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !keysAreOn()) return;
    const chord = before + " " + event.key;
    const action = before ? () => follow(chord) : ACTIONS[event.key];
    const starts = !before && all("[data-key]").some((each) => each.dataset.key.startsWith(event.key + " "));
    before = starts ? event.key : "";
    if (starts) setTimeout(() => { before = ""; }, 1200);
    if (action && action()) event.preventDefault();
  });

  const keysSwitch = find("[data-keys-on]");
  if (keysSwitch) {
    keysSwitch.checked = keysAreOn();
    keysSwitch.addEventListener("change", function () {
      try {
        if (keysSwitch.checked) localStorage.removeItem(KEYS_OFF); else localStorage.setItem(KEYS_OFF, "1");
      } catch (refused) { /* the keys stay as they are */ }
    });
  }

  // -- menus: closed by Escape, and by a click elsewhere ---------------------------------------------

  document.addEventListener("click", function (event) {
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (event.target.closest("[data-help]")) openHelp();
    const copy = event.target.closest("[data-copy]");
    if (copy) copyFrom(copy);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    all("details.menu[open]").forEach((menu) => { menu.open = false; find("summary", menu).focus(); });
  });

  // -- a form is sent once ---------------------------------------------------------------------------

  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    delete form.dataset.changed;
    if (form.method !== "post" || "many" in form.dataset || form.matches("[hx-post], [data-hx-post]")) return;
    form.dataset.sent = "1";
    // After the form's values were taken, so that the pressed button's own value is sent as well.
    setTimeout(() => all("button[type=submit], button:not([type])", form).forEach((button) => { button.disabled = true; }), 0);
  });
  window.addEventListener("pageshow", function () {
    all("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      all("button", form).forEach((button) => { button.disabled = false; });
    });
  });

  // -- what was typed and not sent -------------------------------------------------------------------

  document.addEventListener("input", function (event) {
    const form = event.target.closest && event.target.closest("form[data-guard]");
    if (form) form.dataset.changed = "1";
    if (event.target.matches("textarea[data-count][maxlength]")) count(event.target);
  });
  window.addEventListener("beforeunload", function (event) {
    if (find("form[data-guard][data-changed]:not([data-sent])")) { event.preventDefault(); event.returnValue = words.changes || ""; }
  });

  function count(area) {
    const left = area.maxLength - area.value.length;
    let line = area.nextElementSibling;
    if (!line || !line.classList.contains("field-count")) {
      line = document.createElement("p");
      line.className = "field-count";
      area.after(line);
    }
    line.hidden = left > area.maxLength / 5;
    line.textContent = (words.left || "{count}").replace("{count}", left);
  }

  // -- files, copying --------------------------------------------------------------------------------

  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-files]")) return;
    const place = event.target.closest(".file-drop");
    const old = find(".file-list", place);
    if (old) old.remove();
    const list = document.createElement("ul");
    list.className = "file-list";
    Array.from(event.target.files).forEach(function (file) {
      const item = document.createElement("li");
      item.textContent = file.name + " · " + Math.max(1, Math.round(file.size / 1000)) + " kB";
      list.append(item);
    });
    if (event.target.files.length > 1) event.target.after(list);
  });
  ["dragover", "dragleave", "drop"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      const place = event.target.closest && event.target.closest(".file-drop");
      if (!place) return;
      place.classList.toggle("is-over", name === "dragover");
      const field = find("input[type=file]", place);
      if (name === "dragover") event.preventDefault();
      if (name === "drop" && event.dataTransfer.files.length) {
        event.preventDefault();
        field.files = event.dataTransfer.files;
        field.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  });

  function copyFrom(button) {
    const text = find("code", button.parentElement).textContent;
    const word = find("span", button);
    const usual = word.textContent;
    navigator.clipboard.writeText(text).then(function () {
      word.textContent = button.dataset.copied;
      say(button.dataset.copied);
      setTimeout(() => { word.textContent = usual; }, 2000);
    }, function () {
      getSelection().selectAllChildren(find("code", button.parentElement));
    });
  }

  // -- live pages ------------------------------------------------------------------------------------

  const region = find("#live-region");
  let isLost = false;

  function say(text) {
    if (region && text) region.textContent = text;
  }
  function live(isLive) {
    all("[data-live]").forEach(function (badge) {
      find(".live-on", badge).hidden = !isLive;
      find(".live-off", badge).hidden = isLive;
    });
    if (isLost === isLive) say(isLive ? region.dataset.back : region.dataset.lost);
    isLost = !isLive;
  }
  ["htmx:sendError", "htmx:responseError", "htmx:timeout", "portal:lost"].forEach((name) => document.addEventListener(name, () => live(false)));
  ["htmx:afterOnLoad", "portal:live"].forEach((name) => document.addEventListener(name, () => live(true)));
  // What a renewal wants to be read aloud: an element with data-say in the answer.
  document.addEventListener("htmx:afterSwap", function (event) {
    const told = find("[data-say]", event.target);
    if (told) say(told.dataset.say);
  });

  // On a phone the places are one row that scrolls: show the one that is open.
  const open = find(".client-nav-row [aria-current]");
  if (open) open.parentElement.parentElement.scrollLeft = open.offsetLeft - 24;

  const errors = find("#form-errors");
  if (errors) errors.focus();
})();
