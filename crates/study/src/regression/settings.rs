//! Settings of methods by name and text, as typed by a user.

use super::{Regression, all, from_name};
use crate::error::Error;

/// A mutable reference to a setting, with the kind of value that it takes.
pub enum Slot<'a> {
    /// An integer, at least 0.
    Whole(&'a mut usize),
    /// A number.
    Number(&'a mut f64),
    /// A Boolean: `true`, `false`.
    Flag(&'a mut bool),
    /// An integer, or `none` for no limit.
    Limit(&'a mut Option<usize>),
    /// A number, or `none` for the value that the method derives from the rows.
    Derived(&'a mut Option<f64>),
    /// Integers joined by `x`: `32x64x32`.
    Sizes(&'a mut Vec<usize>),
}

impl Slot<'_> {
    /// Parses and sets the value; the error says in words what is expected.
    fn take(self, text: &str) -> Result<(), &'static str> {
        const WHOLE: &str = "a whole number";
        const NUMBER: &str = "a number";
        let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
        match self {
            Self::Whole(slot) => *slot = text.parse().map_err(|_| WHOLE)?,
            Self::Number(slot) => *slot = number(text).ok_or(NUMBER)?,
            Self::Flag(slot) => *slot = text.parse().map_err(|_| "true or false")?,
            Self::Limit(slot) if text == "none" => *slot = None,
            Self::Limit(slot) => *slot = Some(text.parse().map_err(|_| "a whole number or none")?),
            Self::Derived(slot) if text == "none" => *slot = None,
            Self::Derived(slot) => *slot = Some(number(text).ok_or("a number or none")?),
            Self::Sizes(slot) => {
                let sizes: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
                *slot = sizes.map_err(|_| "whole numbers joined by x, as 32x64x32")?;
            }
        }
        Ok(())
    }
}

/// The method of this name with default settings, except those given as name and text; `None` where there is no such
/// method.
///
/// # Errors
/// - [`Error::UnknownSetting`] for an unknown name, with the known ones.
/// - [`Error::UnreadableSetting`] where the text cannot be parsed. Values out of range are rejected when the method is
///   fitted.
pub fn with_settings(method: &str, settings: &[(&str, &str)]) -> Option<Result<Box<dyn Regression>, Error>> {
    let mut made = from_name(method)?;
    Some(apply(&mut *made, settings).map(|()| made))
}

fn apply(method: &mut dyn Regression, settings: &[(&str, &str)]) -> Result<(), Error> {
    let name_of_method = method.name();
    for &(name, text) in settings {
        let slots = method.settings();
        let known: Vec<&'static str> = slots.iter().map(|(name, _)| *name).collect();
        let Some((_, slot)) = slots.into_iter().find(|(known, _)| *known == name) else {
            return Err(Error::UnknownSetting {
                method: name_of_method,
                name: name.to_owned(),
                known,
            });
        };
        slot.take(text).map_err(|must| Error::UnreadableSetting {
            method: name_of_method,
            name: name.to_owned(),
            value: text.to_owned(),
            must,
        })?;
    }
    Ok(())
}

/// Names of all methods, `structural` last.
pub fn names() -> Vec<&'static str> {
    all()
        .iter()
        .map(|method| method.name())
        .chain(["structural"])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Design;

    #[test]
    fn a_setting_changes_the_fit_and_a_wrong_one_is_named() {
        let column: Vec<f64> = (0..40).map(f64::from).collect();
        let target: Vec<f64> = column.iter().map(|x| (x / 5.0).floor()).collect();
        let design = Design::new(vec!["x".into()], vec![column]).expect("a column");
        let deep = with_settings("decision_tree", &[])
            .expect("known")
            .expect("no setting");
        let flat = with_settings("decision_tree", &[("max_depth", "1")])
            .expect("known")
            .expect("a setting it has");
        let distinct = |method: &dyn Regression| {
            let fit = method.fit(&design, &target, None, 0).expect("a fit");
            let mut values = fit.predict(&design).expect("the same columns");
            values.dedup();
            values.len()
        };
        assert_eq!((distinct(&*deep), distinct(&*flat)), (8, 2));
        let unknown = with_settings("ridge", &[("trees", "3")]).expect("known");
        let error = unknown.err().expect("ridge has no trees").to_string();
        assert_eq!(error, "`ridge` has no setting `trees`; it has penalty");
        let unread = with_settings("knn", &[("neighbours", "few")]).expect("known");
        let error = unread.err().expect("few is no number").to_string();
        assert_eq!(
            error,
            "setting `neighbours` of `knn` is `few`, not a whole number"
        );
        assert!(with_settings("oracle", &[]).is_none());
    }

    #[test]
    fn every_slot_is_read_back_by_its_name() {
        for name in names() {
            let mut method = from_name(name).expect("a name of the list");
            let known: Vec<&str> = method.settings().iter().map(|(name, _)| *name).collect();
            for setting in known {
                let slots = method.settings();
                let slot = slots.into_iter().find(|(known, _)| *known == setting);
                let text = match slot.expect("just listed").1 {
                    Slot::Flag(_) => "true",
                    _ => "2",
                };
                apply(&mut *method, &[(setting, text)]).expect("2 or true can be read");
            }
        }
    }
}
