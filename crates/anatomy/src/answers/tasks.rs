//! Tasks (abilities) that a user can name, and the benchmarks that measure them.

use anyhow::{Result, bail};

use study::abilities::{ABILITIES, ability_of};

use super::Predictor;
use super::known::near;

/// The six benchmarks of leaderboard v2: the default where no task is named.
const ALL: [&str; 6] = study::dimensions::BENCHMARKS;

/// Every name and alias of every task.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ABILITIES
        .iter()
        .flat_map(|ability| std::iter::once(ability.name).chain(ability.others.iter().copied()))
}

/// The benchmarks for the named tasks or benchmarks, each once, in the order named.
///
/// # Errors
/// A name that is neither, with similar names and the lists of both.
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

/// The abilities behind the named tasks or benchmarks, each once; all where none is named.
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
