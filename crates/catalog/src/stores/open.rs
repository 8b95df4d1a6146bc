//! Opens the object store for an address, with credentials from the environment, retries and timeouts.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientConfigKey;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use url::{Position, Url};

use super::client::{Variables, is_loopback, options, retries};
use super::hub::Hub;
use super::patient::Patient;
use super::secret::hide;
use crate::error::Error;

/// The address in `text`; an address with a password is refused, and errors do not show it.
pub(super) fn address(text: &str) -> Result<Url, Error> {
    let wrong = |message: &str| Error::Address {
        text: hide(text),
        message: message.to_owned(),
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "credentials belong in environment variables, not in an address",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must end before `?` or `#`"));
    }
    match url.scheme() {
        "s3" | "gs" | "az" if url.host_str().is_none_or(str::is_empty) => Err(wrong("it names no bucket")),
        "file" | "s3" | "gs" | "az" => Ok(url),
        "hf" if url.host_str() == Some("datasets") => Ok(url),
        "hf" => Err(wrong(
            "of the Hub only datasets are read: hf://datasets/OWNER/NAME/PATH",
        )),
        _ => Err(wrong(
            "it must begin with s3://, gs://, az://, hf://datasets/ or file://",
        )),
    }
}

/// The part of an address that identifies a store: scheme and bucket.
pub(super) fn root(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// The key of the object or prefix within its store.
pub(super) fn key(url: &Url) -> Result<Key, Error> {
    Key::from_url_path(url.path()).map_err(|error| Error::Address {
        text: url.to_string(),
        message: error.to_string(),
    })
}

/// The store of an address.
pub(super) fn open(url: &Url, variables: &Variables) -> Result<Arc<dyn ObjectStore>, Error> {
    let bucket = url.host_str().unwrap_or_default();
    let store: Result<Arc<dyn ObjectStore>, object_store::Error> = match url.scheme() {
        "s3" => s3(bucket, variables),
        "gs" => google(bucket, variables),
        "az" => azure(bucket, variables),
        "hf" => Hub::new(variables).map(|hub| Arc::new(hub) as _),
        _ => Ok(Arc::new(LocalFileSystem::new())),
    };
    let store = store.map(|store| Arc::new(Patient(store)) as Arc<dyn ObjectStore>);
    store.map_err(|error| Error::Store {
        place: Path::new(url.as_str()).to_owned(),
        message: hide(&error.to_string()),
    })
}

/// The settings of a store among the environment variables, under the store's own names (`AWS_REGION` is `aws_region`).
fn settings<'a, K: FromStr>(
    prefix: &'static str,
    variables: &'a Variables,
) -> impl Iterator<Item = (K, &'a str)> {
    variables.iter().filter_map(move |(name, value)| {
        name.starts_with(prefix)
            .then(|| name.to_ascii_lowercase().parse().ok())
            .flatten()
            .map(|key| (key, value.as_str()))
    })
}

fn s3(bucket: &str, variables: &Variables) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let mut builder = AmazonS3Builder::new()
        .with_client_options(options())
        .with_retry(retries());
    for (key, value) in settings::<AmazonS3ConfigKey>("AWS_", variables) {
        builder = builder.with_config(key, value);
    }
    let endpoints = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    // Requests are signed and contain no secret, so an endpoint given without TLS is used as it is.
    if endpoints
        .iter()
        .any(|key| is_plain(builder.get_config_value(key)))
    {
        builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    Ok(Arc::new(builder.with_bucket_name(bucket).build()?))
}

fn google(bucket: &str, variables: &Variables) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(options())
        .with_retry(retries());
    for (key, value) in settings::<GoogleConfigKey>("GOOGLE_", variables) {
        builder = builder.with_config(key, value);
    }
    if is_loopback(builder.get_config_value(&GoogleConfigKey::BaseUrl)) {
        builder = builder.with_config(GoogleConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    Ok(Arc::new(builder.with_bucket_name(bucket).build()?))
}

fn azure(container: &str, variables: &Variables) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_client_options(options())
        .with_retry(retries());
    for (key, value) in settings::<AzureConfigKey>("AZURE_", variables) {
        builder = builder.with_config(key, value);
    }
    if is_loopback(builder.get_config_value(&AzureConfigKey::Endpoint)) {
        builder = builder.with_config(AzureConfigKey::Client(ClientConfigKey::AllowHttp), "true");
    }
    Ok(Arc::new(builder.with_container_name(container).build()?))
}

fn is_plain(endpoint: Option<String>) -> bool {
    endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
}
