//! The answer of `recommend` as lines and tables.

use std::fmt::Write;

use study::section::{Cell, Table};

use crate::answers::recommend::{BoardRanking, Choice, Ranked, RecommendAnswer, WhyAnswer, floors};

/// Characters of a whole bar.
const BAR: f64 = 20.0;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar of `share` of the whole, to an eighth of a character.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    let text = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    let gap = (BAR as usize).saturating_sub(text.chars().count());
    text + &" ".repeat(gap)
}

/// What brackets the rows of one group.
fn bracket(rows: &[Ranked], at: usize) -> &'static str {
    let same = |other: Option<&Ranked>| other.is_some_and(|row| row.group == rows[at].group);
    match (
        same(at.checked_sub(1).and_then(|before| rows.get(before))),
        same(rows.get(at + 1)),
    ) {
        (false, false) => " ",
        (false, true) => "┌",
        (true, true) => "│",
        (true, false) => "└",
    }
}

fn as_speed(row: &Ranked) -> String {
    let speed = row
        .running
        .speed
        .as_ref()
        .and_then(|speed| speed.decode_tokens_per_s.as_ref());
    speed.map_or_else(String::new, |speed| {
        format!("  {:.0}–{:.0} tokens/s", speed.low, speed.high)
    })
}

/// One line a checkpoint with a bar, one below it that says why and which copy to take.
pub(crate) fn lines(answer: &RecommendAnswer) -> String {
    let rows = &answer.ranking;
    let mut text = String::new();
    let Some(first) = rows.first() else {
        return text;
    };
    let _ = writeln!(
        text,
        "{} of {} that fit into {:.1} GB{} and were measured, by {}; points as {} would give them, with 95 %; a bracket holds what \
         cannot be told apart, official and original checkpoints first; ordered by the lower end",
        rows.len(),
        answer.n_ranked,
        answer.budget.memory_bytes / 1e9,
        answer.budget.conditions(),
        answer.budget.what(),
        first.ability.on
    );
    let widest = rows.iter().map(|row| row.id.chars().count()).max().unwrap_or(0);
    let most = rows.iter().map(|row| row.ability.high).fold(1.0, f64::max);
    for (at, row) in rows.iter().enumerate() {
        let gap = " ".repeat(widest - row.id.chars().count());
        let running = &row.running;
        let _ = writeln!(
            text,
            "{:>4} {} {}{gap}  {} {:>5.1} [{:.1}, {:.1}]  {:<7} {:>6.1} GB{}",
            row.rank,
            bracket(rows, at),
            row.id,
            bar(row.ability.value / most),
            row.ability.value,
            row.ability.low,
            row.ability.high,
            running.quant.name(),
            running.memory.total_bytes / 1e9,
            as_speed(row),
        );
        let inside = if matches!(bracket(rows, at), "┌" | "│") {
            "│"
        } else {
            " "
        };
        let _ = writeln!(text, "     {inside}   {}; {}", row.why, copy_in_words(row));
    }
    let boards: Vec<String> = answer
        .linked_boards
        .iter()
        .map(|board| {
            format!(
                "{} ({}, {})",
                board.board,
                board.n,
                board.newest_score_date.as_deref().unwrap_or("undated")
            )
        })
        .collect();
    let _ = writeln!(text, "boards (checkpoints, newest score): {}", boards.join(", "));
    text
}

fn copy_in_words(row: &Ranked) -> String {
    let n = row.boards.len();
    let boards = format!(
        "{n} board{}, newest {}",
        if n == 1 { "" } else { "s" },
        row.newest_score_date.as_deref().unwrap_or("?")
    );
    if row.running.quant.bits_of_plain().is_some() {
        return boards;
    }
    match row.copies.first() {
        Some(copy) => format!("{boards}; copy: {copy}"),
        None => format!("{boards}; no copy known"),
    }
}

/// What was never measured on the benchmarks that stand for the task, apart and marked.
pub(crate) fn predicted_lines(answer: &RecommendAnswer, most: usize) -> String {
    let shown = &answer.predicted[..answer.predicted.len().min(most)];
    if shown.is_empty() {
        return "Predicted: none that fits could be predicted.\n".to_owned();
    }
    let mut text = format!(
        "Predicted, not measured (~): {} of {} that fit, the mean of {} with 80 %\n",
        shown.len(),
        answer.n_predicted,
        answer.benchmarks.join(", ")
    );
    let widest = shown
        .iter()
        .map(|choice| choice.id.chars().count())
        .max()
        .unwrap_or(0);
    for choice in shown {
        let gap = " ".repeat(widest - choice.id.chars().count());
        let ends = choice.interval.as_ref().map_or_else(String::new, |ends| {
            format!(" [{:.1}, {:.1}]", ends.low, ends.high)
        });
        let _ = writeln!(
            text,
            "  ~  {}{gap}  {:>5.1}{ends}  {:<7} {:>6.1} GB{}",
            choice.id,
            choice.score,
            choice.running.quant.name(),
            choice.running.memory.total_bytes / 1e9,
            floors(choice).map_or(String::new(), |words| format!("  {words}"))
        );
    }
    text
}

/// Why a checkpoint is in or out: each condition with what it has and what was asked.
pub(crate) fn why_lines(why: &WhyAnswer) -> String {
    let mut text = format!("{}: {}\n", why.id, why.words);
    for one in &why.conditions {
        let mark = match one.holds {
            Some(true) => "holds",
            Some(false) => "FAILS",
            None => "cannot be told",
        };
        let _ = writeln!(
            text,
            "  {mark:<6} {}: {} (asked: {})",
            one.name, one.value, one.limit
        );
    }
    for one in &why.boards {
        let ends = one.interval.as_ref().map_or_else(String::new, |ends| {
            format!(" [{:.1}, {:.1}]", ends.low, ends.high)
        });
        let mode = one
            .mode
            .as_ref()
            .map_or_else(String::new, |mode| format!(", {mode}"));
        let _ = writeln!(
            text,
            "  {} {:.1}{ends} ({}; {}{mode})",
            one.board,
            one.value,
            one.benchmarks.join(", "),
            one.newest_score_date.as_deref().unwrap_or("undated")
        );
    }
    text
}

/// What more memory buys.
pub(crate) fn upgrade_lines(answer: &RecommendAnswer) -> String {
    let mut text = String::from("More memory:\n");
    for step in &answer.upgrade {
        let gain = if step.gain.abs() < 0.05 {
            "nothing more able".to_owned()
        } else if step.is_told_apart {
            format!("{:+.1} points", step.gain)
        } else {
            format!("{:+.1} points, which cannot be told apart from none", step.gain)
        };
        let _ = writeln!(
            text,
            "  {:>4.0} GB: {} as {} ({:.1} GB), {gain}; {} more that were measured fit",
            step.memory_bytes / 1e9,
            step.id,
            step.quant,
            step.total_bytes / 1e9,
            step.n_more
        );
    }
    text
}

/// The ranking as a table, a row a checkpoint.
pub(crate) fn ranking_table(answer: &RecommendAnswer) -> Table {
    let columns = [
        "#",
        "group",
        "checkpoint",
        "ability",
        "low",
        "high",
        "size (B)",
        "quant",
        "GB",
        "spare (GB)",
        "tokens/s",
        "tokens/s low",
        "tokens/s high",
        "boards",
        "newest score",
        "released",
        "licence",
        "copy",
        "why",
    ];
    let text = |value: &Option<String>| value.clone().map_or(Cell::Missing, Cell::from);
    let rows = answer.ranking.iter().map(|row| {
        let running = &row.running;
        let speed = running
            .speed
            .as_ref()
            .and_then(|speed| speed.decode_tokens_per_s.as_ref());
        vec![
            row.rank.into(),
            row.group.into(),
            row.id.as_str().into(),
            row.ability.value.into(),
            row.ability.low.into(),
            row.ability.high.into(),
            row.size.into(),
            running.quant.name().into(),
            (running.memory.total_bytes / 1e9).into(),
            (running.spare_bytes / 1e9).into(),
            speed.map(|speed| speed.value).into(),
            speed.map(|speed| speed.low).into(),
            speed.map(|speed| speed.high).into(),
            row.boards
                .iter()
                .map(|one| one.board.as_str())
                .collect::<Vec<_>>()
                .join(", ")
                .into(),
            text(&row.newest_score_date),
            text(&row.date),
            text(&row.license),
            row.copies
                .first()
                .map_or(Cell::Missing, |copy| copy.as_str().into()),
            row.why.as_str().into(),
        ]
    });
    Table {
        id: "recommend_ranking".into(),
        columns: columns.map(String::from).to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

/// One list of choices by the benchmarks of one leaderboard.
pub(crate) fn table(answer: &RecommendAnswer, choices: &[&Choice]) -> Table {
    let mut columns: Vec<String> = ["#", "group", "checkpoint", "score", "low", "high"]
        .map(String::from)
        .to_vec();
    if answer.benchmarks.len() > 1 {
        columns.extend(answer.benchmarks.iter().cloned());
    }
    columns.extend(["size (B)", "quant", "GB", "tokens/s", "licence", "source", "why"].map(String::from));
    let rows = choices
        .iter()
        .map(|choice| {
            let mark = if choice.is_predicted { "~" } else { "" };
            let ends = choice.interval.as_ref();
            let mut cells: Vec<Cell> = vec![
                format!("{mark}{}", choice.rank).into(),
                choice.group.into(),
                choice.id.as_str().into(),
                choice.score.into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
            ];
            if answer.benchmarks.len() > 1 {
                cells.extend(choice.scores.iter().map(|score| {
                    let mark = if score.is_predicted { "~" } else { "" };
                    Cell::from(format!("{mark}{:.1}", score.value))
                }));
            }
            let mut sources: Vec<&str> = choice.scores.iter().map(|score| score.source.as_str()).collect();
            sources.dedup();
            cells.extend([
                Cell::from(choice.size),
                choice.running.quant.name().into(),
                Cell::from(choice.running.memory.total_bytes / 1e9),
                Cell::from(choice.running.decodes()),
                choice.license.clone().map_or(Cell::Missing, Cell::from),
                sources.join(" + ").into(),
                choice.why.as_str().into(),
            ]);
            cells
        })
        .collect();
    Table {
        id: "recommend".into(),
        columns,
        rows,
        ..Table::default()
    }
}

/// What a board is, when it was last added to and how old that is, in one line.
pub(crate) fn heading(ranking: &BoardRanking) -> String {
    let when = ranking.newest.as_deref().unwrap_or("at a day not known");
    let age = match ranking.months_older {
        Some(months) if months > 0 => format!(", {months} months before the newest score here"),
        _ => String::new(),
    };
    format!(
        "By {} (newest {when}{age}), the mean of {}: {} of {} that fit",
        ranking.board,
        ranking.benchmarks.join(", "),
        ranking.choices.len(),
        ranking.n
    )
}

/// A board's ranking; each row says of which day the checkpoint is and how it was run.
pub(crate) fn board_table(ranking: &BoardRanking) -> Table {
    let columns = [
        "#",
        "group",
        "checkpoint",
        "score",
        "low",
        "high",
        "size (B)",
        "quant",
        "GB",
        "licence",
        "released",
        "run",
        "source",
    ];
    let rows = ranking.choices.iter().map(|choice| {
        let run = choice.scores.iter().find_map(|score| score.run.as_ref());
        let said = run.map(|run| {
            let split = run.split.as_ref().map(|split| format!("{split} split"));
            let said: Vec<String> = [run.mode.clone(), split].into_iter().flatten().collect();
            said.join(", ")
        });
        let ends = choice.interval.as_ref();
        vec![
            choice.rank.into(),
            choice.group.into(),
            choice.id.as_str().into(),
            choice.score.into(),
            ends.map(|ends| ends.low).into(),
            ends.map(|ends| ends.high).into(),
            choice.size.into(),
            choice.running.quant.name().into(),
            (choice.running.memory.total_bytes / 1e9).into(),
            choice.license.clone().map_or(Cell::Missing, Cell::from),
            choice.date.clone().map_or(Cell::Missing, Cell::from),
            said.filter(|text| !text.is_empty())
                .map_or(Cell::Missing, Cell::from),
            choice
                .scores
                .first()
                .map_or(Cell::Missing, |score| score.source.as_str().into()),
        ]
    });
    Table {
        id: format!("recommend_{}", ranking.board),
        columns: columns.map(String::from).to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}
