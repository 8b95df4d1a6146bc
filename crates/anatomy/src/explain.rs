//! From an error to what a person can do about it.

use std::fmt::Write;

/// A reader of ours that went away is no error.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The error with its causes, and after a blank line a hint where there is one.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            let _ = write!(text, ": {cause}");
        }
    }
    if let Some(hint) = hint(error) {
        let _ = write!(text, "\n\nhint: {hint}");
    }
    text
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(catalog) = cause.downcast_ref::<catalog::Error>() {
            return catalog_hint(catalog);
        }
        let io = cause.downcast_ref::<std::io::Error>()?;
        match io.kind() {
            std::io::ErrorKind::PermissionDenied => Some("choose a folder you may write to, with --out".into()),
            std::io::ErrorKind::NotFound => Some("check the path; relative paths start at the current folder".into()),
            std::io::ErrorKind::StorageFull => Some("free some space; nothing half-written was left behind".into()),
            _ => None,
        }
    })
}

fn catalog_hint(_error: &catalog::Error) -> Option<String> {
    None
}
