//! The report in a real browser: its first screen holds the answer, nothing is cut or moves, and keyboard and search reach
//! what is there.

use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::command::anatomy;

/// A report of what is quick; one serves all tests of this file.
fn report() -> String {
    static REPORT: OnceLock<TempDir> = OnceLock::new();
    let folder = REPORT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let only = "answer,controlled,pooled,scale,chat_template,merging,popularity,correlation";
        let out = folder.path().to_str().expect("UTF-8");
        let ran = anatomy(&["report", "-q", "--resamples", "100", "--only", only, "--out", out]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        folder
    });
    format!("file://{}/report.html", folder.path().display())
}

fn number(browser: &Browser, script: &str) -> f64 {
    browser
        .run(&format!("return {script}"))
        .as_f64()
        .unwrap_or(f64::NAN)
}

fn list(browser: &Browser, script: &str) -> Vec<Value> {
    browser.run(script).as_array().cloned().unwrap_or_default()
}

#[test]
fn the_first_screen_holds_answer_matrix_cards_and_provenance() {
    // Height of the window that people have, and the width.
    for (width, height, dark) in [(1280, 900.0, false), (390, 844.0, false), (1280, 900.0, true)] {
        let Some(browser) = Browser::open(width, dark) else {
            return;
        };
        browser.go(&report());
        for part in [
            ".answer",
            "table.matrix",
            ".three .card",
            ".strip",
            ".cite summary",
        ] {
            let bottom = number(
                &browser,
                &format!("document.querySelector('{part}').getBoundingClientRect().bottom"),
            );
            assert!(
                bottom > 0.0 && bottom <= height,
                "{part} ends at {bottom} of {height} at {width}"
            );
        }
        let too_wide = number(
            &browser,
            "document.documentElement.scrollWidth - window.innerWidth",
        );
        assert!(too_wide <= 0.0, "{too_wide} pixels too wide at {width}");
        // Text that stands beyond the box it is in, where that box does not scroll.
        let cut = list(
            &browser,
            "return Array.from(document.querySelectorAll('h1, h2, p, li, dd, summary, th, td, figcaption')).filter(e => \
             !e.closest('.quiet') && e.clientWidth > 0 && getComputedStyle(e).overflowX === 'hidden' && e.scrollWidth > e.clientWidth + 1)\
             .map(e => e.outerHTML.slice(0, 120))",
        );
        assert!(cut.is_empty(), "cut at {width}: {cut:#?}");
        let nameless = list(
            &browser,
            "return Array.from(document.querySelectorAll('svg[role=img], input, button, a, summary')).filter(e => \
             !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label')).map(e => e.outerHTML.slice(0, 120))",
        );
        assert!(nameless.is_empty(), "{nameless:#?}");
        browser.run(
            "window.moved = 0; window.movers = []; new PerformanceObserver(list => list.getEntries().forEach(entry => { \
             window.moved += entry.value; entry.sources.forEach(source => window.movers.push(\
             `${source.previousRect.y} to ${source.currentRect.y}: ${(source.node?.outerHTML || '').slice(0, 120)}`)); }))\
             .observe({ type: 'layout-shift', buffered: true }); return 1",
        );
        std::thread::sleep(std::time::Duration::from_millis(300));
        let moved = number(&browser, "window.moved");
        // What Core Web Vitals call good.
        assert!(
            moved <= 0.1,
            "at {width} the layout shifts by {moved}: {:#?}",
            list(&browser, "return window.movers")
        );
        let paper = browser.run(
            "const e = document.querySelector('figure .drawing'); return getComputedStyle(e).backgroundColor",
        );
        assert_eq!(
            paper == "rgb(255, 255, 255)",
            !dark,
            "figures follow the theme: {paper}"
        );
        let complaints = browser.complaints();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

#[test]
fn keyboard_and_search_reach_what_is_there() {
    let Some(browser) = Browser::open(1280, false) else {
        return;
    };
    browser.go(&report());
    let said = || browser.run("return document.getElementById('evidence').textContent");
    browser.run("document.querySelector('td[data-cell][tabindex=\"0\"]').focus(); return 1");
    let first = said();
    assert!(
        first
            .as_str()
            .is_some_and(|text| text.starts_with("Layers, ARC: ")),
        "{first}"
    );
    browser.keys("td[data-cell][tabindex=\"0\"]", "\u{E014}");
    assert_ne!(said(), first, "the arrow moves to the next part");
    browser.keys("#find", "chat template ifeval");
    let found = number(&browser, "document.querySelectorAll('#found li').length");
    assert!(found > 2.0, "{found} results");
    browser.run("document.querySelector('#found a').click(); return 1");
    assert!(
        browser.address().ends_with("#chat_template"),
        "{}",
        browser.address()
    );
    // An address inside a fold opens it.
    browser.run("location.hash = '#term-shape'; return 1");
    browser.until(
        "the word",
        "return document.getElementById('term-shape').closest('details').open",
    );
    let rows = "document.querySelectorAll('#table-published tbody tr.rest').length";
    let hidden = number(&browser, rows);
    assert!(hidden > 0.0);
    browser.run("document.querySelector('[data-all=table-published]').click(); return 1");
    let height = number(
        &browser,
        "document.querySelector('#table-published tbody tr.rest').offsetHeight",
    );
    assert!(height > 0.0, "all rows are shown when asked for");
}

#[test]
fn axe_finds_nothing() {
    for (width, dark) in [(1280, false), (390, true)] {
        let Some(browser) = Browser::open(width, dark) else {
            return;
        };
        browser.go(&report());
        browser.run("document.querySelectorAll('details').forEach(fold => { fold.open = true; }); return 1");
        let violations = browser.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}
