//! Version check: a client sends its version with every statement, and when it connects to a scheduler.
//!
//! Ballista itself only compares its own major version. Ours combines the versions of this program, DataFusion and
//! Ballista with the identity of the compiled-in tables, which statements may read on any machine.

use std::any::Any;
use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use ballista_core::BALLISTA_VERSION;
use ballista_core::extension::BallistaGrpcMetadataInterceptor;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{ExecuteQueryParams, KeyValuePair};
use ballista_core::utils::create_grpc_client_endpoint;
use ballista_core::version::BALLISTA_VERSION_HEADER;
use datafusion::DATAFUSION_VERSION;
use datafusion::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionConfig;

use super::error::Error;

/// The client's version, sent as a setting of its session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agreement {
    /// Version of the client, as [`version`] returns it.
    pub(crate) version: String,
}

impl ExtensionOptions for Agreement {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), DataFusionError> {
        if key != "version" {
            return Err(DataFusionError::Configuration(format!(
                "no setting anatomy.{key}"
            )));
        }
        value.clone_into(&mut self.version);
        Ok(())
    }

    /// Entries under their full name, as settings are sent to the scheduler.
    fn entries(&self) -> Vec<ConfigEntry> {
        vec![ConfigEntry {
            key: SETTING.to_owned(),
            value: Some(self.version.clone()),
            description: "version of whoever asks",
        }]
    }
}

impl ConfigExtension for Agreement {
    const PREFIX: &'static str = "anatomy";
}

/// Full name of the setting.
const SETTING: &str = "anatomy.version";
/// Timeout of the version check.
const PATIENCE: Duration = Duration::from_secs(10);
/// Prefix of the scheduler's message when versions differ.
const DIFFER: &str = "anatomy versions differ: ";

/// The version of this program as a single word.
pub(crate) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let tables = catalog::catalog::snapshot_identity().unwrap_or_default();
        let tables = tables.get(..12).unwrap_or("none");
        format!(
            "anatomy-{}/datafusion-{DATAFUSION_VERSION}/ballista-{BALLISTA_VERSION}/tables-{tables}",
            env!("CARGO_PKG_VERSION")
        )
    });
    &VERSION
}

/// Checks that the session belongs to a client of this version.
///
/// # Errors
/// [`DataFusionError::Configuration`] naming both versions.
pub(crate) fn check(config: &SessionConfig) -> Result<(), DataFusionError> {
    let said = config.options().extensions.get::<Agreement>();
    let said = said.map_or("", |agreement| agreement.version.as_str());
    if said == version() {
        return Ok(());
    }
    let said = if said.is_empty() {
        "a client that says none"
    } else {
        said
    };
    Err(DataFusionError::Configuration(format!(
        "{DIFFER}{said} | {}",
        version()
    )))
}

/// Checks that a scheduler of `version` answers at `url`.
///
/// Sends a statement without a plan: only a scheduler of the same version accepts its session.
///
/// # Errors
/// [`Error::NoScheduler`] where nothing answers in time, [`Error::Versions`] where the versions differ.
pub(crate) async fn shake_hands(url: &str, version: &str) -> Result<(), Error> {
    match tokio::time::timeout(PATIENCE, asked(url, version)).await {
        Ok(done) => done,
        Err(_) => Err(Error::NoScheduler {
            address: url.to_owned(),
            message: format!("no answer within {} s", PATIENCE.as_secs()),
        }),
    }
}

async fn asked(url: &str, version: &str) -> Result<(), Error> {
    let none = |message: String| Error::NoScheduler {
        address: url.to_owned(),
        message,
    };
    let endpoint =
        create_grpc_client_endpoint(url.to_owned(), None).map_err(|error| none(error.to_string()))?;
    let channel = endpoint.connect().await.map_err(|error| none(causes(&error)))?;
    let header = HashMap::from([(BALLISTA_VERSION_HEADER.to_owned(), BALLISTA_VERSION.to_owned())]);
    let mut scheduler =
        SchedulerGrpcClient::with_interceptor(channel, BallistaGrpcMetadataInterceptor::new(header));
    let statement = ExecuteQueryParams {
        settings: vec![KeyValuePair {
            key: SETTING.to_owned(),
            value: Some(version.to_owned()),
        }],
        session_id: format!("handshake-{}", std::process::id()),
        operation_id: String::new(),
        query: Some(Query::LogicalPlan(Vec::new())),
    };
    match scheduler.execute_query(statement).await {
        Ok(_) => Ok(()),
        Err(status) => Err(differ(status.message()).unwrap_or_else(|| none(status.message().to_owned()))),
    }
}

/// Extracts both versions from an error message of a scheduler or executor; `None` where it is about something else.
pub(crate) fn differ(message: &str) -> Option<Error> {
    let (_, versions) = message.split_once(DIFFER)?;
    let (found, wanted) = versions.split_once(" | ")?;
    let end = wanted
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/')))
        .unwrap_or(wanted.len());
    Some(Error::Versions {
        found: found.to_owned(),
        wanted: wanted[..end].to_owned(),
    })
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
