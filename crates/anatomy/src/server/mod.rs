//! `anatomy serve`: the dashboard and its JSON API.
//!
//! The tables are in memory, the study is computed in the background, and unchanging responses are cached. Visitors
//! supply only SQL and addresses: SQL runs in separate processes ([`sql`]), templates escape everything shown, and
//! scripts and styles are only loaded from this server ([`layers`]).

mod answering;
mod api;
mod asked;
mod checkpoints;
mod columns;
mod connection;
mod differences_figure;
mod figure_table;
mod layers;
mod memory;
mod metrics;
mod narrowed;
mod once;
mod pages;
mod params;
mod peers;
mod plotly;
mod problem;
mod remember;
mod scores_figure;
mod search;
pub(crate) mod sql;
mod state;
mod statics;
mod structure_svg;
mod study;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::catalog::Catalog;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use checkpoints::Checkpoints;
use connection::{Guarded, Patience, Peer};
use metrics::Gauges;
use state::{Shared, Site};
pub(crate) use study::Plan;

use crate::probes::Probes;

/// Time allowed for pending requests after a termination signal.
const GRACE: Duration = Duration::from_secs(10);

const PATIENCE: Patience = Patience {
    idle: Duration::from_mins(1),
    head: Duration::from_secs(10),
    write: Duration::from_secs(20),
};

/// Settings of the server.
pub(crate) struct ServerSettings {
    pub(crate) address: SocketAddr,
    pub(crate) catalog: Catalog,
    pub(crate) report: Option<PathBuf>,
    pub(crate) probes: Option<PathBuf>,
    pub(crate) study: Plan,
    pub(crate) connections: usize,
    pub(crate) sql: sql::Limits,
    /// Arguments that start this program as a worker process for visitors' SQL.
    pub(crate) sql_arguments: Vec<String>,
}

/// Runs the server until a signal ends it; `listening` receives the address once it is open.
///
/// # Errors
/// The address is not available, or a report or folder cannot be read.
pub(crate) fn run(settings: ServerSettings, listening: impl FnOnce(SocketAddr) -> Result<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    let done = runtime.block_on(serve(settings, listening));
    // SQL processes end with the server; fits being computed are abandoned.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn serve(settings: ServerSettings, listening: impl FnOnce(SocketAddr) -> Result<()>) -> Result<()> {
    let listener = TcpListener::bind(settings.address)
        .await
        .with_context(|| format!("cannot listen on {}", settings.address))?;
    let address = listener.local_addr().context("cannot determine the address")?;
    let ServerSettings {
        catalog,
        report,
        probes,
        study,
        ..
    } = settings;
    let given = report
        .map(|folder| study::read(&folder, &catalog.manifest.catalog_sha256))
        .transpose()?;
    let probes = match probes {
        Some(folder) => Probes::read(&folder)?,
        None => Probes::default(),
    };
    let seed = study.seed;
    let site = Arc::new(Site::new(
        Checkpoints::of(Arc::new(catalog)),
        study::Slot::new(study, given)?,
        sql::Pool::new(settings.sql, settings.sql_arguments),
        probes,
        seed,
    ));
    start_study(&site)?;
    let warming = Arc::clone(&site);
    tokio::spawn(async move { warming.sql.warm().await });

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let guarded = Guarded::new(listener, settings.connections, PATIENCE, Arc::clone(&site.open));
    let service = app(&site).into_make_service_with_connect_info::<Peer>();
    let mut asked = stopped.clone();
    let serving = axum::serve(guarded, service).with_graceful_shutdown(async move {
        let _ = asked.wait_for(|stop| *stop).await;
    });
    let interrupted = crate::signals::interrupted();
    listening(address)?;
    let serving = serving.into_future();
    tokio::pin!(serving);
    tokio::select! {
        done = &mut serving => return done.context("serving ended"),
        () = interrupted => {}
    }
    let _ = stop.send(true);
    // Clients still reading after the grace period are disconnected.
    match tokio::time::timeout(GRACE, serving).await {
        Ok(done) => done.context("serving ended"),
        Err(_) => Ok(()),
    }
}

/// Computes the study and then the fits behind predictions on a separate thread, which is abandoned on shutdown.
fn start_study(site: &Shared) -> Result<()> {
    let site = Arc::clone(site);
    let is_there = site.study.take_kept(&site.checkpoints.catalog)?;
    std::thread::Builder::new()
        .name("study".into())
        .spawn(move || {
            if is_there {
                site.answers.warm();
                return;
            }
            // First the fast sections of the study, then the fits for visitors, then the slow sections.
            let mut is_first = true;
            site.study.compute(&site.checkpoints, || {
                site.changed();
                if std::mem::take(&mut is_first) {
                    site.answers.warm();
                }
            });
        })
        .context("cannot start a thread")?;
    Ok(())
}

/// The router with all routes and layers.
fn app(site: &Shared) -> Router {
    let mut router = Router::new().route("/metrics", get(metrics_text));
    for (_, path, handler) in api::routes() {
        router = router.route(path, handler);
    }
    let router = pages::add(statics::add(router)).fallback(pages::nowhere);
    layers::around(router, site)
}

async fn metrics_text(State(state): State<Shared>) -> impl IntoResponse {
    use std::sync::atomic::Ordering::Relaxed;
    let gauges = Gauges {
        connections: state.open.count(),
        uptime: state.started.elapsed(),
        remembered: state.memory.bytes(),
        study_ready: !state.study.is_computing(),
        fits_ready: state.answers.words().0 == "ready",
        sql_answered: state.sql.answered.load(Relaxed),
        sql_refused: state.sql.refused.load(Relaxed),
        sql_stopped: state.sql.stopped.load(Relaxed),
    };
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        state.metrics.text(&gauges),
    )
}
