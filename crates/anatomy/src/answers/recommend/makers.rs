//! Whose a checkpoint is: of those who train from scratch, or of those who tune what others made.

use std::collections::BTreeSet;

use catalog::Catalog;
use catalog::tables::{Checkpoint, Training};

use crate::answers::known::Known;

/// Organisations that a leaderboard calls official providers.
pub(super) struct Makers<'a>(BTreeSet<&'a str>);

impl<'a> Makers<'a> {
    pub(super) fn of(catalog: &'a Catalog) -> Self {
        Self(crate::narrow::official_organisations(catalog))
    }

    /// Whether a checkpoint is of such an organisation, or its own trained it from scratch, or made it from what it trained from
    /// scratch.
    pub(super) fn made(&self, known: &Known<'_>, id: &str, checkpoint: Option<&Checkpoint>) -> bool {
        let from_scratch = |row: &Checkpoint| row.training == Some(Training::Pretrained);
        let own_base = || {
            let base = known.checkpoints.get(checkpoint?.base.as_deref()?)?;
            Some(from_scratch(base) && organisation(&base.id) == organisation(id))
        };
        organisation(id).is_some_and(|name| self.0.contains(name))
            || checkpoint.is_some_and(from_scratch)
            || own_base() == Some(true)
    }
}

fn organisation(id: &str) -> Option<&str> {
    Some(id.split_once('/')?.0)
}
