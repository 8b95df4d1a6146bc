//! What people want done, and the benchmarks that ask for it.

use anyhow::{Result, bail};

use study::abilities::{ABILITIES, ability_of};

use super::Predictor;
use super::known::near;

/// The six of leaderboard v2: what is asked where no task is.
const ALL: [&str; 6] = study::dimensions::BENCHMARKS;

/// Every name of every task.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ABILITIES
        .iter()
        .flat_map(|ability| std::iter::once(ability.name).chain(ability.others.iter().copied()))
}

/// The benchmarks of tasks or benchmarks named, each once, in the order named.
///
/// # Errors
/// A name that is neither, with what there is.
pub(crate) fn benchmarks(predictor: &Predictor, asked: &[String]) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    };
    if asked.is_empty() {
        for name in ALL {
            add(name);
        }
    }
    for name in asked {
        let name = name.trim().to_ascii_lowercase();
        match (ability_of(&name), predictor.benchmark(&name)) {
            (Some(ability), _) => {
                for benchmark in ability.stand_for {
                    add(benchmark);
                }
            }
            (None, Some(benchmark)) => add(&benchmark.name),
            (None, None) => {
                let tasks: Vec<&str> = ABILITIES.iter().map(|ability| ability.name).collect();
                let benchmarks: Vec<&str> = predictor.names().collect();
                let like = near(&name, tasks.iter().chain(&benchmarks).copied());
                let hint = like
                    .first()
                    .map_or(String::new(), |like| format!(" (did you mean {like}?)"));
                bail!(
                    "no task or benchmark named `{name}`{hint}; tasks: {}; benchmarks: {}",
                    tasks.join(", "),
                    benchmarks.join(", ")
                );
            }
        }
    }
    Ok(found)
}

/// The abilities that tasks or benchmarks named ask for, each once; all where none is named.
pub(crate) fn abilities(asked: &[String]) -> Vec<&'static str> {
    let mut found: Vec<&str> = Vec::new();
    for name in asked {
        let name = name.trim().to_ascii_lowercase();
        let of_benchmark = || study::abilities::benchmark(&name).map(|known| known.abilities);
        let names =
            ability_of(&name).map_or_else(|| of_benchmark().unwrap_or_default(), |one| vec![one.name]);
        for name in names {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    if asked.is_empty() {
        found = ABILITIES.iter().map(|ability| ability.name).collect();
    }
    found
}
