//! What was left out of a build says so in one sentence, with the command that builds it, and ends with 2.

use crate::command::anatomy;

#[test]
fn what_is_not_built_in_says_how_to_get_it() {
    let cases: [(&str, bool, &[&str]); 7] = [
        ("cuda", cfg!(feature = "cuda"), &["probe", "device"]),
        ("sql", cfg!(feature = "sql"), &["query", "select 1"]),
        (
            "sql",
            cfg!(feature = "sql"),
            &["recommend", "--memory", "24GB", "--where", "size > 3"],
        ),
        (
            "sql",
            cfg!(feature = "sql"),
            &["catalog", "describe", "--catalog", "s3://bucket/catalog"],
        ),
        ("hub", cfg!(feature = "hub"), &["hub", "fetch", "org/name"]),
        (
            "hub",
            cfg!(feature = "hub"),
            &["probe", "influence", "--model", "org/name", "--corpus", "plain"],
        ),
        (
            "cluster",
            cfg!(feature = "cluster"),
            &["cluster", "executor", "--scheduler", "127.0.0.1:1"],
        ),
    ];
    let mut asked = 0;
    for (feature, is_here, arguments) in cases {
        if is_here {
            continue;
        }
        asked += 1;
        let ran = anatomy(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        let wanted = format!("is not built in: build with `cargo build --release --features {feature}`");
        assert!(ran.stderr.contains(&wanted), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
    }
    assert!(
        asked > 0 || cfg!(feature = "cluster"),
        "nothing was left out of this build"
    );
}
