// Ids while typing, and a config.json that is dropped or chosen.
"use strict";
(function () {
  // Every field of ids suggests what the catalog has; without scripts they are plain fields.
  document.querySelectorAll("input[data-suggest]").forEach(function (field, place) {
    var list = document.createElement("datalist");
    list.id = "ids-" + place;
    field.after(list);
    field.setAttribute("list", list.id);
    var last = "", timer = null;
    field.addEventListener("input", function () {
      var text = field.value.trim();
      clearTimeout(timer);
      if (text.length < 2 || text === last) return;
      timer = setTimeout(function () {
        last = text;
        fetch("/api/v1/checkpoints?limit=10&q=" + encodeURIComponent(text)).then(function (answer) { return answer.json(); })
          .then(function (found) {
            if (field.value.trim() !== text) return;
            list.textContent = "";
            (found.checkpoints || []).forEach(function (row) {
              var option = document.createElement("option");
              option.value = row.id;
              list.append(option);
            });
          }).catch(function () { /* typed in full it works all the same */ });
      }, 150);
    });
  });

  var drop = document.getElementById("drop");
  if (!drop) return;
  var file = document.getElementById("config-file");
  var said = document.getElementById("drop-said");
  drop.querySelector("noscript, .no-script") && drop.querySelector(".no-script").remove();
  file.hidden = false;
  var read = function (chosen) {
    if (!chosen) return;
    if (chosen.size > 262144) { said.textContent = chosen.name + " is larger than any config.json."; return; }
    chosen.text().then(function (text) {
      var config;
      try { config = JSON.parse(text); } catch (e) { said.textContent = chosen.name + " is not JSON: " + e.message; return; }
      // What says nothing of the structure would only make the address long.
      ["transformers_version", "torch_dtype", "auto_map", "quantization_config", "id2label", "label2id"].forEach(function (key) { if (key !== "quantization_config") delete config[key]; });
      said.textContent = "Reading " + chosen.name + "…";
      location.href = "/predict?config=" + encodeURIComponent(JSON.stringify(config));
    });
  };
  file.addEventListener("change", function () { read(file.files[0]); });
  ["dragenter", "dragover"].forEach(function (kind) {
    drop.addEventListener(kind, function (event) { event.preventDefault(); drop.classList.add("over"); });
  });
  ["dragleave", "drop"].forEach(function (kind) {
    drop.addEventListener(kind, function (event) { event.preventDefault(); drop.classList.remove("over"); });
  });
  drop.addEventListener("drop", function (event) { read(event.dataTransfer.files[0]); });
})();
