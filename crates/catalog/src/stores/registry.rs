//! The stores available to the SQL engine, which are opened when their addresses occur in statements.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::common::plan_err;
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::prelude::SessionContext;
use futures::{FutureExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use super::client::{Variables, environment};
use super::csv;
use super::open;
use crate::snapshot::SNAPSHOT;

/// The address of the compiled-in tables, for an engine whose statements run in other processes, which all contain
/// them.
pub(crate) const COMPILED_IN: &str = "anatomy://snapshot";

/// Stores by scheme and bucket, opened on first use.
pub struct Registry {
    stores: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
    variables: Variables,
}

impl fmt::Debug for Registry {
    /// Shows names only: the variables contain credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.stores().keys()).finish()
    }
}

impl Default for Registry {
    /// A registry with the credentials in this process's environment.
    fn default() -> Self {
        Self::with(environment())
    }
}

impl Registry {
    pub(super) fn with(variables: Variables) -> Self {
        let mut stores: BTreeMap<String, Arc<dyn ObjectStore>> = BTreeMap::new();
        stores.insert("file://".to_owned(), Arc::new(LocalFileSystem::new()));
        Self {
            stores: Mutex::new(stores),
            variables,
        }
    }

    fn stores(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<dyn ObjectStore>>> {
        self.stores.lock().expect("no thread died here")
    }
}

impl ObjectStoreRegistry for Registry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.stores().insert(open::root(url).to_owned(), store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let mut stores = self.stores();
        if let Some(store) = stores.get(open::root(url)) {
            return Ok(store.clone());
        }
        let store = if url.as_str().starts_with(COMPILED_IN) {
            compiled_in()?
        } else {
            let checked =
                open::address(url.as_str()).map_err(|error| DataFusionError::Plan(error.to_string()))?;
            open::open(&checked, &self.variables)
                .map_err(|error| DataFusionError::Execution(error.to_string()))?
        };
        stores.insert(open::root(url).to_owned(), store.clone());
        Ok(store)
    }
}

fn compiled_in() -> Result<Arc<dyn ObjectStore>> {
    let memory = InMemory::new();
    for &(file, bytes) in SNAPSHOT {
        // Writing to memory does not block.
        if let Some(put) = memory
            .put(&Key::from(file), bytes::Bytes::from_static(bytes).into())
            .now_or_never()
        {
            put?;
        }
    }
    Ok(Arc::new(memory))
}

/// A session that can read files and folders by path and address (`select … from 's3://bucket/file.parquet'`).
pub fn with_files(context: SessionContext) -> SessionContext {
    let tables = Arc::new(DynamicListTableFactory::default());
    let factory = Arc::new(Addresses {
        tables: tables.clone(),
        registry: context.runtime_env().object_store_registry.clone(),
    });
    let list = context.state().catalog_list().clone();
    let session = context.session_id();
    let context: SessionContext = context
        .into_state_builder()
        .with_session_id(session)
        .with_catalog_list(Arc::new(DynamicFileCatalog::new(list, factory)))
        .build()
        .into();
    {
        let state = context.state_ref();
        let mut state = state.write();
        // For tables created by statements: splitting a file into ranges could cut within quoted cells, and types
        // inferred from the first rows might not fit later ones.
        state.config_mut().options_mut().catalog.newlines_in_values = true;
        state.table_options_mut().csv.newlines_in_values = Some(true);
        state.table_options_mut().csv.schema_infer_max_rec = Some(usize::MAX);
    }
    tables.session_store().with_state(context.state_weak_ref());
    context
}

/// `DataFusion` reports any failure to open an address as a missing table; this reports the actual error.
#[derive(Debug)]
struct Addresses {
    tables: Arc<DynamicListTableFactory>,
    registry: Arc<dyn ObjectStoreRegistry>,
}

impl Addresses {
    /// A file or folder as a table: CSV by this crate's reader, other formats by the engine.
    async fn file(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let session = self.tables.session_store().get_session().upgrade();
        let state =
            session.and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned());
        if let Some(state) = state
            && let Some(table) = csv::table(&state, name).await?
        {
            return Ok(Some(table));
        }
        self.tables.try_new(name).await
    }
}

#[async_trait]
impl UrlTableFactory for Addresses {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if !name.contains("://") {
            return self.file(name).await;
        }
        let url = open::address(name).map_err(|error| DataFusionError::Plan(error.to_string()))?;
        if let Some(table) = self.file(name).await? {
            return Ok(Some(table));
        }
        let store = self.registry.get_store(&url)?;
        let key = open::key(&url).map_err(|error| DataFusionError::Plan(error.to_string()))?;
        match store.head(&key).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => {
                if store.list(Some(&key)).try_next().await?.is_none() {
                    return plan_err!("no file at {name}");
                }
            }
            Err(error) => return Err(error.into()),
        }
        plan_err!(
            "{name} is not a table: its name, or the names under it, must end in .parquet, .csv, .tsv or .json"
        )
    }
}
