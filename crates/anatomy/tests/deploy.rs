//! The files that run pieces of work on clusters: they parse, and what they call exists.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::command::{anatomy, root};

/// The flags that each `anatomy` command in `text` is given are ones its help names.
fn flags_exist(name: &str, text: &str) {
    let joined = text.replace("\\\n", " ");
    let mut found = 0;
    for line in joined.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() != Some(&"anatomy") {
            continue;
        }
        found += 1;
        let command: Vec<&str> = words[1..]
            .iter()
            .copied()
            .take_while(|word| {
                word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
            })
            .take(2)
            .chain(["--help"])
            .collect();
        let help = anatomy(&command);
        assert_eq!(help.code, 0, "{name}: {line}");
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.stdout.contains(flag), "{name}: {flag}");
        }
    }
    assert!(found > 0, "{name} calls nothing");
}

/// A script that the shell parses and whose flags exist.
fn script(name: &str) -> String {
    let path = root().join("deploy").join(name);
    let parsed = Command::new("bash").arg("-n").arg(&path).output().expect("bash");
    assert!(
        parsed.status.success(),
        "{}",
        String::from_utf8_lossy(&parsed.stderr)
    );
    let text = fs::read_to_string(&path).expect("a script");
    flags_exist(name, &text);
    text
}

#[test]
fn slurm_scripts_parse_and_divide_the_list() {
    for name in ["slurm-evaluate.sh", "slurm-import.sh"] {
        let text = script(name);
        let options: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#SBATCH --"))
            .collect();
        assert!(
            options.len() >= 5 && options.iter().all(|option| !option.contains(' ')),
            "{options:?}"
        );
    }
    let text = script("slurm-evaluate.sh");
    assert!(text.contains("--shard \"$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT\""));
}

#[test]
fn a_slurm_cluster_is_a_scheduler_executors_and_a_client() {
    let text = script("slurm-cluster.sh");
    for part in [
        "anatomy cluster scheduler",
        "anatomy cluster executor",
        "anatomy query",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn a_kubernetes_cluster_parses_and_its_parts_find_each_other() {
    let text = fs::read_to_string(root().join("deploy/kubernetes-cluster.yaml")).expect("a manifest");
    let parts: Vec<Value> = text
        .split("\n---\n")
        .map(|part| serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    let kinds: Vec<&str> = parts.iter().filter_map(|part| part["kind"].as_str()).collect();
    assert_eq!(kinds, ["Service", "Deployment", "Deployment", "NetworkPolicy"]);
    let (service, scheduler, executor) = (&parts[0], &parts[1], &parts[2]);
    for deployment in [scheduler, executor] {
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        assert_eq!(deployment["spec"]["selector"]["matchLabels"], *labels);
    }
    assert_eq!(
        service["spec"]["selector"],
        scheduler["spec"]["selector"]["matchLabels"]
    );
    let container = |part: &Value| part["spec"]["template"]["spec"]["containers"][0].clone();
    let command: Vec<String> =
        serde_json::from_value(container(scheduler)["command"].clone()).expect("words");
    flags_exist("kubernetes-cluster.yaml", &command.join(" "));
    let port = service["spec"]["ports"][0]["targetPort"]
        .as_u64()
        .expect("a port");
    assert!(command.contains(&port.to_string()), "{command:?}");
    let script = container(executor)["args"][0]
        .as_str()
        .expect("a script")
        .to_owned();
    flags_exist("kubernetes-cluster.yaml", &script);
    let address = format!(
        "--scheduler {}:{port}",
        service["metadata"]["name"].as_str().expect("a name")
    );
    assert!(script.contains(&address), "{script}");
    let mounts = &container(executor)["volumeMounts"][0]["name"];
    assert_eq!(
        *mounts,
        executor["spec"]["template"]["spec"]["volumes"][0]["name"]
    );
}

#[test]
fn kubernetes_jobs_parse_and_divide_the_list() {
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(root().join("deploy").join(name)).expect("a manifest");
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let container = |job: &Value| job["spec"]["template"]["spec"]["containers"][0].clone();
    let job = read("kubernetes-evaluate.yaml");
    assert_eq!(
        (job["kind"].as_str(), job["spec"]["completionMode"].as_str()),
        (Some("Job"), Some("Indexed"))
    );
    let script = container(&job)["args"][0].as_str().expect("a script").to_owned();
    let count = job["spec"]["completions"].as_u64().expect("a number");
    assert!(
        script.contains(&format!("--shard \"$JOB_COMPLETION_INDEX/{count}\"")),
        "{script}"
    );
    flags_exist("kubernetes-evaluate.yaml", &script);
    let import = read("kubernetes-import.yaml");
    let command: Vec<String> = serde_json::from_value(container(&import)["command"].clone()).expect("words");
    flags_exist("kubernetes-import.yaml", &command.join(" "));
    for job in [&job, &import] {
        assert_eq!(job["apiVersion"], "batch/v1");
        let mounts = &container(job)["volumeMounts"][0]["name"];
        assert_eq!(*mounts, job["spec"]["template"]["spec"]["volumes"][0]["name"]);
    }
}
