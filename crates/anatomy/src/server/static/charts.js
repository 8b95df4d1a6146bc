// Charts by Plotly: the study's figures, points of the explorer, columns of a probe's table. Colours follow the theme.
"use strict";
(function () {
  // Okabe and Ito (2008): told apart with any colour vision.
  var COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442"];
  // On the light background those of them that would be fainter than 3 to 1 are darker.
  var DARKER = { "#E69F00": "#B97C00", "#56B4E9": "#3392D0", "#CC79A7": "#C36A9B", "#999999": "#8A8A8A", "#F0E442": "#948B00" };
  var drawn = [];

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  function shade(name) {
    var isLight = getComputedStyle(document.documentElement).colorScheme !== "dark";
    return isLight && DARKER[name] || name;
  }

  function shaded(data) {
    return data.map(function (trace) {
      var own = Object.assign({}, trace);
      // Plotly's own dark grey would be lost on the dark background.
      ["error_x", "error_y"].forEach(function (part) {
        if (own[part]) own[part] = Object.assign({ color: colour("--text") }, own[part]);
      });
      ["marker", "line"].forEach(function (part) {
        if (own[part] && typeof own[part].color === "string") own[part] = Object.assign({}, own[part], { color: shade(own[part].color) });
      });
      return own;
    });
  }

  function themed(layout) {
    var text = colour("--text"), line = colour("--line"), card = colour("--card");
    var look = { paper_bgcolor: card, plot_bgcolor: card, font: { color: text, family: "system-ui, sans-serif", size: 12 },
      colorway: COLOURS.map(shade), uirevision: "kept" };
    Object.keys(layout).forEach(function (key) {
      if (/^[xy]axis\d*$/.test(key)) {
        layout[key] = Object.assign({}, layout[key], { gridcolor: line, linecolor: line, zerolinecolor: line });
      }
    });
    return Object.assign({}, layout, look);
  }

  function config(name) {
    return { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"],
      toImageButtonOptions: { format: "svg", filename: name } };
  }

  // Lines of at most so many characters, divided between words.
  function wrapped(text, most) {
    var lines = [""];
    text.split(" ").forEach(function (word) {
      var last = lines.length - 1;
      if (lines[last] !== "" && lines[last].length + 1 + word.length > most) lines.push(word);
      else lines[last] += (lines[last] === "" ? "" : " ") + word;
    });
    return lines;
  }

  // On a narrow screen panels stand below each other, and titles that are longer than their side take several lines.
  function fit(data, layout, wide) {
    if (layout.grid && wide < 640 && layout.grid.columns > 1) {
      var n = layout.grid.rows * layout.grid.columns;
      layout.grid = Object.assign({}, layout.grid, { rows: n, columns: 1 });
      layout.height = 80 + 240 * n;
    }
    // A character of 14 pixels' type is about 7 wide; margins and gaps take the rest.
    var rows = layout.grid ? layout.grid.rows : 1, columns = layout.grid ? layout.grid.columns : 1;
    var most = { x: Math.max(12, (wide / columns - 90) / 7), y: Math.max(12, ((layout.height || 450) / rows - 110) / 7) };
    Object.keys(layout).forEach(function (key) {
      var axis = /^([xy])axis\d*$/.exec(key), title = axis && layout[key].title;
      if (!title || !title.text) return;
      var lines = wrapped(title.text, most[axis[1]]);
      layout[key] = Object.assign({}, layout[key], { title: Object.assign({}, title, { text: lines.join("<br>") }) });
    });
    // Names that stand upright below need room, and a legend below would lie on them.
    var longest = Math.max.apply(null, [0].concat(data.map(function (trace) {
      return Math.max.apply(null, [0].concat((trace.x || []).slice(0, 60).map(function (x) { return typeof x === "string" && !/^\d/.test(x) ? x.length : 0; })));
    })));
    if (longest > 8 && !layout.grid) {
      layout.height = (layout.height || 450) + (wide < 640 ? 6 * longest : 30);
      // Below the names however long they are: without a distance Plotly puts the title at a fixed place.
      layout.xaxis = Object.assign({}, layout.xaxis, { title: Object.assign({ standoff: 8 }, layout.xaxis && layout.xaxis.title) },
        wide < 640 ? { tickangle: 90, dtick: 1, tickfont: { size: 10 } } : {});
      if (layout.legend) layout.legend = Object.assign({}, layout.legend, { x: 0, y: 1, yanchor: "bottom" });
      layout.margin = Object.assign({}, layout.margin, { t: layout.margin.t + 24 });
    }
    if (layout.title && wide < 640) {
      // The title stands below Plotly's buttons, from the edge on.
      var lines = wrapped(layout.title.text, (wide - 24) / 6.4);
      layout.title = Object.assign({}, layout.title, { text: lines.join("<br>"), font: { size: 12 }, xref: "container", x: 0, xanchor: "left",
        yref: "container", y: 1, yanchor: "top", pad: { t: 38, l: 10 } });
      layout.margin = Object.assign({}, layout.margin, { t: layout.margin.t + 16 + 16 * lines.length });
      layout.height = (layout.height || 450) + 16 * lines.length;
    }
    return layout;
  }

  function draw(figure, spec, name) {
    var place = figure.querySelector(".drawing");
    place.textContent = "";
    place.removeAttribute("role");
    var label = place.getAttribute("aria-label");
    place.setAttribute("role", "group");
    if (label) place.setAttribute("aria-label", label);
    var layout = fit(spec.data, Object.assign({ margin: { t: 50, r: 20 } }, spec.layout), place.clientWidth);
    // The box holds the height: when the window changes, Plotly takes its size from there.
    place.style.height = (layout.height || 450) + 2 + "px";
    delete layout.height;
    return Plotly.newPlot(place, shaded(spec.data), themed(layout), config(name)).then(function () {
      drawn.push({ place: place, data: spec.data, layout: layout, name: name });
      figure.dataset.drawn = "true";
      return place;
    });
  }

  function say(figure, words) {
    var note = document.createElement("p");
    note.className = "notice";
    note.setAttribute("role", "status");
    note.textContent = words;
    figure.querySelector(".drawing").replaceChildren(note);
  }

  function failed(figure, error) {
    figure.dataset.drawn = "failed";
    say(figure, "This chart could not be drawn (" + error.message + "); the table holds the same.");
  }

  // 202 says that the answer is still being made, how far that is, and when to ask again.
  function get(figure, address) {
    return fetch(address).then(function (answer) {
      return answer.json().then(function (body) {
        if (answer.status === 202 || answer.status === 503) {
          var seconds = Math.min(15, Number(answer.headers.get("retry-after")) || 5);
          say(figure, body.detail);
          return new Promise(function (done) { setTimeout(done, seconds * 1000); }).then(function () { return get(figure, address); });
        }
        if (answer.status !== 200) throw new Error(body.detail || "status " + answer.status);
        return body;
      });
    });
  }

  function axis(about) {
    return { title: { text: about.name + (about.unit && about.unit !== about.name ? " (" + about.unit + ")" : "") }, automargin: true };
  }

  // One trace a family, the largest seven by name and the others together.
  function cloud(points) {
    var counts = new Map();
    points.families.forEach(function (family) { counts.set(family, (counts.get(family) || 0) + 1); });
    var names = Array.from(counts.keys()).filter(function (name) { return name !== null; })
      .sort(function (a, b) { return counts.get(b) - counts.get(a) || (a < b ? -1 : 1); }).slice(0, 6);
    var traces = new Map();
    // Grey lies beneath.
    ["other or unknown"].concat(names).forEach(function (name, at) {
      traces.set(name, { type: "scatter", mode: "markers", name: name, x: [], y: [], text: [],
        marker: { size: 6, opacity: 0.55, color: at === 0 ? "#999999" : COLOURS[at - 1] }, hovertemplate: "%{text}<br>%{x}, %{y}<extra></extra>" });
    });
    points.families.forEach(function (family, at) {
      var trace = traces.get(family) || traces.get("other or unknown");
      trace.x.push(points.xs[at]);
      trace.y.push(points.ys[at]);
      trace.text.push(points.ids[at]);
    });
    var data = Array.from(traces.values()).filter(function (trace) { return trace.x.length > 0; });
    data.forEach(function (trace) { trace.name += " (" + trace.x.length + ")"; });
    var x = axis(points.x);
    if (points.x.name === "size") x.type = "log";
    return { data: data, layout: { title: { text: points.y.name + " by " + points.x.name + " (n = " + points.n + ")", font: { size: 15 } },
      xaxis: x, yaxis: axis(points.y), height: 560, hovermode: "closest", legend: { orientation: "h", y: -0.2 }, showlegend: true } };
  }

  function grid(figure) {
    var table = document.getElementById(figure.dataset.grid);
    var heads = Array.from(table.tHead.rows[0].cells, function (cell) { return cell.textContent; });
    var rows = Array.from(table.tBodies[0].rows);
    var number = function (cell) {
      return cell && cell.classList.contains("number") ? Number(cell.textContent.replace("−", "-").replace(/[^0-9eE.+-]/g, "")) : NaN;
    };
    var columns = heads.map(function (head, at) { return rows.map(function (row) { return number(row.cells[at]); }); });
    var data = [];
    columns.forEach(function (column, at) {
      if (at > 0 && column.some(Number.isFinite)) {
        data.push({ type: "scatter", mode: "lines+markers", name: heads[at], x: columns[0].some(Number.isFinite) ? columns[0] : undefined,
          y: column, visible: data.length === 0 ? true : "legendonly" });
      }
    });
    if (data.length === 0 || rows.length < 2) { figure.hidden = true; return Promise.resolve(); }
    return draw(figure, { data: data, layout: { xaxis: { title: { text: heads[0] === "#" ? "place (from 0)" : heads[0] } },
      yaxis: { title: { text: "value, unit of its column" } }, height: 380, showlegend: true, legend: { orientation: "h", y: -0.25 } } }, figure.dataset.grid);
  }

  function start(figure) {
    if (figure.dataset.drawn) return;
    figure.dataset.drawn = "drawing";
    var work;
    if (figure.dataset.figure) {
      work = get(figure, figure.dataset.figure).then(function (spec) { return draw(figure, spec, spec.id); });
    } else if (figure.dataset.points) {
      work = get(figure, figure.dataset.points).then(function (points) { return draw(figure, cloud(points), "checkpoints"); }).then(function (place) {
        place.on("plotly_click", function (event) {
          var id = event.points[0].text;
          if (id) location.href = "/checkpoints/" + id.split("/").map(encodeURIComponent).join("/");
        });
      });
    } else {
      work = grid(figure);
    }
    work.catch(function (error) { failed(figure, error); });
  }

  document.addEventListener("themechange", function () {
    drawn.forEach(function (chart) { Plotly.react(chart.place, shaded(chart.data), themed(chart.layout), config(chart.name)); });
  });
  var charts = document.querySelectorAll("figure.chart");
  if (!("IntersectionObserver" in window)) {
    charts.forEach(start);
    return;
  }
  var watch = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) start(entry.target); });
  }, { rootMargin: "300px" });
  charts.forEach(function (figure) { watch.observe(figure); });
})();
