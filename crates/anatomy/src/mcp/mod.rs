//! The door for agents: the Model Context Protocol over standard input and output.
//!
//! Each tool is a command: its arguments become the command's words, its answer is the command's JSON, cut to what the agent has
//! room for. What a command refuses is a result with `isError`, so that the agent reads why.

mod cut;
mod tools;

use anyhow::{Context, Result};
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer, ServiceExt};
use rmcp::transport::stdio;
use serde_json::Value;

use crate::door::{Ask, Failure};
use crate::progress::Watcher;
use tools::TOOLS;

/// Tokens of an answer where the agent does not say.
const TOKENS: u64 = 2000;

/// Serves until the input ends.
///
/// # Errors
/// An input that does not speak the protocol.
pub(crate) fn serve(ask: Ask) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    runtime.block_on(async {
        let serving = Door { ask }
            .serve(stdio())
            .await
            .context("the client did not start with the protocol's handshake")?;
        serving.waiting().await.context("serving ended")?;
        Ok(())
    })
}

struct Door {
    ask: Ask,
}

impl ServerHandler for Door {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("anatomy", env!("CARGO_PKG_VERSION")))
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        // A client may ask without leave of its user: nothing is changed, and nothing beyond the catalog is asked.
        let hints = ToolAnnotations::new().read_only(true).open_world(false);
        let tools = TOOLS
            .iter()
            .map(|tool| Tool::new(tool.name, tool.about, tool.schema()).with_annotations(hints.clone()));
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == request.name) else {
            let all: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
            let text = format!("no tool named `{}`; there are {}", request.name, all.join(", "));
            return Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into());
        };
        let ask = self.ask;
        let work = move || answer(ask, tool, &request.arguments.unwrap_or_default());
        let told = match tokio::task::spawn_blocking(work).await {
            Ok(Ok(text)) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Ok(Err(failure)) => CallToolResult::error(vec![ContentBlock::text(words(&failure))]),
            Err(_) => CallToolResult::error(vec![ContentBlock::text(
                "this question met a fault of the program",
            )]),
        };
        Ok(told.into())
    }
}

/// The command's JSON, cut where it is longer than asked for.
fn answer(
    ask: Ask,
    tool: &tools::Tool,
    arguments: &serde_json::Map<String, Value>,
) -> Result<String, Failure> {
    let (words, tokens) = tool.words(arguments)?;
    let told = ask(&words, &Watcher::default())?;
    let text = String::from_utf8_lossy(&told.results);
    let value: Value = serde_json::from_str(&text).map_err(|error| Failure {
        message: format!("the answer is not valid JSON: {error}"),
        hint: None,
    })?;
    Ok(cut::to_tokens(value, tokens.unwrap_or(TOKENS)))
}

fn words(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{}\n\nhint: {hint}", failure.message),
        None => failure.message.clone(),
    }
}
