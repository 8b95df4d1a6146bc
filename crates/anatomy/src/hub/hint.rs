//! Advice on errors of the Hub client.

use super::error::{Error, Permanent};

/// Advice on what to do about an error.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "free some space and run it again; everything stored before is whole"
        }
        Error::Io { .. } => "choose a folder you may write to, with --hub",
        Error::Store { source, .. } => match source.as_ref() {
            redb::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                "free some space and run it again; everything stored before is whole"
            }
            redb::Error::Io(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                "choose a folder you may write to, with --hub"
            }
            _ => "the file is damaged or no store of ours; choose another folder with --hub",
        },
        Error::Busy { .. } => {
            "wait for it, look with `anatomy hub status`, or choose another folder with --hub"
        }
        Error::NoStore { .. } => "`--hub` names the folder that `anatomy hub crawl` wrote",
        Error::Layout { .. } => "choose a new folder with --hub",
        Error::Row { .. } => "the store is damaged; crawl into a new folder with --hub",
        Error::Address { .. } => "HF_ENDPOINT must be an address such as https://huggingface.co",
        Error::Id { .. } => "names are `organisation/name`, of letters, digits, `-`, `_` and `.`",
        Error::NoWeights { .. } => {
            "weights are read from safetensors and GGUF; name a GGUF file as organisation/name/file.gguf"
        }
        Error::Client { .. } => "check the proxy's address in HTTPS_PROXY and HTTP_PROXY",
        Error::Unreachable { .. } => {
            "check the network, HF_ENDPOINT and HTTPS_PROXY, then run it again: it resumes"
        }
        Error::Tls { .. } => {
            "check the computer's clock and certificates, and that HF_ENDPOINT begins with the right one of https:// and http://"
        }
        Error::NotAHub { .. } => "HF_ENDPOINT must name a Hub, such as https://huggingface.co",
        Error::BadToken { .. } => {
            "make a token at https://huggingface.co/settings/tokens and set HF_TOKEN, or unset it to go on without"
        }
        Error::Refused {
            reason: Permanent::Gated { .. },
            ..
        } => "ask for access on the checkpoint's page and set HF_TOKEN",
        Error::Refused { .. } => return None,
        Error::Ours { .. } => {
            "this may be a bug of this program: please report the command and this message; the store is whole"
        }
        Error::Gone { .. } => "run it again: it resumes",
    })
}
