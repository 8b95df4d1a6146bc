//! Suggests known names that are similar to an unknown one.

/// At most five of `all` similar to `asked`, the best first, by the Dice coefficient of letter pairs (Dice 1945).
pub(crate) fn near<'a>(asked: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let pairs = |text: &str| -> Vec<[char; 2]> {
        let letters: Vec<char> = text
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .collect();
        let mut pairs: Vec<[char; 2]> = letters.windows(2).map(|pair| [pair[0], pair[1]]).collect();
        pairs.sort_unstable();
        pairs
    };
    let wanted = pairs(asked);
    let likeness = |id: &str| {
        let own = pairs(id);
        let (mut shared, mut at) = (0, 0);
        for pair in &wanted {
            while at < own.len() && own[at] < *pair {
                at += 1;
            }
            if at < own.len() && own[at] == *pair {
                shared += 1;
                at += 1;
            }
        }
        2.0 * f64::from(shared) / (wanted.len() + own.len()).max(1) as f64
    };
    let mut found: Vec<(f64, &str)> = all
        .map(|id| {
            let name = id.rsplit('/').next().unwrap_or(id);
            (likeness(id).max(likeness(name) * 0.95), id)
        })
        .filter(|(likeness, _)| *likeness > 0.5)
        .collect();
    found.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then(a.1.len().cmp(&b.1.len()))
            .then(a.1.cmp(b.1))
    });
    found.into_iter().take(5).map(|(_, id)| id.to_owned()).collect()
}

/// Common synonyms of names used here.
const OTHERS: [(&str, &str); 12] = [
    ("rf", "random_forest"),
    ("forest", "random_forest"),
    ("ols", "linear"),
    ("gbm", "gradient_boosting"),
    ("gbdt", "gradient_boosting"),
    ("xgb", "xgboost"),
    ("tree", "decision_tree"),
    ("svm", "svr"),
    ("kfold", "random_folds"),
    ("k_fold", "random_folds"),
    ("cv", "random_folds"),
    ("shape_out", "structure_out"),
];

/// ` (did you mean x?)` where a name of `all` is similar or a synonym, else an empty string.
pub(crate) fn hint<'a>(asked: &str, all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.collect();
    let meant = OTHERS
        .iter()
        .find(|(other, name)| other.eq_ignore_ascii_case(asked) && all.contains(name))
        .map(|(_, name)| (*name).to_owned());
    meant
        .or_else(|| near(asked, all.iter().copied()).into_iter().next())
        .map_or(String::new(), |name| format!(" (did you mean {name}?)"))
}

/// ` (did you mean RTX 4090?)`: devices with the same number in their names, else those with a similar name.
pub(crate) fn device(asked: &str, names: &[String]) -> String {
    let number = |text: &str| -> String {
        let digits = text.split(|c: char| !c.is_ascii_digit());
        digits
            .max_by_key(|part| part.len())
            .unwrap_or_default()
            .to_owned()
    };
    let (wanted, plain) = (number(asked), |text: &str| {
        text.replace(' ', "").to_ascii_lowercase()
    });
    let has = |name: &&String| wanted.len() > 1 && number(name) == wanted;
    // Next best: numbers that differ in one digit, 5095 for 5090.
    let is_near = |name: &&String| {
        let other = number(name);
        other.len() == wanted.len()
            && wanted.len() > 2
            && other.chars().zip(wanted.chars()).filter(|(a, b)| a != b).count() == 1
            && plain(name).starts_with(
                &plain(asked)
                    .chars()
                    .take_while(|c| c.is_alphabetic())
                    .collect::<String>(),
            )
    };
    let mut found: Vec<&str> = names.iter().filter(has).map(String::as_str).collect();
    if found.is_empty() {
        found = names.iter().filter(is_near).map(String::as_str).collect();
    }
    found.truncate(3);
    if found.is_empty() {
        return hint(asked, names.iter().map(String::as_str));
    }
    format!(" (did you mean {}?)", found.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_said_and_nothing_where_nothing_is_like_it() {
        let methods = ["random_forest", "linear", "gradient_boosting"];
        assert_eq!(hint("rf", methods.into_iter()), " (did you mean random_forest?)");
        assert_eq!(
            hint("random_forst", methods.into_iter()),
            " (did you mean random_forest?)"
        );
        assert_eq!(
            hint("num_layer", ["num_layers", "width"].into_iter()),
            " (did you mean num_layers?)"
        );
        assert_eq!(hint("zzz", methods.into_iter()), "");
    }

    #[test]
    fn a_device_is_known_by_its_number() {
        let names = ["RTX 4090", "RTX 5090", "RX 7900 XTX", "A100 40GB"]
            .map(String::from)
            .to_vec();
        assert_eq!(device("4090", &names), " (did you mean RTX 4090?)");
        assert_eq!(device("7900 xtx", &names), " (did you mean RX 7900 XTX?)");
        assert_eq!(device("RTX 5095", &names), " (did you mean RTX 5090?)");
        assert!(!device("Quantum 9000", &names).contains("4090"));
    }
}
