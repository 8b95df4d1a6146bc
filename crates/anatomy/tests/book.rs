//! The book: its links lead somewhere, its commands are commands, its reference is current.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{anatomy, ran, root, skipped};

/// The pages of the book.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
}

/// The targets of Markdown links.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if !is_code {
            found.extend(line.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        }
    }
    found
}

#[test]
fn every_link_of_the_book_leads_somewhere_and_every_page_is_listed() {
    let source = root().join("docs/book/src");
    let summary = fs::read_to_string(source.join("SUMMARY.md")).expect("a summary");
    let listed: Vec<PathBuf> = links(&summary)
        .into_iter()
        .map(|link| source.join(link))
        .collect();
    let mut all = Vec::new();
    pages(&source, &mut all);
    let mut checked = 0;
    for page in &all {
        assert!(
            listed.contains(page) || page.ends_with("SUMMARY.md"),
            "{} is not listed",
            page.display()
        );
        for link in links(&fs::read_to_string(page).expect("a page")) {
            let target = link.split('#').next().unwrap_or(link);
            if target.contains("://") || target.is_empty() {
                continue;
            }
            let place = page.parent().expect("a folder").join(target);
            assert!(place.exists(), "{}: {link}", page.display());
            checked += 1;
        }
    }
    assert!(checked > 20 && listed.len() + 1 == all.len(), "{checked}");
}

#[test]
fn every_command_that_the_book_and_the_skill_print_is_one() {
    let mut all = vec![root().join("skills/anatomy/SKILL.md")];
    pages(&root().join("docs/book/src"), &mut all);
    let mut found = 0;
    for page in all.iter().filter(|page| !page.ends_with("reference/commands.md")) {
        let text = fs::read_to_string(page).expect("a page");
        for line in text.lines().filter(|line| line.starts_with("anatomy ")) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let command: Vec<&str> = words[1..]
                .iter()
                .copied()
                .take_while(|word| {
                    word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
                })
                .take(
                    if ["study", "catalog", "probe", "claims", "hub", "cluster"].contains(&words[1]) {
                        2
                    } else {
                        1
                    },
                )
                .chain(["--help"])
                .collect();
            let help = anatomy(&command);
            assert_eq!(help.code, 0, "{}: {line}", page.display());
            let quoted = line.split('"').step_by(2).collect::<String>();
            for flag in quoted.split_whitespace().filter(|word| word.starts_with("--")) {
                let flag = flag.trim_end_matches(['.', '`', ',']);
                assert!(help.stdout.contains(flag), "{}: {flag} in {line}", page.display());
            }
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}

/// The page of findings says how the claims stand, as the command does.
#[test]
fn the_book_counts_the_claims_as_the_command_does() {
    let told = anatomy(&["study", "claims", "--quiet"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    let numbers: Vec<&str> = told
        .stdout
        .lines()
        .next()
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .collect();
    let [all, agree, contradicted, open, untestable, cells, ..] = numbers[..] else {
        panic!("{}", told.stdout)
    };
    let page = fs::read_to_string(root().join("docs/book/src/found.md")).expect("a page");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        format!(
            "Of the ledger's {all} claims, read as the works made them, {agree} agree, {contradicted} are contradicted, {open} cannot be decided"
        ),
        format!("and {untestable} cannot be tested on these data; {cells} of the {all} are cells"),
    ] {
        assert!(page.contains(&sentence), "found.md does not say: {sentence}");
    }
}

#[test]
fn the_reference_of_the_book_is_current() {
    let mut command = Command::new("python3");
    command.arg(root().join("docs/book/reference.py")).args([
        "--check",
        "--anatomy",
        env!("CARGO_BIN_EXE_anatomy"),
    ]);
    if Command::new("python3").arg("--version").output().is_err() {
        skipped("python", "no python3 here");
        return;
    }
    let told = ran(command);
    assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
}
