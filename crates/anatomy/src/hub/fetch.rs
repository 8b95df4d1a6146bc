//! Fetches the config of single checkpoints and classifies the outcome.

use reqwest::Url;

use crate::hub::answer::HubResponse;
use crate::hub::client::Client;
use crate::hub::config;
use crate::hub::error::{Error, Permanent, RequestFailure};
use crate::hub::listing::{EXPAND, Entry, is_id};
use crate::hub::message::Outcome;
use crate::hub::state::Standing;
use crate::hub::store::{Queued, Store};
use crate::hub::writer::Writer;

/// Maximum length of a config; the largest seen has 3 MB.
const CONFIG_BYTES: u64 = 64 << 20;

/// Fetches a config at the listed commit, or at the branch `main` where that commit no longer exists.
///
/// # Errors
/// Errors that must stop the whole run: the Hub is unreachable, there is no secure connection, or the token is refused.
pub(crate) async fn config(client: &Client, queued: Queued) -> Result<Outcome, Error> {
    let mut revision = queued.sha.clone().unwrap_or_else(|| "main".into());
    loop {
        let url = file_url(client, "", &queued.id, &revision, "config.json")?;
        let failure = match client.get(&url, CONFIG_BYTES, Ok).await {
            Ok(answer) => return Ok(had(queued, answer)),
            Err(failure) => failure,
        };
        if failure == RequestFailure::Permanent(Permanent::NoRevision) && revision != "main" {
            revision = "main".into();
            continue;
        }
        return match failure {
            RequestFailure::Away(_)
            | RequestFailure::Tls(_)
            | RequestFailure::Permanent(Permanent::BadToken { .. }) => Err(client.stop(&url, failure)),
            failure => Ok(not_had(queued, &failure)),
        };
    }
}

fn had(queued: Queued, answer: HubResponse) -> Outcome {
    let reason = config::read(&answer.body).err();
    Outcome {
        queued,
        standing: if reason.is_none() {
            Standing::Stored
        } else {
            Standing::Broken
        },
        message: reason.clone(),
        reason: reason.map(|_| "no_json_object".into()),
        config: Some((answer.body, answer.tag)),
        commit: answer.commit,
    }
}

fn not_had(queued: Queued, failure: &RequestFailure) -> Outcome {
    let standing = match failure {
        RequestFailure::Permanent(Permanent::NoFile) => Standing::WithoutConfig,
        RequestFailure::Permanent(Permanent::Gated { .. }) => Standing::Gated,
        _ => Standing::Failed,
    };
    Outcome {
        queued,
        standing,
        reason: Some(failure.kind().into()),
        message: Some(failure.to_string()),
        config: None,
        commit: None,
    }
}

/// Address of a file: `/{kind}{id}/resolve/{revision}/{path}`, where `kind` is empty or `datasets/`.
///
/// # Errors
/// [`Error::Address`].
pub(crate) fn file_url(
    client: &Client,
    kind: &str,
    id: &str,
    revision: &str,
    path: &str,
) -> Result<Url, Error> {
    let mut url = client.settings.url("/")?;
    let wrong = |text: String| Error::Address {
        text,
        message: "it cannot have a path".into(),
    };
    let text = url.to_string();
    url.path_segments_mut()
        .map_err(|()| wrong(text))?
        .pop_if_empty()
        .extend(
            kind.split('/')
                .chain(id.split('/'))
                .filter(|part| !part.is_empty()),
        )
        .extend(["resolve", revision])
        .extend(path.split('/'));
    Ok(url)
}

/// The Hub's entry of one checkpoint, under its current name if it was renamed.
///
/// # Errors
/// [`Error::Id`] for an impossible name, or an error that must stop the run; other failures are returned inside `Ok`.
pub(crate) async fn entry(client: &Client, id: &str) -> Result<Result<Entry, RequestFailure>, Error> {
    if !is_id(id) {
        return Err(Error::Id { id: id.to_owned() });
    }
    let mut url = client.settings.url(&format!("/api/models/{id}"))?;
    {
        let mut query = url.query_pairs_mut();
        for field in EXPAND.into_iter().chain(["baseModels"]) {
            query.append_pair("expand[]", field);
        }
    }
    let read = |answer: HubResponse| {
        Entry::new(&answer.json()?).ok_or_else(|| RequestFailure::Ours {
            status: 200,
            message: "JSON without a checkpoint's `id`".into(),
        })
    };
    match client.get(&url, 64 << 20, read).await {
        Ok(entry) => Ok(Ok(entry)),
        Err(
            failure @ (RequestFailure::Away(_)
            | RequestFailure::Tls(_)
            | RequestFailure::Permanent(Permanent::BadToken { .. })),
        ) => Err(client.stop(&url, failure)),
        Err(failure) => Ok(Err(failure)),
    }
}

/// The outcome for a checkpoint requested by name.
#[derive(Debug, Clone)]
pub(crate) struct Had {
    /// The requested name.
    pub(crate) asked: String,
    /// Its current name; `None` where the Hub knows no such checkpoint.
    pub(crate) id: Option<String>,
    /// Its standing; `None` where the Hub knows no such checkpoint.
    pub(crate) standing: Option<Standing>,
    /// The commit that its config belongs to, else the listed commit.
    pub(crate) revision: Option<String>,
    /// Hash of its config.
    pub(crate) tag: Option<String>,
    /// Why there is no config.
    pub(crate) reason: Option<String>,
}

/// Fetches one checkpoint by name, unless the outcome for its newest commit is stored already.
///
/// # Errors
/// Errors that must stop a run.
pub(crate) async fn by_name(
    client: &Client,
    store: &Store,
    writer: &Writer,
    asked: &str,
) -> Result<Had, Error> {
    let entry = match entry(client, asked).await? {
        Ok(entry) => entry,
        Err(failure) => {
            return Ok(Had {
                asked: asked.to_owned(),
                id: None,
                standing: None,
                revision: None,
                tag: None,
                reason: Some(failure.to_string()),
            });
        }
    };
    let id = entry.id.clone();
    writer.named(entry).await?;
    let place = store.view()?.state(&id)?.map_or(0, |state| state.place);
    if place > 0
        && let Some(queued) = store
            .view()?
            .queued(place - 1, 1)?
            .pop()
            .filter(|queued| queued.id == id)
    {
        writer.done(config(client, queued).await?).await?;
    }
    let state = store.view()?.state(&id)?;
    Ok(Had {
        asked: asked.to_owned(),
        standing: state.as_ref().map(|state| state.standing),
        revision: state
            .as_ref()
            .and_then(|state| state.commit.clone().or(state.sha.clone())),
        tag: state.as_ref().and_then(|state| state.tag.clone()),
        reason: state.and_then(|state| state.message),
        id: Some(id),
    })
}
