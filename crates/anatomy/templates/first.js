// The matrix by pointer and by keyboard: one stop, arrow keys inside, the evidence below. Cards are folded where there is no room.
"use strict";
(function () {
  var table = document.getElementById("matrix");
  var line = document.getElementById("evidence");
  if (table && line) {
    var rows = Array.from(table.tBodies).flatMap(function (body) { return Array.from(body.rows); })
      .map(function (row) { return Array.from(row.querySelectorAll("td[data-cell]")); })
      .filter(function (row) { return row.length > 0; });
    var usual = line.textContent;
    var say = function (cell) { line.textContent = cell.querySelector(".says").textContent; };
    var take = function (cell) {
      rows.forEach(function (row) { row.forEach(function (other) { other.tabIndex = -1; }); });
      cell.tabIndex = 0;
    };
    if (rows.length && rows[0].length) take(rows[0][0]);
    rows.forEach(function (row, y) {
      row.forEach(function (cell, x) {
        cell.addEventListener("pointerenter", function () { say(cell); });
        cell.addEventListener("click", function () { take(cell); cell.focus(); });
        cell.addEventListener("focus", function () { say(cell); });
        cell.addEventListener("keydown", function (event) {
          var step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -x], End: [0, row.length - 1 - x] }[event.key];
          var next = step && rows[y + step[0]] && rows[y + step[0]][x + step[1]];
          if (!next) return;
          event.preventDefault();
          take(next);
          next.focus();
        });
      });
    });
    table.addEventListener("pointerleave", function () {
      var here = document.activeElement;
      if (here && here.matches && here.matches("td[data-cell]")) say(here); else line.textContent = usual;
    });
  }
  var narrow = window.matchMedia("(max-width: 48rem)").matches;
  document.querySelectorAll("table.matrix").forEach(function (matrix) { matrix.classList.add("ready"); });
  document.querySelectorAll("details.card").forEach(function (card) {
    if (narrow) card.open = false;
    card.classList.add("ready");
  });
})();
