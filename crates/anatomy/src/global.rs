//! What every command takes: the form of its results, a seed, threads, silence.

use clap::{Args, ValueEnum};

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Output format; `query` also offers parquet, `catalog export` parquet, huggingface and every-eval-ever
    #[arg(long = "format", value_name = "FORMAT", global = true, display_order = 900, value_enum, default_value_t = FormatChoice::Table)]
    pub(crate) asked: FormatChoice,
    /// Random seed; the same seed gives the same bits
    #[arg(
        long,
        global = true,
        default_value_t = 42,
        display_order = 900,
        value_name = "NUM"
    )]
    pub(crate) seed: u64,
    /// Threads; 0 uses all cores. Results do not depend on it
    #[arg(
        long,
        global = true,
        default_value_t = 0,
        display_order = 900,
        value_name = "NUM"
    )]
    pub(crate) threads: usize,
    /// Print results and errors only
    #[arg(short, long, global = true, display_order = 900)]
    pub(crate) quiet: bool,
    /// With --format csv: the table to print, where an answer has several
    #[arg(long, global = true, display_order = 900, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Show all columns of tables in full, however wide the terminal
    #[arg(long, global = true, display_order = 900)]
    pub(crate) wide: bool,
}

/// Form of the results, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatChoice {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For other tools (`query` and `catalog export`)
    Parquet,
    /// A folder that the Hub displays as a dataset (`catalog export`)
    Huggingface,
    /// Records of Every Eval Ever, one file per run (`catalog export`)
    EveryEvalEver,
}

/// Form of the results that every command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
}

impl Global {
    /// The form, of those that every command has; `commands::run` lets no other through to one that has it not.
    pub(crate) fn format(&self) -> Format {
        match self.asked {
            FormatChoice::Json => Format::Json,
            FormatChoice::Csv => Format::Csv,
            FormatChoice::Table
            | FormatChoice::Parquet
            | FormatChoice::Huggingface
            | FormatChoice::EveryEvalEver => Format::Table,
        }
    }
}
