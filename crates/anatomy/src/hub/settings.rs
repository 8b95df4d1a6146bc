//! Reads the Hub's address, the token and paths from the environment variables shared by all Hugging Face tools.
//!
//! `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HOME` and `XDG_CACHE_HOME` as in `huggingface_hub` (documentation,
//! `package_reference/environment_variables`); the HTTP client itself reads the proxies (`HTTPS_PROXY`, `NO_PROXY` …).

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;

use crate::hub::error::Error;

/// Address of the Hub itself.
pub(crate) const HUB: &str = "https://huggingface.co";

/// An access token, which is never shown in messages.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    value: String,
    /// Where it was found, for messages.
    pub(crate) from: String,
}

impl Token {
    /// A token found in `from`; `None` where the text is not a valid token. Line breaks would corrupt headers.
    pub(crate) fn new(text: &str, from: impl Into<String>) -> Option<Self> {
        let value = text.trim();
        let fine = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        fine.then(|| Self {
            value: value.to_owned(),
            from: from.into(),
        })
    }

    /// Value for the header `Authorization`.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(hidden, from {})", self.from)
    }
}

/// Settings for access to the Hub.
#[derive(Debug, Clone)]
pub(crate) struct CrawlSettings {
    /// Base address.
    pub(crate) endpoint: Url,
    /// Access token; `None` for anonymous access.
    pub(crate) token: Option<Token>,
    /// Maximum number of concurrent requests.
    pub(crate) concurrency: usize,
    /// A response without new data for this long counts as stalled.
    pub(crate) stall: Duration,
    /// Number of tries before a request fails.
    pub(crate) tries: u32,
    /// How long the Hub may be unreachable before a run gives up.
    pub(crate) outage: Duration,
}

impl CrawlSettings {
    /// Reads the environment, through `variable`, and token files.
    ///
    /// # Errors
    /// [`Error::Address`] where the endpoint is not an address; [`Error::Io`] where a token file cannot be read.
    pub(crate) fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        concurrency: usize,
    ) -> Result<Self, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| HUB.to_owned());
        Ok(Self {
            endpoint: address(&endpoint)?,
            token: token(&variable)?,
            concurrency,
            stall: Duration::from_secs(10),
            tries: 8,
            outage: Duration::from_mins(5),
        })
    }

    /// An address on the Hub; `path` begins with a slash.
    ///
    /// # Errors
    /// [`Error::Address`] where endpoint and path do not form a valid address.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        let text = format!("{}{path}", self.endpoint.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|error| Error::Address {
            text,
            message: error.to_string(),
        })
    }
}

/// Whether the environment forbids Hugging Face tools to access the Hub.
pub(crate) fn is_offline(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("HF_HUB_OFFLINE")
        .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}

fn address(text: &str) -> Result<Url, Error> {
    let wrong = |message: String| Error::Address {
        text: text.to_owned(),
        message,
    };
    let url = Url::parse(text.trim()).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong(
            "it must begin with https:// or http:// and name a host".into(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must end before `?` or `#`".into()));
    }
    Ok(url)
}

fn token(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Token>, Error> {
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let Some(value) = variable(name) {
            return Ok(Token::new(&value, name));
        }
    }
    let Some(path) = token_path(variable) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Token::new(&text, path.display().to_string())),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::io("read the token in", &path)(error)),
    }
}

fn token_path(variable: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(path) = variable("HF_TOKEN_PATH") {
        return Some(PathBuf::from(path));
    }
    Some(own_folder(variable)?.join("token"))
}

/// Cache folder shared by all Hugging Face tools: `HF_HUB_CACHE`, else `hub` in the folder of [`own_folder`].
pub(crate) fn cache(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let named = variable("HF_HUB_CACHE").or_else(|| variable("HUGGINGFACE_HUB_CACHE"));
    named
        .map(PathBuf::from)
        .or_else(|| Some(own_folder(&variable)?.join("hub")))
}

/// `HF_HOME`, else the folder `huggingface` in the user's cache folder.
fn own_folder(variable: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = variable("HOME");
    let expand = |path: String| match (path.strip_prefix("~/"), &home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    };
    variable("HF_HOME")
        .map(expand)
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("huggingface")))
        .or_else(|| {
            home.as_ref()
                .map(|home| Path::new(home).join(".cache/huggingface"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<CrawlSettings, Error> {
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        CrawlSettings::from_environment(
            move |wanted| {
                let found = pairs.iter().find(|(name, _)| name == wanted);
                found.map(|(_, value)| value.clone())
            },
            8,
        )
    }

    #[test]
    fn the_variable_wins_over_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "hf_file\n").expect("a file");
        let home = folder.path().to_str().expect("UTF-8");
        let token = |pairs: &[(&str, &str)]| with(pairs).expect("settings").token.map(|token| token.header());
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("Bearer hf_file"));
        assert_eq!(
            token(&[("HF_HOME", home), ("HF_TOKEN", " hf_own ")]).as_deref(),
            Some("Bearer hf_own")
        );
        assert_eq!(token(&[("HF_HOME", "/no/such/folder")]), None);
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN_PATH", "/no/such")]), None);
    }

    #[test]
    fn a_token_is_never_shown() {
        let settings = with(&[("HF_TOKEN", "hf_secret")]).expect("settings");
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn an_address_is_one() {
        let settings =
            with(&[("HF_ENDPOINT", "http://127.0.0.1:8765/"), ("HF_TOKEN", "x")]).expect("settings");
        assert_eq!(
            settings.url("/api/models?limit=1").expect("an address").as_str(),
            "http://127.0.0.1:8765/api/models?limit=1"
        );
        for text in [
            "huggingface.co",
            "ftp://huggingface.co",
            "https://",
            "http://h/?x=1",
        ] {
            assert!(
                matches!(with(&[("HF_ENDPOINT", text)]), Err(Error::Address { .. })),
                "{text}"
            );
        }
    }
}
