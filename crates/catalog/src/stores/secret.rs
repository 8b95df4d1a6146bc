//! Removes credentials from messages of stores.

use std::sync::LazyLock;

use regex::Regex;

/// Words in names of environment variables whose values are hidden.
const SECRET: [&str; 8] = [
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "CREDENTIAL",
    "_KEY",
    "ACCESS_KEY",
    "SAS",
    "MASTER_KEY",
];
/// Length of the shortest value that is hidden; hiding shorter ones would remove ordinary words too.
const SHORTEST: usize = 6;

/// `text` without credentials: the values of environment variables whose names mark them as such, user and query parts
/// of addresses (a query may hold a signature), and bearer tokens and signatures.
pub fn hide(text: &str) -> String {
    let secrets = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        is_secret(&name).then_some(value)
    });
    without(text, secrets)
}

/// Whether a variable holds a secret; only variables of the stores count, and a path to a file of credentials is not
/// secret.
fn is_secret(name: &str) -> bool {
    const STORES: [&str; 5] = ["AWS_", "GOOGLE_", "AZURE_", "HF_", "HUGGING_FACE_"];
    STORES.iter().any(|store| name.starts_with(store))
        && SECRET.iter().any(|word| name.contains(word))
        && !["_FILE", "_PATH", "_URI", "_CREDENTIALS"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn without(text: &str, secrets: impl Iterator<Item = String>) -> String {
    static QUERY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(\w+://[^\s?"'<>]*)\?[^\s"'<>)]*"#).expect("a regular expression"));
    static USER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(\w+://)[^\s/@"'<>]*@"#).expect("a regular expression"));
    static HEADER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)(bearer |signature=|credential=)[^\s,"'<>]+"#).expect("a regular expression")
    });
    let mut shown = text.to_owned();
    for secret in secrets.filter(|secret| secret.trim().len() >= SHORTEST) {
        shown = shown.replace(secret.trim(), "***");
    }
    let shown = QUERY.replace_all(&shown, "$1?***");
    let shown = USER.replace_all(&shown, "$1***@");
    HEADER.replace_all(&shown, "$1***").into_owned()
}

#[cfg(test)]
mod tests {
    use super::{is_secret, without};

    #[test]
    fn values_signatures_and_passwords_go() {
        let secrets = || ["verysecret".to_owned(), "ab".to_owned()].into_iter();
        let told = "PUT http://me:pass@host/b/k?X-Amz-Signature=12ab: 403, Authorization: Bearer hf_own, verysecret about";
        assert_eq!(
            without(told, secrets()),
            "PUT http://***@host/b/k?*** 403, Authorization: Bearer ***, *** about"
        );
        assert_eq!(without("nothing to hide", secrets()), "nothing to hide");
    }

    #[test]
    fn secrets_are_told_by_name() {
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
            "AZURE_CLIENT_SECRET",
            "GOOGLE_SERVICE_ACCOUNT_KEY",
            "HF_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "AWS_REGION",
            "HF_TOKEN_PATH",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "SECRETS",
            "HF_HOME",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
