//! `anatomy hub crawl`: one run, its progress and its summary.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use study::section::{Cell, Table};

use super::CrawlArgs;
use super::session::{Session, with_session};
use crate::global::{Format, Global};
use crate::hub::crawl::{Ending, crawl};
use crate::hub::error::Error;
use crate::hub::export::{self, Exported};
use crate::hub::leaderboards::{self, Taken};
use crate::hub::listing::ListingQuery;
use crate::hub::progress::Progress;
use crate::hub::state::Counts;
use crate::provenance::Provenance;
use crate::{output, progress};

/// Interval between progress lines where neither a bar nor JSON is shown.
const LINE: Duration = Duration::from_secs(30);

/// Results of a run.
struct Ran {
    ending: Ending,
    counts: Counts,
    reasons: super::status::Reasons,
    leaderboards: Vec<Taken>,
    exported: Exported,
    last: Progress,
    bytes: u64,
}

pub(crate) fn run(global: &Global, args: &CrawlArgs) -> Result<ExitCode> {
    let question = ListingQuery {
        filters: match (args.all, args.filter.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec!["text-generation".into()],
            (false, false) => args.filter.clone(),
        },
        author: args.author.clone(),
        search: args.search.clone(),
        sort: args.sort.clone(),
        limit: args.limit,
    };
    let ran = with_session(&args.connection, async |session: &Session| {
        one(global, args, &question, session).await
    })?;
    summary(global, args, &ran)?;
    let left = ran.reasons.may_pass + ran.counts.to_fetch;
    Ok(if ran.ending == Ending::Complete && left == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

async fn one(
    global: &Global,
    args: &CrawlArgs,
    question: &ListingQuery,
    session: &Session,
) -> Result<Ran, Error> {
    let sources = args.connection.hub.join("sources");
    let teller = Teller::new(global);
    let mut leaderboards = Vec::new();
    if !args.no_leaderboards {
        teller.bar.set_message("leaderboards");
        let inbox = &session.writer.inbox;
        leaderboards =
            leaderboards::fetch_all(&session.client, &session.store, inbox, &sources, args.successors)
                .await?;
    }
    let ending = crawl(
        &session.client,
        &session.store,
        &session.writer,
        question,
        &|now| teller.tell(now),
        session.stop.clone(),
    )
    .await;
    // A run that was stopped early still stores what was fetched.
    if ending.is_ok() {
        session.writer.flush().await?;
    }
    let last = teller.finish();
    let ending = ending?;
    let exported = export::sources(&session.store, &sources)?;
    Ok(Ran {
        ending,
        counts: session.store.view()?.counts()?,
        reasons: super::status::reasons(&session.store)?,
        leaderboards,
        exported,
        last,
        bytes: session
            .client
            .tally
            .bytes
            .load(std::sync::atomic::Ordering::Relaxed),
    })
}

/// Reports progress: a bar on a terminal, JSON lines once a second for programs, occasional text lines in a log.
struct Teller {
    bar: ProgressBar,
    quiet: bool,
    json: bool,
    said: Mutex<(Instant, Progress)>,
}

impl Teller {
    fn new(global: &Global) -> Self {
        let bar = progress::bar(global.quiet || global.format() == Format::Json, 0, "listing");
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            quiet: global.quiet,
            json: global.format() == Format::Json,
            said: Mutex::new((Instant::now(), Progress::default())),
        }
    }

    fn tell(&self, now: &Progress) {
        let mut said = self
            .said
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = if self.json { Duration::from_secs(1) } else { LINE };
        self.bar.set_length(now.counts.listed);
        self.bar
            .set_position(now.counts.listed.saturating_sub(now.counts.to_fetch));
        self.bar.set_message(line(now));
        if said.0.elapsed() >= due && !self.quiet && (self.json || self.bar.is_hidden()) {
            said.0 = Instant::now();
            if self.json {
                output::say(false, &json!(now).to_string());
            } else {
                let settled = now.counts.listed.saturating_sub(now.counts.to_fetch);
                output::say(false, &format!("{settled}/{}  {}", now.counts.listed, line(now)));
            }
        }
        said.1 = now.clone();
    }

    fn finish(&self) -> Progress {
        self.bar.finish_and_clear();
        self.said
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .1
            .clone()
    }
}

fn line(now: &Progress) -> String {
    let mut parts = vec![format!("{:.0}/s", now.rate)];
    if !now.listing_complete {
        parts.push(format!("listing ({} so far)", now.listed_now));
    }
    if now.counts.failed > 0 {
        parts.push(format!("{} failed", now.counts.failed));
    }
    let retries: u64 = now.retries.values().sum();
    if retries > 0 {
        parts.push(format!("{retries} retries"));
    }
    if let (Some(left), Some(quota), Some(reset)) = (now.quota_left, now.quota, now.quota_reset) {
        parts.push(format!("quota {left}/{quota} for {reset:.0} s"));
    }
    if let Some(seconds) = now.seconds_left {
        parts.push(format!("{} left", duration(seconds)));
    }
    parts.join(", ")
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn summary(global: &Global, args: &CrawlArgs, ran: &Ran) -> Result<()> {
    if global.format() == Format::Json {
        let all = json!({
            "complete": ran.ending == Ending::Complete && ran.counts.to_fetch == 0,
            "counts": ran.counts,
            "reasons": ran.reasons.by_standing,
            "leaderboards": ran.leaderboards,
            "exported": {"entries": ran.exported.entries, "configs": ran.exported.configs},
            "nameless": ran.last.nameless,
            "requests": ran.last.requests,
            "retries": ran.last.retries,
            "bytes": ran.bytes,
            "seconds": ran.last.seconds,
        });
        return output::json("crawl", &all, Provenance::bare());
    }
    let table = super::status::counts_table(&ran.counts, &ran.reasons);
    if global.format() == Format::Csv {
        return output::result_bytes(&output::csv(&table)?);
    }
    output::result(&output::table(&table))?;
    if !ran.leaderboards.is_empty() {
        output::result(&format!("\n{}", output::table(&taken_table(&ran.leaderboards))))?;
    }
    let retries: Vec<String> = ran
        .last
        .retries
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    output::say(
        global.quiet,
        &format!(
            "{}: {} ({} requests in {}{}{})",
            match ran.ending {
                Ending::Complete => "Written",
                Ending::Stopped => "Stopped, run it again to go on",
            },
            args.connection.hub.display(),
            ran.last.requests,
            duration(ran.last.seconds),
            if retries.is_empty() { "" } else { "; retries: " },
            retries.join(", "),
        ),
    );
    Ok(())
}

fn taken_table(all: &[Taken]) -> Table {
    Table {
        id: "leaderboards".into(),
        columns: [
            "leaderboard",
            "revision",
            "fetched",
            "unchanged",
            "failed because",
        ]
        .map(String::from)
        .to_vec(),
        rows: all
            .iter()
            .map(|taken| {
                let cells: [Cell; 5] = [
                    taken.dataset.as_str().into(),
                    taken.revision.clone().map_or(Cell::Missing, Cell::Text),
                    (taken.fetched as usize).into(),
                    (taken.unchanged as usize).into(),
                    taken.failure.clone().map_or(Cell::Missing, Cell::Text),
                ];
                cells.to_vec()
            })
            .collect(),
        ..Table::default()
    }
}
