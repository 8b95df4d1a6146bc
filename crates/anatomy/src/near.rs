//! What was probably meant: names that look like one that is not known.

/// At most five of `all` that look like `asked`, the nearest first: by shared pairs of letters (Dice 1945).
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

/// Names that people give what has another here.
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

/// ` (did you mean x?)` where a name looks like one of `all`, else nothing.
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
}
