//! The binary as a user meets it: exit codes, files, errors. One module a command.

#![allow(clippy::print_stdout, reason = "tests say what they skip")]

mod browser;
mod circles; // data flows one way: no circle between folders
mod command;
mod http;
mod site;

mod answer; // the answer beside figures worked out apart, and claims of one's own
mod api; // the API's answers beside its document, parameters, refusals
mod api_schema; // what holds an answer against a schema
mod bad_input; // every kind of damaged source names file, row and column, and leaves nothing behind
mod book; // the documentation site
mod catalog; // build, and the proof of the compiled-in tables
mod deploy; // the files that run pieces of work on clusters
mod door; // agents, workflows of others
mod features; // what was left out of a build says so
mod goldens; // snapshots of help texts and of answers on a small catalog
#[cfg(feature = "hub")]
mod hub; // the Hub client against a stand-in: faults, kills, errors
#[cfg(feature = "hub")]
mod hub_checkpoint; // a checkpoint by its name on the Hub
#[cfg(feature = "sql")]
mod import; // results on disk: every kind, foreign bytes
#[cfg(feature = "sql")]
mod items; // answers to single items: import, SQL, study
mod made_of; // what a report says it was made of: own rows, a condition
mod plain; // what is asked slightly wrong, and numbers of one name
mod probe; // what results of probes say they were made from
mod report; // the main job on the compiled-in tables
mod report_browser; // the report in a real browser
mod serve; // the dashboard's server: answers, refusals, limits
mod serve_browser; // its pages in a real browser
mod shapes; // abilities on one scale, laws of own runs, which shape to train
mod study; // regressions and importance on tables of the user's own and on the catalog
mod study_oracle; // predictions of the command beside scikit-learn's
mod tidy; // the rules of the house: crate edges, first lines, file lengths
mod r#use; // predict
mod use_recommend; // recommend, compare
