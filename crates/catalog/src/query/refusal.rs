//! Explains a call with arguments that a function does not accept: which argument, what is accepted there, and what to
//! write instead.

use super::holds::{Holds, one};

/// Greatest number of a function's signatures that a message lists.
const FORMS: usize = 4;

/// The engine's message about a call that matches no signature of the function.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The function.
    pub(super) name: String,
    /// The types of the arguments, by the engine's names.
    pub(super) given: Vec<String>,
    forms: Vec<Form>,
}

/// A signature of a function.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    /// The kind accepted at each position; `None` where any is.
    places: Vec<Option<Holds>>,
    /// Whether the last argument may be repeated.
    goes_on: bool,
}

/// An argument that no signature accepts at its position.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Position from 0.
    pub(super) place: usize,
    /// The kind that was given.
    pub(super) given: Holds,
    /// The kinds that are accepted.
    pub(super) taken: Vec<Holds>,
}

impl Form {
    fn of(arguments: &[String]) -> Self {
        let mut form = Self {
            places: Vec::new(),
            goes_on: false,
        };
        for argument in arguments {
            let kind = argument
                .split_once(": ")
                .map_or(argument.as_str(), |(_, kind)| kind);
            let (word, inside) = kind.split_once('(').unwrap_or((kind, ""));
            let times = inside.trim_end_matches(')').parse().unwrap_or(1);
            match word {
                "NullAry" => {}
                ".." => form.goes_on = true,
                "Numeric" | "String" => form.places.extend(vec![Holds::named(word); times]),
                "Comparable" | "Any" => form.places.extend(vec![None; times]),
                _ => form.places.push(of_all(kind)),
            }
        }
        form
    }

    fn takes(&self, count: usize) -> bool {
        count == self.places.len() || self.goes_on && count > self.places.len()
    }

    fn at(&self, place: usize) -> Option<Holds> {
        self.places.get(place).or(self.places.last()).copied().flatten()
    }

    fn words(&self, name: &str) -> String {
        let places: Vec<&str> = self
            .places
            .iter()
            .map(|holds| holds.map_or("a value", Holds::one))
            .collect();
        let more = if self.goes_on { ", …" } else { "" };
        format!("{name}({}{more})", places.join(", "))
    }
}

/// The kind common to several types, as in `Int8/Int16`; `None` where kinds differ.
fn of_all(kinds: &str) -> Option<Holds> {
    let mut all = kinds.split('/').map(Holds::named);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

impl Refusal {
    /// Parses a message about a call; `None` where it is about something else.
    pub(super) fn of(message: &str) -> Option<Self> {
        let (_, rest) = message.split_once("No function matches the given name and argument types '")?;
        let (asked, rest) = rest.split_once('\'')?;
        let (name, given) = parts(asked)?;
        let forms = rest.split_once("Candidate functions:").map(|(_, list)| {
            let lines = list.lines().filter_map(|line| parts(line.trim()));
            lines
                .filter(|(of, _)| of == &name)
                .map(|(_, arguments)| Form::of(&arguments))
                .collect()
        });
        Some(Self {
            name,
            given,
            forms: forms.unwrap_or_default(),
        })
    }

    /// The first argument that no signature accepts at its position.
    pub(super) fn misfit(&self) -> Option<Misfit> {
        let fitting: Vec<&Form> = self
            .forms
            .iter()
            .filter(|form| form.takes(self.given.len()))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        (0..self.given.len()).find_map(|place| {
            let given = Holds::named(&self.given[place])?;
            let mut taken: Vec<Holds> = Vec::new();
            for form in &fitting {
                let holds = form.at(place)?;
                if !taken.contains(&holds) {
                    taken.push(holds);
                }
            }
            let misfit = Misfit { place, given, taken };
            (!misfit.taken.contains(&given)).then_some(misfit)
        })
    }

    /// The explanation, with what to write instead; `arguments` are their texts in the statement, where known.
    pub(super) fn words(&self, arguments: Option<&[String]>) -> String {
        let name = &self.name;
        let Some(misfit) = self.misfit() else {
            return self.count();
        };
        let argument = arguments.and_then(|all| all.get(misfit.place));
        let subject = match argument {
            Some(argument) => format!("`{argument}` is"),
            None if self.given.len() == 1 => "what it is given is".to_owned(),
            None => format!("value {} of those it is given is", misfit.place + 1),
        };
        let wanted: Vec<&str> = misfit.taken.iter().map(|holds| holds.many()).collect();
        let there = if self.given.len() > 1 { " there" } else { "" };
        let known = argument.map_or("…", String::as_str);
        let call = |written: &str| {
            let all: Vec<&str> = (0..self.given.len())
                .map(|place| match arguments.and_then(|all| all.get(place)) {
                    _ if place == misfit.place => written,
                    Some(other) => other.as_str(),
                    None => "…",
                })
                .collect();
            format!("{name}({})", all.join(", "))
        };
        format!(
            "{subject} {}, and `{name}` takes {}{there}: {}",
            misfit.given.one(),
            wanted.join(" or "),
            self.remedy(&misfit, known, call)
        )
    }

    fn remedy(&self, misfit: &Misfit, argument: &str, call: impl Fn(&str) -> String) -> String {
        let takes = |holds: Holds| misfit.taken.contains(&holds);
        let literal = argument
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        match (misfit.given, literal) {
            (Holds::Truth, _) if takes(Holds::Number) => call(&format!("cast({argument} as int)")),
            (Holds::Text, Some(text)) if takes(Holds::Number) => {
                if text.parse::<f64>().is_ok() {
                    call(text)
                } else {
                    "write a number, or the name of a column without quotes".to_owned()
                }
            }
            (Holds::Text, None) if takes(Holds::Number) => call(&format!("try_cast({argument} as double)")),
            (Holds::Day | Holds::Time, _) if takes(Holds::Number) => format!(
                "min, max and count take {} as they are, and {} takes their year",
                misfit.given.many(),
                call(&format!("date_part('year', {argument})"))
            ),
            (Holds::Number | Holds::Truth | Holds::Day | Holds::Time, _) if takes(Holds::Text) => {
                call(&format!("cast({argument} as text)"))
            }
            (Holds::Text, _) if takes(Holds::Day) || takes(Holds::Time) => {
                call(&format!("cast({argument} as date)"))
            }
            (Holds::Number, _) if takes(Holds::Day) || takes(Holds::Time) => {
                "a day is written date '2024-01-31'".to_owned()
            }
            _ => format!("it is written {}", self.written()),
        }
    }

    /// The explanation where no signature accepts this number of arguments, or the cause is not known.
    fn count(&self) -> String {
        let name = &self.name;
        let given: Vec<String> = self.given.iter().map(|kind| one(kind)).collect();
        let given = match given.as_slice() {
            [] => "nothing".to_owned(),
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            [single] => single.clone(),
            _ => String::new(),
        };
        if self.forms.is_empty() {
            return format!("`{name}` does not take {given}");
        }
        format!("`{name}` is given {given}, and it is written {}", self.written())
    }

    /// The signatures of the function, in words.
    fn written(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        for form in &self.forms {
            let words = form.words(&self.name);
            if !all.contains(&words) {
                all.push(words);
            }
        }
        all.truncate(FORMS);
        all.join(" or ")
    }
}

/// The name and the arguments of a call, `f(a, b(c, d))`.
fn parts(call: &str) -> Option<(String, Vec<String>)> {
    let (name, inside) = call.strip_suffix(')')?.split_once('(')?;
    let (mut depth, mut all) = (0_usize, vec![String::new()]);
    for letter in inside.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == ',' && depth == 0 {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push(letter);
        }
    }
    let all = all.iter().map(|part| part.trim().to_owned());
    Some((name.to_owned(), all.filter(|part| !part.is_empty()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(call: &str, candidates: &[&str], arguments: &[&str]) -> String {
        let lines = format!("\t{}\n", candidates.join("\n\t"));
        let message = format!(
            "Error during planning: Failed to coerce.\nNo function matches the given name and argument types '{call}'. You might \
             need to add explicit type casts.\n\tCandidate functions:\n{lines}"
        );
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let known = (!arguments.is_empty()).then_some(arguments.as_slice());
        Refusal::of(&message).expect("a refusal").words(known)
    }

    const AVG: [&str; 3] = ["avg(Decimal)", "avg(Duration)", "avg(Float64)"];
    const SUBSTR: [&str; 2] = [
        "substr(str: String, start_pos: Int64)",
        "substr(str: String, start_pos: Int64, length: Int64)",
    ];

    #[test]
    fn what_a_function_does_not_take_is_told_with_what_to_write() {
        for (call, candidates, arguments, wanted) in [
            (
                "avg(Boolean)",
                &AVG as &[&str],
                &["correct"] as &[&str],
                "`correct` is yes or no (true or false), and `avg` takes numbers or lengths of time: avg(cast(correct as int))",
            ),
            (
                "avg(Date32)",
                &AVG,
                &["day"],
                "`day` is a day, and `avg` takes numbers or lengths of time: min, max and count take days as they are, and \
                 avg(date_part('year', day)) takes their year",
            ),
            (
                "avg(Utf8)",
                &AVG,
                &[],
                "what it is given is text, and `avg` takes numbers or lengths of time: avg(try_cast(… as double))",
            ),
            (
                "abs(Utf8)",
                &["abs(Numeric(1))"],
                &["'x'"],
                "`'x'` is text, and `abs` takes numbers: write a number, or the name of a column without quotes",
            ),
            (
                "abs(Utf8)",
                &["abs(Numeric(1))"],
                &["'-5'"],
                "`'-5'` is text, and `abs` takes numbers: abs(-5)",
            ),
            (
                "corr(Boolean, Int64)",
                &["corr(y: Float64, x: Float64)"],
                &["moe", "score"],
                "`moe` is yes or no (true or false), and `corr` takes numbers there: corr(cast(moe as int), score)",
            ),
            (
                "substr(Float64, Int64, Int64)",
                &SUBSTR,
                &["value", "1", "3"],
                "`value` is a number, and `substr` takes text there: substr(cast(value as text), 1, 3)",
            ),
            (
                "date_part(Utf8, Int64)",
                &["date_part(String, Timestamp)", "date_part(String, Date)"],
                &["'year'", "5"],
                "`5` is a number, and `date_part` takes times or days there: a day is written date '2024-01-31'",
            ),
            (
                "substr(Float64, Int64, Int64)",
                &SUBSTR,
                &[],
                "value 1 of those it is given is a number, and `substr` takes text there: substr(cast(… as text), …, …)",
            ),
        ] {
            assert_eq!(told(call, candidates, arguments), wanted);
        }
    }

    #[test]
    fn the_wrong_number_of_values_is_told_with_how_the_function_is_written() {
        assert_eq!(
            told("date_part(Date32)", &["date_part(String, Timestamp)"], &["day"]),
            "`date_part` is given a day, and it is written date_part(text, a time)"
        );
        assert_eq!(
            told("abs()", &["abs(Numeric(1))"], &[]),
            "`abs` is given nothing, and it is written abs(a number)"
        );
        assert_eq!(
            told("nullif(Int64)", &["nullif(Comparable(2))"], &["1"]),
            "`nullif` is given a number, and it is written nullif(a value, a value)"
        );
        assert_eq!(
            told("f(Int64, Utf8)", &[], &[]),
            "`f` does not take a number and text"
        );
        let said = told("concat(Int64)", &["concat(Utf8/Utf8View, ..)"], &["1"]);
        assert!(said.ends_with("concat(cast(1 as text))"), "{said}");
    }

    #[test]
    fn other_messages_are_none() {
        assert!(Refusal::of("Invalid function 'year'").is_none());
        assert_eq!(of_all("Int8/Int16"), Some(Holds::Number));
        assert_eq!(of_all("Int8/Utf8"), None);
        let (name, all) = parts("f(Timestamp(ns, \"UTC\"), List(Int64))").expect("a call");
        assert_eq!((name.as_str(), all.len()), ("f", 2));
    }
}
