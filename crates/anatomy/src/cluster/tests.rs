//! Runs a scheduler and executors in this process, with clients of this and of another version.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use catalog::query::{Answer, Engine, Format};

use super::client::{Cluster, ClusterStatement, answer, is_loss};
use super::error::Error;
use super::{SEED, agreement, executor, scheduler};

/// Longer than these tests should take, shorter than the engine's own timeouts that a limit should cut short.
const SOON: Duration = Duration::from_secs(45);

fn ask(cluster: Cluster, sql: &str, seconds: u64) -> anyhow::Result<Answer> {
    let question = ClusterStatement {
        cluster,
        catalog: None,
        items: None,
        seed: SEED,
        sql: sql.to_owned(),
    };
    answer(question, Duration::from_secs(seconds))
}

fn at(address: SocketAddr) -> Cluster {
    Cluster::of(&format!("df://{address}")).expect("an address")
}

/// Runs a statement with a limit of `seconds`, and checks that the limit is what ends it.
fn late(cluster: Cluster, sql: &str, seconds: u64) {
    let before = Instant::now();
    let error = ask(cluster, sql, seconds).expect_err("no answer");
    assert!(before.elapsed() < SOON, "{:?}", before.elapsed());
    assert!(
        matches!(error.downcast_ref(), Some(Error::Late { seconds: found, .. }) if *found == seconds),
        "{error}"
    );
}

fn text(answer: &Answer) -> String {
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
    late(at(address), "select count(*) from scores", 3);
}

#[test]
fn the_limit_holds_where_whoever_listens_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    late(at(listener.local_addr().expect("bound")), "select 1", 2);
}

#[test]
fn a_statement_given_up_leaves_its_slot_to_the_next() {
    let (runtime, address) = scheduler();
    let folder = tempfile::tempdir().expect("a folder");
    let work = executor::work(executor::ExecutorSettings {
        scheduler: ("127.0.0.1".to_owned(), address.port()),
        slots: 1,
        host: "127.0.0.1".to_owned(),
        port: 0,
        advertise: None,
        memory: 256 << 20,
        work: folder.path().to_owned(),
    });
    runtime.spawn(work);
    let few = "select count(*) as n from scores";
    let found = ask(at(address), few, 120).expect("an answer");
    let endless = "select count(*) as n from scores join scores as b using (benchmark) join scores as c using (benchmark)";
    late(at(address), endless, 6);
    let again = ask(at(address), few, 120).expect("the slot is free");
    assert_eq!(text(&again), text(&found));
    runtime.shutdown_background();
}

#[test]
fn what_is_lost_is_asked_again_and_what_is_wrong_is_not() {
    for told in [
        "Job 1 failed: Job failed due to stage 2 failed: Stage 2 has failed 1 times, most recent failure reason: \"gone\"",
        "Execution(\"status: Unknown, message: \\\"transport error\\\"\")",
        "Arrow error: Ipc error: h2 protocol error: error reading a body from connection",
        "Job 038G47TH3P000 failed: Cancelled",
    ] {
        assert!(is_loss(told), "{told}");
    }
    for told in [
        "Job 1 failed: Arrow error: Divide by zero error",
        "Resources exhausted: Failed to allocate 1 GiB",
        "Schema error: No field named nothing",
    ] {
        assert!(!is_loss(told), "{told}");
    }
}

#[test]
fn the_same_answer_in_stages_as_here() {
    let here = Engine::open(None).expect("an engine");
    for sql in [
        "select count(*) as n, min(value) + 0.0 as low, max(value) as high from scores",
        "select benchmark, count(*) as n, mode(leaderboard) as b, round(skewness(value), 9) as s, \
         round(spearman(value, size), 9) as rho from observations group by 1 order by 1",
        "select id, mcnemar_p(3, 15) as p from checkpoints order by id limit 3",
        "select benchmark, bootstrap(case when value > 40 then 1.0 else 0.0 end)['low'] as low from scores group by 1 order by 1",
    ] {
        let found = ask(Cluster::InProcess, sql, 120).expect(sql);
        if !sql.contains("bootstrap") && !sql.contains("mcnemar") {
            assert_eq!(text(&found), text(&here.query(sql).expect(sql)), "{sql}");
        }
        assert!(found.rows() > 0);
    }
    let error = ask(Cluster::InProcess, "select nothing from scores", 60).expect_err("no such column");
    assert!(error.to_string().contains("nothing"), "{error}");
}

#[test]
fn draws_have_one_seed() {
    let question = ClusterStatement {
        cluster: Cluster::InProcess,
        catalog: None,
        items: None,
        seed: 7,
        sql: "select 1".to_owned(),
    };
    let error = answer(question, SOON).expect_err("another seed");
    assert!(matches!(error.downcast_ref(), Some(Error::Seed { found: 7, .. })));
}
