// Comfort that pages do without: theme button, Ctrl+Enter in the console, asking again while the study is computed.
"use strict";
(function () {
  var root = document.documentElement;
  var button = document.getElementById("theme");
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function isDark() { return root.dataset.theme ? root.dataset.theme === "dark" : dark.matches; }
  function label() {
    var other = isDark() ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", "Use the " + other + " theme");
  }
  function told() { label(); document.dispatchEvent(new CustomEvent("themechange")); }
  if (button) {
    button.hidden = false;
    label();
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch (e) { /* not remembered */ }
      told();
    });
    dark.addEventListener("change", told);
  }

  var sql = document.getElementById("sql");
  if (sql) {
    sql.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        sql.form.requestSubmit();
      }
    });
  }

  // Fields left empty stay out of the address.
  document.querySelectorAll("form[method=get]").forEach(function (form) {
    form.addEventListener("submit", function () {
      // So do the usual columns.
      form.querySelectorAll("[data-usual]").forEach(function (choices) {
        var boxes = Array.from(choices.querySelectorAll("input"));
        var chosen = boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; });
        if (chosen.join(",") === choices.dataset.usual) boxes.forEach(function (box) { box.disabled = true; });
      });
      form.querySelectorAll("input, select").forEach(function (field) {
        if (field.name && field.value === "") field.disabled = true;
      });
    });
    window.addEventListener("pageshow", function () {
      form.querySelectorAll("input, select").forEach(function (field) { field.disabled = false; });
    });
  });

  // An answer that is still being computed: asked for until it is there.
  var awaits = document.querySelector("[data-awaits]");
  if (awaits) {
    var progress = awaits.querySelector(".progress");
    var look = setInterval(function () {
      fetch("/api/v1/health").then(function (answer) { return answer.json(); })
        .then(function (health) { if (progress) progress.textContent = health.fits_detail; }).catch(function () { /* asked again in a moment */ });
    }, 2000);
    var ask = function () {
      fetch(awaits.dataset.awaits).then(function (answer) {
        if (answer.status === 202 || answer.status === 503) { setTimeout(ask, 2000); return; }
        clearInterval(look);
        location.reload();
      }).catch(function () { setTimeout(ask, 5000); });
    };
    ask();
  }

  var waits = document.querySelector('[data-status="computing"]');
  if (waits) {
    var timer = setInterval(function () {
      fetch("/api/v1/health").then(function (answer) { return answer.json(); }).then(function (health) {
        if (health.study === "computing") {
          waits.textContent = waits.textContent.replace(/\(step [^)]*\)/, "(" + health.study_detail + ")");
        } else {
          clearInterval(timer);
          location.reload();
        }
      }).catch(function () { /* asked again in a moment */ });
    }, 2000);
  }
})();
