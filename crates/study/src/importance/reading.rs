//! Defines which of several statistics is reported as the importance of a column.
//!
//! The importance of a column for a target is one number: the share of the split gain in a forest on layers, `d_model`,
//! `d_ffn` and heads, with its interval over draws of whole shapes. Every other kind of importance answers a different
//! question, and its findings say which.

/// The kind of importance that is reported.
pub const KIND: &str = "mdi";
/// The feature set for which it is reported.
pub const SET: &str = "core";

/// The rule, for readers who meet several importances.
pub const RULE: &str = "How important a column is for a target is one number: `importance.mdi.core.TARGET.COLUMN`, its share of \
                        the split gain of a forest on layers, d_model, d_ffn and heads, with 95 % over draws of whole shapes. \
                        The other numbers of that name answer other questions";

/// The id of the reported importance of a column for a target.
pub fn answer(target: &str, column: &str) -> String {
    format!("importance.{KIND}.{SET}.{target}.{column}")
}

/// What a kind of importance measures.
fn measures(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "mdi" => "share of split gain",
        "mdi_per_shape" => "share of split gain, each shape counted once",
        "first_share" => "how often it leads in draws of shapes",
        "permutation" => "drop in R² on held-out rows when it is shuffled",
        "grouped" => "drop in R² on held-out rows when columns that move together are shuffled",
        "shap" => "mean |Shapley value| on held-out rows",
        "interaction" => "mean |Shapley interaction| on held-out rows",
        "blocks" => "which columns move together, so that their order is not identified",
        "block_first_share" => "how often columns that move together lead in draws of shapes",
        "primary" => "how much of R² size and date account for",
        "firsts" => "how many columns one kind or another puts first",
        _ => return None,
    })
}

/// Difference of a feature set from [`SET`] on all rows.
fn apart(set: &str) -> Option<&'static str> {
    Some(match set {
        "core_official" => "official providers only",
        "core_unquantized_a10" => "unquantized runs on one A10 only",
        "structure_date" => "beside size, date and more columns",
        "scores" => "structure from scores",
        "structural" | "structure" => "with more columns",
        "own" => "with columns chosen by the user",
        _ => return None,
    })
}

/// Short description of the question that an importance finding answers, from its id; `None` for other ids.
pub fn of_id(id: &str) -> Option<String> {
    let (is_certain, id) = match id.strip_prefix("certain.") {
        Some(rest) => (true, rest),
        None => (false, id),
    };
    let mut parts = id.strip_prefix("importance.")?.splitn(3, '.');
    let (kind, set) = (parts.next()?, parts.next()?);
    let measures = measures(kind)?;
    if kind == KIND && set == SET && !is_certain {
        return Some("the importance: share of split gain".into());
    }
    let certain = is_certain.then_some("structures known for certain only");
    let parts: Vec<&str> = [Some(measures), apart(set), certain]
        .into_iter()
        .flatten()
        .collect();
    Some(parts.join("; "))
}

/// The full question of an importance finding.
pub fn question(kind: &str, set: &str, target: &str, column: &str) -> String {
    let beside = apart(set).map_or(String::new(), |words| format!(" ({words})"));
    match kind {
        "mdi" if set == SET => {
            format!("How important is {column} for {target}, as its share of a forest's split gain?")
        }
        "mdi" => format!("Which share of a forest's split gain on {target} has {column}{beside}?"),
        "mdi_per_shape" => {
            format!(
                "Which share of a forest's split gain on {target} has {column} with each shape counted once{beside}?"
            )
        }
        "first_share" => {
            format!(
                "In which share of draws of shapes has {column} the largest split gain for {target}{beside}?"
            )
        }
        "permutation" => {
            format!("How far does R² on {target} fall on held-out rows when {column} is shuffled{beside}?")
        }
        "grouped" => format!(
            "How far does R² on {target} fall on held-out rows when {column}, which move together, are shuffled{beside}?"
        ),
        "shap" => format!(
            "How far does {column} move a prediction of {target}, as the mean |Shapley value|{beside}?"
        ),
        _ => format!("How much do the columns of {column} do together for {target}{beside}?"),
    }
}

/// The note that distinguishes a finding from [`answer`]; `None` for that finding itself.
pub fn note(kind: &str, set: &str, target: &str, column: &str) -> Option<String> {
    (kind != KIND || set != SET).then(|| {
        format!(
            "not the importance of {column} for {target}, which is {}",
            answer(target, column)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_the_importance_and_all_others_say_what_they_are() {
        let ids = [
            "importance.mdi.core.arc.layers",
            "importance.mdi.structure_date.arc.layers",
            "importance.mdi.core_official.arc.layers",
            "importance.mdi_per_shape.core.arc.layers",
            "importance.first_share.core.arc.layers",
            "importance.permutation.core.arc.layers",
            "certain.importance.permutation.core.arc.layers",
            "certain.importance.mdi.core.arc.layers",
        ];
        let said: Vec<String> = ids.iter().filter_map(|id| of_id(id)).collect();
        assert_eq!(said.len(), ids.len());
        let answers = said.iter().filter(|words| words.starts_with("the importance"));
        assert_eq!(answers.count(), 1, "{said:?}");
        let mut apart = said.clone();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), said.len(), "two ids answer one question: {said:?}");
        assert_eq!(ids[0], answer("arc", "layers"));
        assert_eq!(of_id("scale.mean.large"), None);
        assert_eq!(of_id("claims.importance.layers_first.core"), None);
    }

    #[test]
    fn no_two_kinds_ask_the_same() {
        let kinds = [
            "mdi",
            "mdi_per_shape",
            "first_share",
            "permutation",
            "grouped",
            "shap",
        ];
        let mut all: Vec<String> = kinds
            .iter()
            .flat_map(|kind| ["core", "structure_date"].map(|set| question(kind, set, "arc", "layers")))
            .collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 12);
        assert_eq!(note("mdi", "core", "arc", "layers"), None);
        assert!(
            note("mdi", "structure_date", "arc", "layers")
                .is_some_and(|text| text.ends_with("core.arc.layers"))
        );
    }
}
