//! A real browser, driven over the `WebDriver` protocol: Debian's chromium and chromium-driver, where they are installed.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http;

/// A driver with one session. A shell leads their process group and ends all of it when its input ends: when this value is
/// dropped, a test panics, or this process is gone, however it goes.
pub(crate) struct Browser {
    hold: Option<ChildStdin>,
    shell: Child,
    address: String,
    session: String,
}

impl Browser {
    /// A window of that width, or `None` with a word about what is skipped.
    pub(crate) fn open(width: u32, dark: bool) -> Option<Self> {
        let Some(program) = ["chromedriver", "/usr/bin/chromedriver"]
            .into_iter()
            .find(|program| Command::new(program).arg("--version").output().is_ok())
        else {
            crate::command::skipped(
                "browser",
                "no chromedriver here (Debian: chromium, chromium-driver)",
            );
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg("\"$0\" --port=\"$1\" & read line; kill -KILL 0")
            .arg(program)
            .arg(port.to_string())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut browser = Self {
            hold: shell.stdin.take(),
            shell,
            address: format!("127.0.0.1:{port}"),
            session: String::new(),
        };
        let started = Instant::now();
        while std::net::TcpStream::connect(&browser.address).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the driver does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-dev-shm-usage".into(),
            format!("--window-size={width},900"),
        ];
        if dark {
            arguments.push("--force-dark-mode".into());
        }
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.send("POST", "/session", &capabilities);
        session["sessionId"]
            .as_str()
            .expect("a session")
            .clone_into(&mut browser.session);
        if width < 500 {
            // Windows have a least width; a phone is made by the protocol of the tools.
            let metrics = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": width, "height": 800, "deviceScaleFactor": 2, "mobile": true } });
            browser.call("POST", "/goog/cdp/execute", &metrics);
        }
        Some(browser)
    }

    /// The process group of the shell, the driver and the browser.
    fn group(&self) -> u32 {
        self.shell.id()
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = (method == "POST").then(|| body.to_string());
        let answer = http::send(&self.address, method, path, &[], body.as_deref());
        let value = answer.json()["value"].clone();
        assert_eq!(answer.status, 200, "{path}: {value}");
        value
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.send(method, &format!("/session/{}{path}", self.session), body)
    }

    /// Goes to an address and waits until it is loaded.
    pub(crate) fn go(&self, address: &str) {
        self.call("POST", "/url", &json!({ "url": address }));
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        self.call("GET", "/url", &Value::Null)
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What a script's `return` gives.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until a script gives true.
    pub(crate) fn until(&self, what: &str, script: &str) {
        let started = Instant::now();
        while self.run(script) != true {
            assert!(
                started.elapsed() < Duration::from_mins(3),
                "waited for {what} at {}: {}",
                self.address(),
                self.run("return document.querySelector('main').innerText.slice(0, 2000)")
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call(
            "POST",
            "/element",
            &json!({ "using": "css selector", "value": selector }),
        );
        found
            .as_object()
            .and_then(|object| object.values().next())
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {selector}"))
            .to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        // A page that scrolls smoothly is not there yet when the driver clicks.
        let found = serde_json::to_string(selector).expect("a text");
        self.run(&format!(
            "document.querySelector({found}).scrollIntoView({{ block: 'center', behavior: 'instant' }}); return 1"
        ));
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into a field; what stood there goes.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/clear"), &json!({}));
        self.keys(selector, text);
    }

    /// Types, as a keyboard does.
    pub(crate) fn keys(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.call(
            "POST",
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    /// Moves the pointer to a place in the window.
    pub(crate) fn hover(&self, x: f64, y: f64) {
        let step = |x: f64| json!({ "type": "pointerMove", "duration": 50, "x": x.round(), "y": y.round() });
        self.call(
            "POST",
            "/actions",
            &json!({ "actions": [{ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" },
                "actions": [step(x - 8.0), step(x)] }] }),
        );
    }

    /// What axe-core (npm) finds against the page; nothing where `ANATOMY_AXE` names no script, which is said.
    pub(crate) fn violations(&self) -> Vec<String> {
        let Some(axe) = std::env::var_os("ANATOMY_AXE").and_then(|path| std::fs::read_to_string(path).ok())
        else {
            crate::command::skipped("axe", "ANATOMY_AXE names no axe.min.js (npm: axe-core)");
            return Vec::new();
        };
        self.run(&format!("{axe}; window.axe = axe; return 1"));
        self.run(
            "window.found = null; window.axe.run().then(r => { window.found = r.violations; }); return 1",
        );
        self.until("axe", "return window.found !== null");
        let found = self.run(
            "return window.found.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))",
        );
        let found = found.as_array().into_iter().flatten();
        found.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    }

    /// Errors and refusals that the console has told since the last call.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }));
        log.as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Processes of a group that have not ended.
fn running(group: u32) -> usize {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = all.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // After the name in brackets: state, parent, group.
    let fields = stats.filter_map(|stat| Some(stat.rsplit_once(')')?.1.to_owned()));
    fields
        .filter(|rest| {
            let mut words = rest.split_whitespace();
            words.next() != Some("Z") && words.nth(1) == Some(group.to_string().as_str())
        })
        .count()
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", "", &Value::Null);
        }
        drop(self.hold.take());
        let _ = self.shell.wait();
    }
}

#[test]
fn a_test_that_panics_leaves_no_browser_running() {
    let (say, heard) = std::sync::mpsc::channel();
    let test = std::thread::spawn(move || {
        let Some(browser) = Browser::open(800, false) else {
            return;
        };
        browser.go("about:blank");
        say.send((browser.group(), running(browser.group())))
            .expect("somebody listens");
        panic!("as a test that fails does");
    });
    let Ok((group, n)) = heard.recv() else {
        return;
    };
    assert!(test.join().is_err() && n > 3, "{n} processes");
    let started = Instant::now();
    while running(group) > 0 {
        assert!(started.elapsed().as_secs() < 20, "{} still run", running(group));
        std::thread::sleep(Duration::from_millis(50));
    }
}
