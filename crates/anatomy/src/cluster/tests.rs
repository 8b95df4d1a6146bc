//! A scheduler and executors in this process, and clients of this and of another version.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use catalog::query::{Engine, Format};

use super::client::{Cluster, ask, engine};
use super::error::Error;
use super::{agreement, scheduler};

fn text(answer: &catalog::query::Answer) -> String {
    let mut out = Vec::new();
    answer.write(Format::Csv, &mut out).expect("CSV");
    String::from_utf8(out).expect("UTF-8")
}

fn scheduler() -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(32 << 20)
        .build()
        .expect("threads");
    let (tell, told) = std::sync::mpsc::channel();
    runtime.spawn(scheduler::serve("127.0.0.1", 0, move |address| {
        tell.send(address).expect("somebody waits");
    }));
    let address = told.recv_timeout(Duration::from_secs(30)).expect("it listens");
    (runtime, address)
}

#[test]
fn addresses_are_read_or_refused() {
    let at = Cluster::of("df://head:50050").expect("an address");
    assert_eq!(at, Cluster::At("http://head:50050".to_owned()));
    assert_eq!(Cluster::of("in-process").expect("an address"), Cluster::InProcess);
    for text in [
        "head:50050",
        "df://head",
        "df://:1",
        "df://head:x",
        "http://head:1",
        "df://a@b:1",
    ] {
        assert!(matches!(Cluster::of(text), Err(Error::Address { .. })), "{text}");
    }
}

#[test]
fn another_version_is_told_and_refused() {
    let (runtime, address) = scheduler();
    let url = format!("http://{address}");
    runtime
        .block_on(agreement::shake_hands(&url, agreement::version()))
        .expect("the same version");
    let error = runtime
        .block_on(agreement::shake_hands(&url, "anatomy-0.0.9/other"))
        .expect_err("another version");
    let Error::Versions { found, wanted } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (found.as_str(), wanted.as_str()),
        ("anatomy-0.0.9/other", agreement::version())
    );
    let error = runtime
        .block_on(agreement::shake_hands("http://127.0.0.1:1", agreement::version()))
        .expect_err("nobody");
    assert!(matches!(error, Error::NoScheduler { .. }), "{error}");
}

#[test]
fn without_executors_the_limit_holds() {
    let (_runtime, address) = scheduler();
    let cluster = Cluster::of(&format!("df://{address}")).expect("an address");
    let engine = engine(&cluster, None, None, super::SEED).expect("a session");
    let before = Instant::now();
    let error = ask(
        &engine,
        &cluster,
        "select count(*) from scores",
        Duration::from_secs(2),
    )
    .expect_err("nobody works");
    assert!(
        before.elapsed() < Duration::from_secs(10),
        "{:?}",
        before.elapsed()
    );
    assert!(
        matches!(error.downcast_ref(), Some(Error::Late { seconds: 2, .. })),
        "{error}"
    );
}

#[test]
fn the_same_answer_in_stages_as_here() {
    let here = Engine::open(None).expect("an engine");
    let cluster = Cluster::InProcess;
    let there = engine(&cluster, None, None, super::SEED).expect("a session");
    for sql in [
        "select count(*) as n, min(value) as low, max(value) as high from scores",
        "select benchmark, count(*) as n, mode(leaderboard) as b, round(skewness(value), 9) as s, \
         round(spearman(value, size), 9) as rho from observations group by 1 order by 1",
        "select id, mcnemar_p(3, 15) as p from checkpoints order by id limit 3",
        "select benchmark, bootstrap(case when value > 40 then 1.0 else 0.0 end)['low'] as low from scores group by 1 order by 1",
    ] {
        let found = ask(&there, &cluster, sql, Duration::from_secs(120)).expect(sql);
        if !sql.contains("bootstrap") && !sql.contains("mcnemar") {
            assert_eq!(text(&found), text(&here.query(sql).expect(sql)), "{sql}");
        }
        assert!(found.rows() > 0);
    }
    let error = ask(
        &there,
        &cluster,
        "select nothing from scores",
        Duration::from_secs(60),
    )
    .expect_err("no such column");
    assert!(error.to_string().contains("nothing"), "{error}");
    assert!(matches!(
        engine(&cluster, None, None, 7)
            .expect_err("another seed")
            .downcast_ref(),
        Some(Error::Seed { found: 7, .. })
    ));
}
