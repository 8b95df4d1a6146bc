"""`anatomy mcp` by the protocol's own Python client."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

mcp = pytest.importorskip("mcp")
from mcp.client.stdio import stdio_client  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(sys.executable), "anatomy")


def asked(work):
    async def run():
        server = mcp.StdioServerParameters(command=PROGRAM, args=["mcp"])
        async with stdio_client(server) as (read, write), mcp.ClientSession(read, write) as session:
            await session.initialize()
            return await work(session)

    return asyncio.run(run())


def test_tools_have_schemas():
    async def work(session):
        return (await session.list_tools()).tools

    tools = asked(work)
    assert [tool.name for tool in tools] == ["query", "predict", "recommend", "compare", "claims", "finding", "describe"]
    jsonschema = pytest.importorskip("jsonschema")
    for tool in tools:
        schema = getattr(tool, "inputSchema", None) or tool.input_schema
        jsonschema.Draft202012Validator.check_schema(schema)
        assert tool.description and schema["additionalProperties"] is False


def test_an_answer_is_the_commands_and_fits():
    async def work(session):
        whole = await session.call_tool("recommend", {"memory": "24GB", "top": 3, "max_tokens": 1_000_000})
        short = await session.call_tool("recommend", {"memory": "24GB", "top": 3})
        wrong = await session.call_tool("query", {"sql": "select nothing from nowhere"})
        return whole, short, wrong

    whole, short, wrong = asked(work)
    printed = subprocess.run(
        [PROGRAM, "recommend", "--memory=24GB", "--top=3", "--format", "json"], capture_output=True, text=True, check=True
    )
    assert json.loads(whole.content[0].text) == json.loads(printed.stdout)
    assert len(short.content[0].text) <= 5000 and "left_out" in json.loads(short.content[0].text)
    is_error = wrong.isError if hasattr(wrong, "isError") else wrong.is_error
    assert is_error and "nowhere" in wrong.content[0].text
