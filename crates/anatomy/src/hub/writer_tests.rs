//! Tests the store with pages that shift, commits that change while fetching, and consecutive runs.

use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{Message, Outcome, Writer};
use crate::hub::error::Error;
use crate::hub::listing::Entry;
use crate::hub::message::Mark;
use crate::hub::state::{Counts, Standing};
use crate::hub::store::{Queued, Store};

fn entry(id: &str, sha: char) -> Entry {
    Entry {
        id: id.into(),
        sha: Some(sha.to_string().repeat(40)),
        modified: None,
        json: format!("{{\"id\":\"{id}\"}}").into_bytes(),
    }
}

fn mark(run: u64) -> Mark {
    Mark {
        first: "http://h/api/models".into(),
        next: None,
        run,
        listed: 0,
        began: 0,
    }
}

async fn page(writer: &Writer, run: u64, entries: Vec<Entry>) -> u64 {
    let (answer, done) = oneshot::channel();
    writer
        .tell(Message::Page(entries, Some(mark(run)), answer))
        .await
        .expect("told");
    done.await.expect("written")
}

fn outcome(queued: Queued, standing: Standing) -> Outcome {
    Outcome {
        queued,
        standing,
        reason: None,
        message: None,
        config: (standing == Standing::Stored).then(|| (b"{}".to_vec(), None)),
        commit: None,
    }
}

fn queue(store: &Store) -> Vec<Queued> {
    store.view().expect("a view").queued(0, 100).expect("a queue")
}

fn counts(store: &Store) -> Counts {
    store.view().expect("a view").counts().expect("counts")
}

async fn settle_all(store: &Store, writer: &Writer) {
    for queued in queue(store) {
        writer
            .done(outcome(queued, Standing::Stored))
            .await
            .expect("told");
    }
}

fn start(folder: &TempDir, with_token: bool) -> (Arc<Store>, Writer) {
    let store = Arc::new(Store::open(folder.path()).expect("a store"));
    let writer = Writer::start(Arc::clone(&store), with_token).expect("a writer");
    (store, writer)
}

#[tokio::test]
async fn shifted_pages_neither_lose_nor_double() {
    let folder = TempDir::new().expect("a folder");
    let (store, writer) = start(&folder, false);
    assert_eq!(
        page(&writer, 1, vec![entry("a/a", '1'), entry("a/b", '1')]).await,
        2
    );
    assert_eq!(
        page(&writer, 1, vec![entry("a/b", '1'), entry("a/c", '1')]).await,
        1
    );
    settle_all(&store, &writer).await;
    assert_eq!(page(&writer, 1, vec![entry("a/c", '1')]).await, 0);
    let counts = counts(&store);
    assert_eq!((counts.listed, counts.stored, counts.to_fetch), (3, 3, 0));
    assert_eq!(counts, writer.counts());
    writer.finish().expect("written");
}

#[tokio::test]
async fn a_commit_that_changes_under_way_is_fetched_anew() {
    let folder = TempDir::new().expect("a folder");
    let (store, writer) = start(&folder, false);
    page(&writer, 1, vec![entry("a/a", '1')]).await;
    let old = queue(&store).remove(0);
    page(&writer, 1, vec![entry("a/a", '2')]).await;
    // The pending fetch returns a result for the previous commit.
    writer
        .done(outcome(old.clone(), Standing::Gated))
        .await
        .expect("told");
    let waiting = queue(&store);
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].place > old.place);
    assert_eq!(waiting[0].sha, entry("a/a", '2').sha);
    settle_all(&store, &writer).await;
    assert_eq!(counts(&store).stored, 1);
    writer.finish().expect("written");
}

#[tokio::test]
async fn a_second_run_wants_only_what_changed() {
    let folder = TempDir::new().expect("a folder");
    let (store, writer) = start(&folder, false);
    let names = ["a/a", "a/b", "a/c", "a/d"];
    page(&writer, 1, names.map(|id| entry(id, '1')).to_vec()).await;
    let ends = [
        Standing::Stored,
        Standing::Stored,
        Standing::Gated,
        Standing::WithoutConfig,
    ];
    for (queued, end) in queue(&store).into_iter().zip(ends) {
        writer.done(outcome(queued, end)).await.expect("told");
    }
    writer.finish().expect("written");
    drop(store);

    let (store, writer) = start(&folder, true);
    assert_eq!(writer.counts().listed, 4);
    let again = vec![
        entry("a/a", '1'),
        entry("a/b", '2'),
        entry("a/c", '1'),
        entry("a/d", '1'),
    ];
    assert_eq!(page(&writer, 2, again).await, 4);
    let wanted: Vec<String> = queue(&store).into_iter().map(|queued| queued.id).collect();
    // The commit changed, and requests now carry a token.
    assert_eq!(wanted, ["a/b", "a/c"]);
    let counts = counts(&store);
    assert_eq!((counts.listed, counts.sum()), (4, 4));
    writer.finish().expect("written");
}

#[tokio::test]
async fn one_writes_many_read() {
    let folder = TempDir::new().expect("a folder");
    let (store, writer) = start(&folder, false);
    page(&writer, 1, vec![entry("a/a", '1')]).await;
    assert!(matches!(Store::open(folder.path()), Err(Error::Busy { .. })));
    let reader = Store::open_to_read(folder.path()).expect("a reader");
    assert_eq!(counts(&reader).to_fetch, 1);
    settle_all(&store, &writer).await;
    assert_eq!(counts(&reader).stored, 1);
    assert!(reader.write(|_| Ok(())).is_err());
    writer.finish().expect("written");
}
