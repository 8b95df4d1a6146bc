//! `anatomy mcp`: the door for agents.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::door::Ask;
use crate::global::Global;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy mcp                                   speaks the protocol on standard input and output
  {\"mcpServers\": {\"anatomy\": {\"command\": \"anatomy\", \"args\": [\"mcp\"]}}}     in a client's settings

Tools: query, predict, recommend, compare, claims, finding, describe. Each gives the JSON of the command of that name, cut to
about 2,000 tokens unless its argument max_tokens asks for more, and says what was left out. What a command refuses is a result
that says why. `skills/anatomy/SKILL.md` tells an agent when to use which.
Exit status: 0 ended with its input, 2 could not run")]
pub(crate) struct McpArgs {}

#[cfg(not(feature = "mcp"))]
pub(crate) fn run(_: &Global, _: &McpArgs, _: Ask) -> Result<ExitCode> {
    Err(crate::explain::not_built_in("mcp", "mcp"))
}

/// Serves until the input ends.
#[cfg(feature = "mcp")]
pub(crate) fn run(_: &Global, _: &McpArgs, ask: Ask) -> Result<ExitCode> {
    crate::mcp::serve(ask)?;
    Ok(ExitCode::SUCCESS)
}
