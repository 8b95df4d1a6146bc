// Comfort that the page does without: search, all rows of a table, verdicts of the ledger, where one is, all folds open.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  var each = function (selector, act) { Array.prototype.forEach.call(document.querySelectorAll(selector), act); };
  var show = function (element) {
    for (var at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };

  each("button[data-all]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var table = document.getElementById(button.dataset.all);
      table.classList.add("all");
      button.parentElement.remove();
      table.parentElement.focus();
    });
  });

  var filter = document.querySelector(".filter");
  var only = function (verdict) {
    each(".filter button", function (button) { button.setAttribute("aria-pressed", String(button.dataset.show === verdict)); });
    each("details.claims", function (group) {
      var n = 0;
      Array.prototype.forEach.call(group.querySelectorAll("tbody tr"), function (row) {
        var off = verdict !== "" && row.dataset.verdict !== verdict;
        row.classList.toggle("off", off);
        if (!off) n += 1;
      });
      group.querySelector("table").classList.toggle("all", verdict !== "");
      if (verdict !== "" && n > 0 && group.querySelector("#table-claims-cells") === null) group.open = true;
    });
  };
  if (filter) {
    filter.hidden = false;
    each(".filter button", function (button) { button.addEventListener("click", function () { only(button.dataset.show); }); });
    each(".ledger-bar a[data-verdict]", function (link) { link.addEventListener("click", function () { only(link.dataset.verdict); }); });
  }

  // What an address names is shown, however it is folded.
  var go = function () {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    show(target);
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", go);
  go();

  var unfold = document.getElementById("unfold");
  if (unfold) {
    unfold.hidden = false;
    unfold.addEventListener("click", function () {
      var open = unfold.textContent === "Open all";
      each("main details", function (fold) { fold.open = open; });
      unfold.textContent = open ? "Fold all" : "Open all";
      unfold.title = open ? "The page now prints with its appendix" : "";
    });
    unfold.title = "Opens every fold; the page then prints with its appendix";
  }

  var copy = document.getElementById("copy");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", function () {
      navigator.clipboard.writeText(document.getElementById("bibtex").textContent).then(function () { copy.textContent = "Copied"; });
    });
  }

  // Where one is, in the contents.
  var links = {};
  each(".contents a", function (link) { links[link.hash.slice(1)] = link; });
  if (window.IntersectionObserver) {
    var watch = new IntersectionObserver(function (seen) {
      seen.forEach(function (entry) {
        var link = links[entry.target.id];
        if (!link || !entry.isIntersecting) return;
        each(".contents a[aria-current]", function (other) { other.removeAttribute("aria-current"); });
        link.setAttribute("aria-current", "true");
      });
    }, { rootMargin: "-10% 0px -70% 0px" });
    each("main section", function (section) { watch.observe(section); });
  }

  var form = document.querySelector(".find");
  var field = document.getElementById("find");
  var found = document.getElementById("found");
  var index = null;
  var look = function () {
    var words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    found.textContent = "";
    found.hidden = words.length === 0;
    if (words.length === 0) return;
    if (index === null) index = JSON.parse(document.getElementById("index").textContent);
    var all = index[1].filter(function (line) {
      var text = (line[1] + " " + line[2] + " " + index[0][line[0]][1]).toLowerCase();
      return words.every(function (word) { return text.indexOf(word) >= 0; });
    });
    var head = document.createElement("p");
    head.setAttribute("role", "status");
    head.textContent = all.length === 0 ? "No finding has all of these words." : all.length + (all.length === 1 ? " finding" : " findings") + (all.length > 40 ? ", the first 40" : "");
    var list = document.createElement("ol");
    all.slice(0, 40).forEach(function (line) {
      var item = document.createElement("li");
      var link = document.createElement("a");
      link.href = "#" + index[0][line[0]][0];
      link.textContent = line[2];
      link.addEventListener("click", function () { found.hidden = true; });
      var value = document.createElement("strong");
      value.textContent = " " + line[3] + " ";
      var small = document.createElement("small");
      small.textContent = index[0][line[0]][1] + " · n = " + line[4] + " · " + line[1];
      item.append(link, value, small);
      list.append(item);
    });
    found.append(head, list);
  };
  if (form && field) {
    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    field.addEventListener("input", look);
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { found.hidden = true; each("details.jump, details.cite", function (box) { box.open = false; }); }
      if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); field.focus(); }
    });
    document.addEventListener("click", function (event) {
      if (!form.contains(event.target)) found.hidden = true;
      each("details.jump[open], details.cite[open]", function (box) { if (!box.contains(event.target) || event.target.closest("a")) box.open = false; });
    });
  }
})();
