//! The dashboard in a real browser: pages load without a complaint, and what a person does there works.

use serde_json::Value;

use crate::browser::Browser;
use crate::site::{fitted, studied};

/// Every page, and what must be on it once it has loaded.
const PAGES: [(&str, &str); 13] = [
    ("/", ".jobs form"),
    ("/checkpoints", "#checkpoints tbody tr"),
    ("/checkpoints/mistralai/Mistral-7B-v0.1", "svg.structure rect"),
    ("/chart", "figure[data-drawn=true] .plot-container"),
    ("/study", ".cards a"),
    ("/study/published", "td.verdict-reproduced"),
    (
        "/compare?id=mistralai/Mistral-7B-v0.1&id=meta-llama/Llama-2-7b-hf",
        "table.answer tbody tr",
    ),
    ("/recommend", "#recommend"),
    ("/predict", "#predict"),
    (
        "/predict?id=mistralai/Mistral-7B-v0.1&benchmarks=math,bbh",
        "figure[data-drawn=true] .scatterlayer",
    ),
    ("/probes", "h1"),
    ("/sql", "#sql"),
    ("/api", ".operation"),
];

fn present(selector: &str) -> String {
    format!("return document.querySelectorAll('{selector}').length > 0")
}

fn quiet(browser: &Browser, place: &str) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{place}: {complaints:#?}");
}

/// The page's background in the dark theme.
const NIGHT: &str = "rgb(13, 17, 23)";

fn background(browser: &Browser) -> String {
    let colour = browser.run("return getComputedStyle(document.body).backgroundColor");
    colour.as_str().unwrap_or_default().to_owned()
}

/// Scrolls to every figure and waits until it is drawn.
fn draw_all(browser: &Browser) {
    let n = browser.run(
        "document.documentElement.style.scrollBehavior = 'auto'; \
         return document.querySelectorAll('figure.chart').length",
    );
    for place in 0..n.as_u64().unwrap_or(0) {
        browser.run(&format!(
            "document.querySelectorAll('figure.chart')[{place}].scrollIntoView(); return 1"
        ));
        browser.until(
            "a chart",
            &format!("return document.querySelectorAll('figure.chart')[{place}].dataset.drawn === 'true'"),
        );
    }
}

/// Controls, links and pictures that have no name for a screen reader.
fn nameless(browser: &Browser) -> Vec<Value> {
    let found = browser.run(
        "return Array.from(document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, svg[role=img], img')).filter(e => \
         !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label') && !e.hasAttribute('alt')).map(e => e.outerHTML.slice(0, 120))",
    );
    found
        .as_array()
        .into_iter()
        .flatten()
        // Plotly's own buttons carry their names in an attribute of its own.
        .filter(|html| !html.as_str().is_some_and(|html| html.contains("modebar")))
        .cloned()
        .collect()
}

#[test]
fn every_page_loads_without_a_complaint_in_both_themes_and_on_a_phone() {
    // Each page once wide and once narrow, in one theme there and in the other here.
    for (width, parity) in [(1280, 0), (375, 1)] {
        let Some(browser) = Browser::open(width, false) else {
            return;
        };
        let address = fitted();
        let sections = crate::http::get(address, "/api/v1/sections").json();
        let sections = sections["sections"].as_array().expect("sections").iter();
        let sections = sections.map(|section| format!("/study/{}", section["id"].as_str().expect("an id")));
        let pages = PAGES
            .iter()
            .map(|(path, shows)| ((*path).to_owned(), (*shows).to_owned()))
            .chain(sections.map(|path| (path, "h1".to_owned())));
        browser.go(&format!("http://{address}/probes"));
        for (place, (path, shows)) in pages.enumerate() {
            let is_dark = place % 2 == parity;
            let theme = if is_dark { "dark" } else { "light" };
            browser.run(&format!("localStorage.setItem('theme', '{theme}'); return 1"));
            browser.go(&format!("http://{address}{path}"));
            // On a phone a figure below the form is drawn once it is scrolled to.
            draw_all(&browser);
            browser.until(&format!("{shows} on {path}"), &present(&shows));
            let too_wide = browser.run("return document.documentElement.scrollWidth - window.innerWidth");
            assert!(
                too_wide.as_f64().is_some_and(|by| by <= 0.0),
                "{path} at {width}: {too_wide} pixels too wide"
            );
            let nameless = nameless(&browser);
            assert!(nameless.is_empty(), "{path}: {nameless:#?}");
            assert_eq!(background(&browser) == NIGHT, is_dark, "{path}");
            quiet(&browser, &path);
            let violations = browser.violations();
            assert!(violations.is_empty(), "{path}: {violations:#?}");
        }
    }
}

#[test]
fn the_theme_is_the_systems_until_a_button_changes_it() {
    let Some(browser) = Browser::open(1280, true) else {
        return;
    };
    let address = studied();
    browser.go(&format!("http://{address}/study/scale"));
    assert_eq!(background(&browser), NIGHT);
    draw_all(&browser);
    let paper = "return getComputedStyle(document.querySelector('.main-svg')).backgroundColor";
    let dark = browser.run(paper);
    browser.click("#theme");
    assert_ne!(background(&browser), NIGHT);
    browser.until("charts in the other theme", &format!("{paper} !== {dark}"));
    browser.go(&format!("http://{address}/study"));
    assert_ne!(background(&browser), NIGHT, "the choice is kept");
    quiet(&browser, "themes");
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_section_is_computed_again_on_the_rows_chosen() {
    let Some(browser) = Browser::open(1280, false) else {
        return;
    };
    let address = studied();
    browser.go(&format!("http://{address}/study/scale"));
    browser.fill("input[name=architecture]", "LlamaForCausalLM");
    browser.fill("input[name=min_size]", "1");
    browser.fill("input[name=max_size]", "9");
    browser.click("#rows button[type=submit]");
    browser.until(
        "the section on those rows",
        &format!(
            "{} && !document.querySelector('[data-awaits]')",
            present("#chosen")
        ),
    );
    draw_all(&browser);
    let said = browser.run("return document.getElementById('chosen').textContent");
    assert!(
        said.as_str().is_some_and(|said| said.contains(
            "anatomy study dimensions --where \"architecture = 'LlamaForCausalLM' and size >= 1.0 and size <= 9.0\""
        )),
        "{said}"
    );
    let link = browser
        .run("return document.querySelector('figcaption a[href*=\"/api/v1/figures\"]').getAttribute('href')");
    let figure = crate::http::get(address, link.as_str().expect("a link")).json();
    let whole = link
        .as_str()
        .and_then(|link| link.split('?').next())
        .expect("a path");
    let whole = crate::http::get(address, whole).json();
    let n = |figure: &Value| figure["n"].as_u64().expect("n");
    assert!(
        n(&figure) > 0 && n(&figure) < n(&whole),
        "{} of {}",
        figure["n"],
        whole["n"]
    );
    quiet(&browser, "rows chosen");
}

#[test]
fn the_explorer_filters_sorts_and_links() {
    let Some(browser) = Browser::open(1280, false) else {
        return;
    };
    let address = studied();
    browser.go(&format!("http://{address}/checkpoints"));
    browser.fill("input[name=q]", "mistral");
    browser.fill("input[name=min_size]", "6");
    browser.fill("input[name=max_size]", "9");
    browser.click("#filter button[type=submit]");
    browser.until("the filter", "return location.search.includes('q=mistral')");
    let names = browser.run(
        "return Array.from(document.querySelectorAll('#checkpoints tbody th')).map(e => e.textContent.toLowerCase())",
    );
    let names = names.as_array().expect("names").clone();
    assert!(
        !names.is_empty()
            && names
                .iter()
                .all(|name| name.as_str().is_some_and(|name| name.contains("mistral")))
    );

    let column = |browser: &Browser, name: &str| -> Vec<f64> {
        let script = format!(
            "const at = Array.from(document.querySelectorAll('#checkpoints thead th')).findIndex(e => e.textContent.startsWith('{name}')); \
             return Array.from(document.querySelectorAll('#checkpoints tbody tr')).map(r => r.cells[at].textContent)"
        );
        let cells = browser.run(&script);
        cells
            .as_array()
            .expect("cells")
            .iter()
            .filter_map(|cell| cell.as_str().and_then(|cell| cell.parse().ok()))
            .collect()
    };
    browser.click("#checkpoints thead th:nth-child(9) a");
    browser.until("the order", "return location.search.includes('sort=-')");
    let falling = column(&browser, "average_v1");
    assert!(
        falling.len() > 5 && falling.is_sorted_by(|a, b| a >= b),
        "{falling:?}"
    );
    assert_eq!(
        browser.run("return document.querySelector('th[aria-sort]').getAttribute('aria-sort')"),
        "descending"
    );
    browser.click("th[aria-sort] a");
    browser.until("the other order", "return !location.search.includes('sort=-')");
    let rising = column(&browser, "average_v1");
    assert!(rising.len() > 5 && rising.is_sorted(), "{rising:?}");

    assert!(
        !browser.address().contains("columns="),
        "columns nobody chose: {}",
        browser.address()
    );
    browser.click("#columns summary");
    browser.click("input[name=columns][value=mmlu_pro]");
    browser.click("#filter button[type=submit]");
    browser.until(
        "the column",
        "return location.search.includes('columns=mmlu_pro')",
    );
    let n = browser.run("return document.getElementById('n').textContent");
    let link = browser.run("return document.getElementById('permalink').href");
    browser.go("about:blank");
    browser.go(link.as_str().expect("a link"));
    assert_eq!(browser.run("return document.getElementById('n').textContent"), n);
    assert!(
        browser
            .run("return document.querySelector('#checkpoints thead').textContent")
            .to_string()
            .contains("mmlu_pro")
    );
    assert_eq!(
        browser.run("return document.querySelector('input[name=q]').value"),
        "mistral"
    );
    browser.click("#checkpoints tbody th a");
    browser.until(
        "the checkpoint's page",
        "return location.pathname.startsWith('/checkpoints/')",
    );
    quiet(&browser, "explorer");
}

#[test]
fn charts_answer_the_pointer_and_the_legend() {
    let Some(browser) = Browser::open(1280, false) else {
        return;
    };
    let address = studied();
    browser.go(&format!(
        "http://{address}/chart?x=layers&y=mmlu_pro&min_size=6&max_size=80"
    ));
    browser.until("the chart", &present("figure[data-drawn=true] .points path"));
    let point = browser.run(
        "document.querySelector('figure.chart').scrollIntoView({block: 'center', behavior: 'instant'}); \
         const all = document.querySelectorAll('.scatterlayer .points path.point'); const b = all[all.length - 1].getBoundingClientRect(); \
         return [b.x + b.width / 2, b.y + b.height / 2]",
    );
    let at = |place: usize| point[place].as_f64().expect("a place");
    browser.hover(at(0), at(1));
    browser.until("the hover label", &present(".hoverlayer .hovertext"));
    let label = browser.run("return document.querySelector('.hoverlayer').textContent");
    assert!(label.as_str().is_some_and(|label| label.contains('/')), "{label}");
    let titles = browser.run("return [document.querySelector('.xtitle').textContent, document.querySelector('.ytitle').textContent, document.querySelector('.gtitle').textContent]");
    assert_eq!(titles[0], "layers");
    assert_eq!(titles[1], "mmlu_pro (points)");
    assert!(
        titles[2].as_str().is_some_and(|title| title.contains("(n = ")),
        "{titles}"
    );
    quiet(&browser, "chart");
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn the_sql_console_runs_by_keyboard_and_says_what_is_wrong() {
    let Some(browser) = Browser::open(1280, false) else {
        return;
    };
    let address = studied();
    browser.go(&format!("http://{address}/sql"));
    browser.fill(
        "#sql",
        "select leaderboard, count(*) as n from evaluations where leaderboard like 'open-llm%' group by 1 order by 1",
    );
    // Control down, Enter, Control up, in the protocol's code points.
    browser.keys("#sql", "\u{e009}\u{e007}\u{e000}");
    browser.until("the answer", &present("#answer tbody tr"));
    let cells = browser
        .run("return Array.from(document.querySelectorAll('#answer tbody td')).map(e => e.textContent)");
    assert_eq!(
        cells,
        serde_json::json!([
            "open-llm-leaderboard-v1",
            "7169",
            "open-llm-leaderboard-v2",
            "4576"
        ])
    );
    let link = browser.run("return document.getElementById('permalink').href");
    browser.go(link.as_str().expect("a link"));
    assert_eq!(
        browser.run("return document.querySelectorAll('#answer tbody tr').length"),
        2
    );
    quiet(&browser, "SQL");
    browser.fill("#sql", "select layer from structures");
    browser.click("#console button");
    browser.until("the refusal", &present("[role=alert]"));
    let said = browser.run("return document.querySelector('[role=alert]').textContent");
    assert!(
        said.as_str()
            .is_some_and(|said| said.contains("did you mean structures.layers")),
        "{said}"
    );
}

#[test]
fn the_recommend_form_gives_a_ranked_table_and_its_front() {
    let Some(browser) = Browser::open(1280, false) else {
        return;
    };
    let address = fitted();
    browser.go(&format!("http://{address}/recommend"));
    browser.fill("input[name=memory]", "24GB");
    browser.click("input[name=task][value=math]");
    browser.fill("input[name=top]", "5");
    browser.click("#recommend button[type=submit]");
    browser.until("the answer", &present("table[data-table=Ranking] tbody tr"));
    let ranked = browser.run("return document.querySelectorAll('table[data-table=Ranking] tbody tr').length");
    assert_eq!(ranked, 5);
    // One ranking of what was measured: nothing else may be read as another.
    let others = browser.run("return document.querySelectorAll('table[data-table=Measured]').length");
    assert_eq!(others, 0);
    let words = browser.run("return document.getElementById('words').textContent");
    assert!(
        words
            .as_str()
            .is_some_and(|words| words.starts_with("Take ") && words.contains("24.0 GB")),
        "{words}"
    );
    assert!(browser.address().contains("memory=24GB") && browser.address().contains("task=math"));
    browser.run("document.querySelector('figure.chart').scrollIntoView(); return 1");
    browser.until(
        "the front",
        &present("figure[data-drawn=true] .scatterlayer .point"),
    );
    // What the command prints is what the page shows.
    let ran = crate::command::anatomy(&[
        "recommend",
        "--memory",
        "24GB",
        "--task",
        "math",
        "--top",
        "5",
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let printed: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let ids: Vec<&str> = printed["ranking"]
        .as_array()
        .expect("choices")
        .iter()
        .map(|choice| choice["id"].as_str().expect("an id"))
        .collect();
    let shown = browser.run(
        "return Array.from(document.querySelectorAll('table[data-table=Ranking] tbody a')).map(e => e.textContent)",
    );
    assert_eq!(shown, serde_json::json!(ids));
    quiet(&browser, "recommend");
}
