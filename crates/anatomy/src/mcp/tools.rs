//! The tools: what each is for, what it takes, and the command it is.

use serde_json::{Map, Value, json};

use crate::door::Failure;

/// What an agent reads first.
pub(super) const INSTRUCTIONS: &str = "\
Facts about open language models: structures (layers, width, heads …), public leaderboard scores, and a study of which part of a \
structure buys which ability. recommend: which checkpoint for a memory budget. predict: what a structure would score and cost. \
compare: is a difference more than noise. finding, claims: what the study found, with n and interval. query: SQL over all tables; \
call describe first for their columns. Everything is observational unless a finding says controlled or surgery: give intervals and \
n with every number you repeat, and never call an association a cause.";

/// One tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// The command's first words.
    command: &'static [&'static str],
    parameters: &'static [Parameter],
}

/// One argument.
struct Parameter {
    name: &'static str,
    /// The command's option; empty where it stands without one.
    option: &'static str,
    kind: Kind,
    required: bool,
    about: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Whole,
    Number,
    Flag,
    List,
}

const fn optional(name: &'static str, option: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter {
        name,
        option,
        kind,
        required: false,
        about,
    }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter {
        name,
        option: "",
        kind,
        required: true,
        about,
    }
}

const DEVICE: Parameter = optional(
    "device",
    "--device",
    Kind::Text,
    "A device by name, as \"RTX 4090\" or \"H100\": adds memory and decoding speed",
);

pub(super) const TOOLS: [Tool; 7] = [
    Tool {
        name: "query",
        about: "Run one read-only SQL statement (DataFusion's dialect, close to PostgreSQL) over the catalog's tables: checkpoints, \
                structures, evaluations, scores, provenance and others, and the view observations, one score a row with the \
                structure of its checkpoint. Rows as JSON. Aggregate or limit: answers are cut.",
        command: &["query"],
        parameters: &[required("sql", Kind::Text, "The statement")],
    },
    Tool {
        name: "predict",
        about: "What a structure would score on each benchmark, with an 80 % interval for shapes never seen, what drives it, the \
                nearest known checkpoints, whether it extrapolates; and parameters, memory and decoding speed. Give an id of the \
                catalog, or a config.json, or layers and d_model.",
        command: &["predict"],
        parameters: &[
            optional(
                "id",
                "",
                Kind::Text,
                "A checkpoint of the catalog, organisation/name",
            ),
            optional(
                "config",
                "--config",
                Kind::Text,
                "Path of a config.json on this machine",
            ),
            optional("layers", "--layers", Kind::Whole, "Decoder layers"),
            optional(
                "d_model",
                "--d-model",
                Kind::Whole,
                "Width of the residual stream",
            ),
            optional("d_ffn", "--d-ffn", Kind::Whole, "Width of the feed-forward layer"),
            optional("heads", "--heads", Kind::Whole, "Attention heads"),
            optional("kv_heads", "--kv-heads", Kind::Whole, "Key and value heads"),
            optional(
                "vocab_size",
                "--vocab-size",
                Kind::Whole,
                "Entries of the vocabulary",
            ),
            optional(
                "benchmarks",
                "--benchmarks",
                Kind::List,
                "Benchmarks by name; all where absent",
            ),
            optional("date", "--date", Kind::Text, "Day of publication, 2024-05-31"),
            optional(
                "context",
                "--context",
                Kind::List,
                "Contexts for memory and decoding, tokens",
            ),
            optional(
                "engine",
                "--engine",
                Kind::Text,
                "llama.cpp, vllm or transformers",
            ),
            optional("quant", "--quant", Kind::Text, "Weight type: bf16, Q4_K_M, awq …"),
            DEVICE,
        ],
    },
    Tool {
        name: "recommend",
        about: "Which checkpoints to take under a budget of memory, speed and licence: measured ones ranked with intervals and ties, \
                predicted ones apart, and why others were left out.",
        command: &["recommend"],
        parameters: &[
            optional(
                "memory",
                "--memory",
                Kind::Text,
                "Memory there is, as 24GB; the device's where absent",
            ),
            DEVICE,
            optional(
                "tasks",
                "--task",
                Kind::List,
                "Tasks (math, code, instructions, knowledge, reasoning …) or benchmarks",
            ),
            optional(
                "licenses",
                "--license",
                Kind::List,
                "Licences, any of which will do, as apache-2.0",
            ),
            optional(
                "min_speed",
                "--min-speed",
                Kind::Number,
                "Minimum decoding speed, tokens/s (the device's bound)",
            ),
            optional("context", "--context", Kind::Whole, "Context length, tokens"),
            optional(
                "precisions",
                "--precision",
                Kind::List,
                "Number formats, the preferred first: bf16, int8, 4bit",
            ),
            optional("top", "--top", Kind::Whole, "Rows of each list"),
        ],
    },
    Tool {
        name: "compare",
        about: "Two or more checkpoints of the catalog side by side: structure, costs, scores with how each run was made, and for \
                like runs whether each differs from the first by more than noise.",
        command: &["compare"],
        parameters: &[
            required("ids", Kind::List, "Two checkpoints or more, organisation/name"),
            optional("context", "--context", Kind::List, "Contexts for memory, tokens"),
            DEVICE,
        ],
    },
    Tool {
        name: "claims",
        about: "Claims of published works about structure and ability, each judged on these data as the work made it and under a \
                stricter reading: reproduced, contradicted, cannot_tell, not_testable or not_comparable.",
        command: &["study", "claims"],
        parameters: &[
            optional(
                "work",
                "--work",
                Kind::Text,
                "Only works whose name holds this, as 2509.18136",
            ),
            optional(
                "statement",
                "--statement",
                Kind::Text,
                "Only statements that hold this",
            ),
            optional(
                "only",
                "--only",
                Kind::Text,
                "Only claims with this verdict, as contradicted",
            ),
        ],
    },
    Tool {
        name: "finding",
        about: "Findings of the study by id or by what their ids begin with, each with value, unit, interval, n, method and protocol. \
                Ids begin with pooled.simultaneous (observed), controlled.simultaneous (runs that differ in nothing else), \
                controlled.minitron (surgery), scale, progress, forecast, importance, regression, claims …",
        command: &["findings"],
        parameters: &[required(
            "ids",
            Kind::List,
            "Ids, or prefixes of ids, as controlled.",
        )],
    },
    Tool {
        name: "describe",
        about: "The tables' columns with types, units and meanings. Name the tables, before query: checkpoints, structures, evaluations, \
                scores, items, interventions, duplicates, conflicts, rejects, resolution, sources. The view observations is scores \
                with the columns of structures. Without tables also the structure columns in numbers, cut.",
        command: &["catalog", "describe"],
        parameters: &[
            optional("tables", "--of", Kind::List, "Only the columns of these tables"),
            optional("schema", "--schema", Kind::Flag, "The tables' columns alone"),
        ],
    },
];

impl Tool {
    /// The JSON schema of its arguments.
    pub(super) fn schema(&self) -> Map<String, Value> {
        let mut properties: Map<String, Value> = self
            .parameters
            .iter()
            .map(|parameter| (parameter.name.to_owned(), parameter.schema()))
            .collect();
        properties.insert(
            "max_tokens".into(),
            json!({"type": "integer", "minimum": 200, "maximum": 1_000_000,
                   "description": "Most tokens of the answer, about; 2000 where absent"}),
        );
        let needed: Vec<&str> = self
            .parameters
            .iter()
            .filter(|one| one.required)
            .map(|one| one.name)
            .collect();
        let schema = json!({"type": "object", "properties": properties, "required": needed, "additionalProperties": false});
        match schema {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// The command's words, and how many tokens the answer may have.
    pub(super) fn words(
        &self,
        arguments: &Map<String, Value>,
    ) -> Result<(Vec<String>, Option<u64>), Failure> {
        let mut words: Vec<String> = self.command.iter().map(ToString::to_string).collect();
        let mut standing: Vec<String> = Vec::new();
        let mut tokens = None;
        for (name, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
            if name == "max_tokens" {
                let asked = value.as_u64().filter(|&tokens| tokens >= 200);
                tokens = Some(asked.ok_or_else(|| wrong("max_tokens", "a whole number from 200 on", value))?);
            } else if !self.parameters.iter().any(|parameter| parameter.name == name) {
                let known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name).collect();
                return Err(refused(format!(
                    "`{}` has no argument `{name}`; there are {}, max_tokens",
                    self.name,
                    known.join(", ")
                )));
            }
        }
        for parameter in self.parameters {
            let given = arguments.get(parameter.name).filter(|value| !value.is_null());
            let Some(value) = given else {
                if parameter.required {
                    return Err(refused(format!(
                        "`{}` needs `{}`: {}",
                        self.name, parameter.name, parameter.about
                    )));
                }
                continue;
            };
            let texts = parameter.texts(value)?;
            match (parameter.option, parameter.kind) {
                ("", _) => standing.extend(texts),
                (_, Kind::Flag) if texts.is_empty() => {}
                (option, Kind::Flag) => words.push(option.to_owned()),
                (option, _) => words.push(format!("{option}={}", texts.join(","))),
            }
        }
        words.extend(["--format", "json"].map(String::from));
        if standing.iter().any(|word| word.starts_with('-')) {
            words.push("--".into());
        }
        words.extend(standing);
        Ok((words, tokens))
    }
}

impl Parameter {
    fn schema(&self) -> Value {
        match self.kind {
            Kind::Text => json!({"type": "string", "description": self.about}),
            Kind::Whole => json!({"type": "integer", "minimum": 1, "description": self.about}),
            Kind::Number => json!({"type": "number", "exclusiveMinimum": 0, "description": self.about}),
            Kind::Flag => json!({"type": "boolean", "description": self.about}),
            Kind::List => {
                json!({"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1, "description": self.about})
            }
        }
    }

    /// The value as a command line has it.
    fn texts(&self, value: &Value) -> Result<Vec<String>, Failure> {
        let one = |value: &Value, what: &str| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(wrong(self.name, what, other)),
        };
        match (self.kind, value) {
            (Kind::Flag, Value::Bool(true)) => Ok(vec![String::new()]),
            (Kind::Flag, Value::Bool(false)) => Ok(Vec::new()),
            (Kind::Flag, other) => Err(wrong(self.name, "true or false", other)),
            (Kind::List, Value::Array(items)) => {
                items.iter().map(|item| one(item, "a list of texts")).collect()
            }
            (Kind::List, other) => Ok(vec![one(other, "a list of texts")?]),
            (Kind::Whole, Value::Number(number)) if number.is_u64() => Ok(vec![number.to_string()]),
            (Kind::Whole, other) => Err(wrong(self.name, "a whole number", other)),
            (Kind::Number, Value::Number(number)) => Ok(vec![number.to_string()]),
            (Kind::Number, other) => Err(wrong(self.name, "a number", other)),
            (Kind::Text, other) => Ok(vec![one(other, "a text")?]),
        }
    }
}

fn wrong(name: &str, wanted: &str, value: &Value) -> Failure {
    refused(format!("`{name}` is {wanted}, not {value}"))
}

fn refused(message: String) -> Failure {
    Failure { message, hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str, arguments: Value) -> Result<Vec<String>, String> {
        let tool = TOOLS.iter().find(|tool| tool.name == name).expect("a tool");
        let Value::Object(arguments) = arguments else {
            unreachable!("an object")
        };
        tool.words(&arguments)
            .map(|(words, _)| words)
            .map_err(|failure| failure.message)
    }

    #[test]
    fn every_table_is_named_to_who_asks_for_columns() {
        let about = TOOLS
            .iter()
            .find(|tool| tool.name == "describe")
            .expect("a tool")
            .about;
        for table in catalog::describe::schema() {
            assert!(about.contains(table.name), "{}", table.name);
        }
    }

    #[test]
    fn arguments_become_the_commands_words() {
        let predict = words(
            "predict",
            json!({"layers": 32, "d_model": 4096, "benchmarks": ["math", "bbh"]}),
        );
        assert_eq!(
            predict.expect("words"),
            [
                "predict",
                "--layers=32",
                "--d-model=4096",
                "--benchmarks=math,bbh",
                "--format",
                "json"
            ]
        );
        let query = words("query", json!({"sql": "-- all\nselect 1"}));
        assert_eq!(
            query.expect("words"),
            ["query", "--format", "json", "--", "-- all\nselect 1"]
        );
        assert_eq!(
            words("describe", json!({"schema": true})).expect("words"),
            ["catalog", "describe", "--schema", "--format", "json"]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, arguments, says) in [
            ("query", json!({}), "`query` needs `sql`"),
            ("query", json!({"sql": 1, "limit": 3}), "no argument `limit`"),
            ("predict", json!({"layers": "deep"}), "`layers` is a whole number"),
            (
                "describe",
                json!({"max_tokens": 3}),
                "`max_tokens` is a whole number from 200",
            ),
        ] {
            let told = words(name, arguments).expect_err("refused");
            assert!(told.contains(says), "{told}");
        }
    }
}
