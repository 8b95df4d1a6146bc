//! The dashboard's server as programs meet it: answers, refusals, limits, and that nothing takes it down.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::{connect, get, read, send};
use crate::site::{server, studied};

#[test]
fn pages_answer_before_the_study_is_computed_and_carry_the_policy() {
    let address = &server().address;
    for path in [
        "/",
        "/checkpoints?q=mistral&sort=-size",
        "/checkpoints/mistralai/Mistral-7B-v0.1",
        "/chart",
        "/study",
        "/probes",
        "/sql",
        "/api",
        "/static/style.css",
        "/static/plotly.js",
        "/metrics",
    ] {
        let answer = get(address, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        if answer.header("content-type").starts_with("text/html") {
            let html = answer.text();
            for inline in [
                "<script>", "style=\"", " onclick", " onload", "http://", "https://",
            ] {
                assert!(!html.contains(inline), "{path} has {inline}");
            }
        }
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn the_api_gives_what_the_tables_say() {
    let address = &server().address;
    let health = get(address, "/api/v1/health").json();
    assert_eq!((&health["status"], &health["seed"]), (&"ok".into(), &42.into()));
    let page = get(
        address,
        "/api/v1/checkpoints?min_size=6&max_size=9&sort=-mmlu_pro&columns=mmlu_pro,size&limit=5",
    )
    .json();
    let rows = page["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 5);
    let scores: Vec<f64> = rows
        .iter()
        .map(|row| row["mmlu_pro"].as_f64().expect("points"))
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert!(
        rows.iter()
            .all(|row| (6.0..=9.0).contains(&row["size"].as_f64().expect("billions")))
    );
    // The same by SQL, the way the command line says it.
    let sql = "select count(*) as n from checkpoints join structures using (id) where size between 6 and 9";
    let counted = send(
        address,
        "POST",
        "/api/v1/query",
        &[],
        Some(&serde_json::json!({ "sql": sql }).to_string()),
    );
    assert_eq!(counted.json()["rows"][0][0], page["n"], "{}", counted.text());
    for path in ["mistralai%2FMistral-7B-v0.1", "mistralai/Mistral-7B-v0.1"] {
        let one = get(address, &format!("/api/v1/checkpoints/{path}")).json();
        assert_eq!(one["structure"]["d_ffn"], 14336);
        assert!(one["peers"].as_array().is_some_and(|peers| !peers.is_empty()));
    }
    let csv = get(
        address,
        "/api/v1/checkpoints.csv?q=mistral-7b-v0.1&columns=layers",
    );
    let text = csv.text();
    assert!(
        text.starts_with("id,layers\n") && text.contains("mistralai/Mistral-7B-v0.1,32\n"),
        "{text}"
    );
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn errors_say_what_is_wrong_and_what_there_is() {
    let address = &server().address;
    for (path, status, says) in [
        ("/api/v1/nothing", 404, "openapi.json"),
        (
            "/api/v1/checkpoints/mistralai/mistral-7b-V0.1",
            404,
            "mistralai/Mistral-7B-v0.1",
        ),
        ("/api/v1/checkpoints?limt=3", 400, "limt"),
        ("/api/v1/checkpoints?limit=0", 400, "between 1 and 1000"),
        ("/api/v1/checkpoints?sort=mmlu_por", 400, "mmlu_pro"),
        ("/api/v1/checkpoints?min_size=NaN", 400, "must be a number"),
        ("/api/v1/query", 400, "`sql` is missing"),
        (
            "/api/v1/query?sql=select%20layer%20from%20structures",
            422,
            "structures.layers",
        ),
    ] {
        let answer = get(address, path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        assert!(answer.text().contains(says), "{path}: {}", answer.text());
    }
    let method = send(address, "DELETE", "/api/v1/checkpoints", &[], None);
    assert_eq!((method.status, method.header("allow")), (405, "GET,HEAD"));
    let script = get(address, "/checkpoints?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert!(script.text().contains("&#60;script&#62;") && !script.text().contains("<script>alert"));
    let page = get(address, "/checkpoints/%3Cb%3E/x");
    assert_eq!(page.status, 404);
    assert!(!page.text().contains("<b>"));
    // A page heeds what it is given, or refuses it.
    for (path, says) in [
        ("/checkpoints?name=x", "nothing named `name`"),
        ("/recommend?memory=24GB&min_sped=20", "min_speed"),
        ("/study?x=1", "nothing named `x`"),
        ("/?q=x", "nothing named `q`"),
    ] {
        let page = get(address, path);
        assert_eq!(page.status, 400, "{path}");
        assert!(page.text().contains(says), "{path}: {}", page.text());
    }
    // The API takes the device names that the command line takes.
    assert_eq!(
        get(
            address,
            "/api/v1/compare?id=Qwen/Qwen2.5-7B&id=Qwen/Qwen2.5-14B&device=a100"
        )
        .status,
        200
    );
    assert_eq!(
        get(
            address,
            "/api/v1/compare?id=Qwen/Qwen2.5-7B&id=Qwen/Qwen2.5-14B&device=abacus"
        )
        .status,
        400
    );
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn large_bodies_and_odd_requests_are_refused() {
    let address = &server().address;
    let large = serde_json::json!({ "sql": "x".repeat(100_000) }).to_string();
    assert_eq!(
        send(address, "POST", "/api/v1/query", &[], Some(&large)).status,
        413
    );
    let long = serde_json::json!({ "sql": "x".repeat(20_000) }).to_string();
    assert_eq!(
        send(address, "POST", "/api/v1/query", &[], Some(&long)).status,
        400
    );
    for body in [
        "",
        "{",
        "[]",
        "{\"sql\": 3}",
        "{\"sql\": \"select 1\", \"other\": 1}",
    ] {
        let status = send(address, "POST", "/api/v1/query", &[], Some(body)).status;
        assert!([400, 422].contains(&status), "{body}: {status}");
    }
    for path in [
        "/static/../Cargo.toml",
        "/static/%2e%2e%2fCargo.toml",
        "/tables/..%2F..%2Fetc%2Fpasswd",
    ] {
        let answer = get(address, path);
        assert!(
            !answer.text().contains("[package]") && !answer.text().contains("root:"),
            "{path}"
        );
    }
    let mut stream = connect(address);
    stream.write_all(b"\x16\x03\x01 nonsense\r\n\r\n").expect("sent");
    assert_eq!(read(&mut stream).status, 400);
    assert_eq!(get(address, "/api/v1/health").status, 200);
}

/// Statements that would read files, write, take all memory, never end, or overflow a stack.
#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn hostile_sql_leaves_it_serving() {
    let address = &server().address;
    let ask = |sql: &str| {
        let body = serde_json::json!({ "sql": sql }).to_string();
        send(address, "POST", "/api/v1/query", &[], Some(&body))
    };
    for sql in [
        "create external table t stored as csv location '/etc/passwd'",
        "copy scores to '/tmp/anatomy-visitor.csv'",
        "select * from '/etc/passwd'",
        "select * from read_csv('/etc/passwd')",
        "set datafusion.execution.target_partitions = 100",
        "insert into scores select * from scores",
        "select 1; select 2",
        "select * from 's3://bucket/table.parquet'",
        "select * from 'hf://datasets/organisation/name/table.parquet'",
        "select * from 'file:///etc/passwd'",
    ] {
        assert_eq!(ask(sql).status, 422, "{sql}");
    }
    let doubled = (0..40).fold("'x'".to_owned(), |inner, _| {
        format!("(select concat(s, s) as s from (select {inner} as s))")
    });
    let deep = format!("select {}1{}", "(".repeat(2400), ")".repeat(2400));
    let wide = format!("select 1 where {}", vec!["1=1"; 700].join(" or "));
    let endless = "select count(*) from scores a, scores b, scores c where a.value + b.value > c.value";
    let sorted = "select a.id, b.id from scores a cross join scores b order by a.value * b.value";
    let repeated = "select repeat('x', 2000000000) || repeat('y', 2000000000)";
    for sql in [
        endless,
        sorted,
        repeated,
        doubled.as_str(),
        deep.as_str(),
        wide.as_str(),
    ] {
        let started = Instant::now();
        let answer = ask(sql);
        let shown: String = sql.chars().take(60).collect();
        assert!(
            [200, 400, 422].contains(&answer.status),
            "{shown}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(started.elapsed() < Duration::from_secs(30), "{shown}");
        assert_eq!(ask("select 1 as one").json()["rows"][0][0], 1, "after {shown}");
    }
    assert_eq!(ask(endless).status, 422);
}

/// A head that dawdles is cut off; other visitors are served meanwhile.
#[test]
fn slow_clients_are_cut_off() {
    let address = &server().address;
    let started = Instant::now();
    let mut slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect(address);
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").expect("sent");
            stream
        })
        .collect();
    for _ in 0..3 {
        assert_eq!(get(address, "/api/v1/health").status, 200);
        for stream in &mut slow {
            let _ = stream.write_all(b"X: y\r\n");
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    for stream in &mut slow {
        let mut rest = Vec::new();
        // Closed, by a reset or an end, without an answer.
        let _ = stream.read_to_end(&mut rest);
        assert!(
            rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"),
            "{}",
            String::from_utf8_lossy(&rest)
        );
    }
    let took = started.elapsed();
    assert!((5..30).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn answers_are_compressed_kept_and_told_unchanged() {
    let address = &server().address;
    let path = "/api/v1/checkpoints?limit=200";
    let plain = get(address, path);
    let packed = send(address, "GET", path, &["Accept-Encoding: gzip"], None);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 2 < plain.body.len());
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(packed.body.as_slice())
        .read_to_string(&mut unpacked)
        .expect("gzip");
    assert_eq!(unpacked, plain.text());
    let tag = plain.header("etag").to_owned();
    assert!(tag.len() > 10, "{tag}");
    let again = send(address, "GET", path, &[&format!("If-None-Match: {tag}")], None);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn the_study_is_that_of_the_report() {
    let address = studied();
    let file = get(address, "/api/v1/findings").json();
    assert_eq!(file["schema_version"], 1);
    let findings = file["findings"].as_array().expect("findings");
    let finding = get(address, "/api/v1/findings/scale.mean.small").json();
    assert!(findings.contains(&finding));
    let scale = get(address, "/api/v1/findings?prefix=scale.").json();
    let n = findings
        .iter()
        .filter(|finding| finding["id"].as_str().is_some_and(|id| id.starts_with("scale.")))
        .count();
    assert_eq!(scale["findings"].as_array().map(Vec::len), Some(n));
    let sections = get(address, "/api/v1/sections").json();
    for section in sections["sections"].as_array().expect("sections") {
        let id = section["id"].as_str().expect("an id");
        assert_eq!(get(address, &format!("/study/{id}")).status, 200, "{id}");
        for figure in section["figures"].as_array().expect("figures") {
            let figure = figure.as_str().expect("an id");
            let plotly = get(address, &format!("/api/v1/figures/{figure}/plotly")).json();
            assert!(
                plotly["data"].as_array().is_some_and(|traces| !traces.is_empty()),
                "{figure}"
            );
            let title = plotly["layout"]["title"]["text"].as_str().expect("a title");
            assert!(title.contains("(n = "), "{figure}: {title}");
            assert!(
                get(address, &format!("/figures/{figure}.svg"))
                    .text()
                    .contains("<svg")
            );
            assert!(
                get(address, &format!("/figures/{figure}.csv"))
                    .text()
                    .lines()
                    .count()
                    > 1
            );
        }
    }
}

/// The signal that service managers send: idle connections are closed, the exit is clean.
/// Asks again until the answer is there.
fn patiently(address: &str, path: &str) -> crate::http::Answer {
    let started = Instant::now();
    loop {
        let answer = get(address, path);
        if answer.status != 202 {
            return answer;
        }
        assert!(started.elapsed().as_secs() < 600, "{path}: {}", answer.text());
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_section_on_chosen_rows_says_which_and_what_it_cannot() {
    let address = studied();
    let rows = "architecture=LlamaForCausalLM&min_size=1&max_size=9";
    let whole = get(address, "/api/v1/sections/scale").json();
    let chosen = patiently(address, &format!("/api/v1/sections/scale?{rows}")).json();
    let n = |section: &serde_json::Value| section["figures"][0]["n"].as_u64().expect("n");
    assert!(n(&chosen) > 0 && n(&chosen) < n(&whole));
    let findings = chosen["findings"].as_array().expect("findings");
    assert!(!findings.is_empty());
    for finding in findings {
        let place = finding["source"]["place"].as_str().expect("a place");
        let condition = "where architecture = 'LlamaForCausalLM' and size >= 1.0 and size <= 9.0";
        assert!(place.ends_with(condition), "{place}");
        assert!(finding["published"].is_null(), "{finding}");
    }
    let figure = whole["figures"][0]["id"].as_str().expect("an id");
    let csv = get(address, &format!("/figures/{figure}.csv?{rows}"));
    assert_eq!(csv.status, 200, "{}", csv.text());
    assert_ne!(csv.text(), get(address, &format!("/figures/{figure}.csv")).text());

    let none = patiently(address, "/api/v1/sections/scale?architecture=x'%20or%201=1%20--");
    assert_eq!(none.status, 422, "{}", none.text());
    let unread = get(address, "/api/v1/sections/scale?min_size=many");
    assert_eq!(unread.status, 400, "{}", unread.text());
    let page = get(address, "/study/scale?min_size=many");
    assert!(page.status == 400 && page.text().contains("role=\"alert\""));
}

#[test]
fn a_signal_ends_it_cleanly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anatomy"))
        .args(["serve", "--port", "0", "--format", "json", "--only", "scale"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("an address");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let address = said["address"]
        .as_str()
        .and_then(|link| link.strip_prefix("http://"))
        .expect("an address")
        .trim_end_matches('/')
        .to_owned();
    let mut idle = connect(&address);
    idle.write_all(format!("GET /api/v1/health HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())
        .expect("sent");
    assert_eq!(read(&mut idle).status, 200);
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(killed.success());
    let started = Instant::now();
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
}
