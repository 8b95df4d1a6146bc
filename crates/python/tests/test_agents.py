"""`anatomy mcp` by the protocol's own Python client: schemas, answers beside the command's, room, errors, and the skill's examples."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

mcp = pytest.importorskip("mcp")
from mcp.client.stdio import stdio_client  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(sys.executable), "anatomy")
SKILL = Path(__file__).resolve().parents[3] / "skills/anatomy/SKILL.md"
HAS_DOOR = "not built in" not in subprocess.run([PROGRAM, "mcp"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stderr
if not HAS_DOOR:
    assert "agents" not in os.environ.get("ANATOMY_REQUIRE", ""), "this wheel has no door for agents"
    pytest.skip("this wheel has no door for agents (feature mcp)", allow_module_level=True)
# What the tool is asked, and the words of the command that gives the same.
ASKED = [
    (
        "query",
        {"sql": "select benchmark, avg(value) as mean from observations group by 1 order by 1 limit 3"},
        ["query", "select benchmark, avg(value) as mean from observations group by 1 order by 1 limit 3"],
    ),
    (
        "predict",
        {"layers": 32, "d_model": 4096, "benchmarks": ["math", "bbh"], "device": "RTX 4090"},
        ["predict", "--layers=32", "--d-model=4096", "--benchmarks=math,bbh", "--device=RTX 4090"],
    ),
    (
        "recommend",
        {"memory": "24GB", "device": "RTX 4090", "tasks": ["math"], "top": 3},
        ["recommend", "--memory=24GB", "--device=RTX 4090", "--task=math", "--top=3"],
    ),
    (
        "compare",
        {"ids": ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-14B-Instruct"]},
        ["compare", "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-14B-Instruct"],
    ),
    ("claims", {"work": "2509.18136"}, ["study", "claims", "--work=2509.18136"]),
    ("finding", {"ids": ["controlled.minitron."]}, ["findings", "controlled.minitron."]),
    ("describe", {"tables": ["structures"]}, ["catalog", "describe", "--of=structures"]),
]


def asked(work):
    """What `work` does with a session of its own."""

    async def run():
        server = mcp.StdioServerParameters(command=PROGRAM, args=["mcp"])
        async with stdio_client(server) as (read, write), mcp.ClientSession(read, write) as session:
            await session.initialize()
            return await work(session)

    return asyncio.run(run())


def is_error(result) -> bool:
    return result.isError if hasattr(result, "isError") else result.is_error


def without_command(answer):
    """All but how it was typed, which is the tool's own way."""
    if isinstance(answer, dict) and "provenance" in answer:
        return {**answer, "provenance": {key: value for key, value in answer["provenance"].items() if key != "command"}}
    return answer


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
        assert all(told["description"] for told in schema["properties"].values()), tool.name
        given = next(arguments for name, arguments, _ in ASKED if name == tool.name)
        jsonschema.validate({**given, "max_tokens": 2000}, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**given, "nothing": 1}, schema)


@pytest.mark.parametrize(("tool", "arguments", "words"), ASKED, ids=[name for name, *_ in ASKED])
def test_an_answer_is_the_commands_and_fits(tool, arguments, words):
    async def work(session):
        whole = await session.call_tool(tool, {**arguments, "max_tokens": 1_000_000})
        short = await session.call_tool(tool, arguments)
        return whole, short

    whole, short = asked(work)
    printed = subprocess.run([PROGRAM, *words, "--format", "json", "--quiet"], capture_output=True, text=True)
    assert printed.returncode in (0, 1), printed.stderr
    assert not is_error(whole) and not is_error(short)
    wanted = json.loads(printed.stdout)
    assert without_command(json.loads(whole.content[0].text)) == without_command(wanted)
    # 2,000 tokens of 2.3 bytes (`cut.rs` says why so few).
    assert len(short.content[0].text.encode()) <= 4600
    told = json.loads(short.content[0].text)
    if len(whole.content[0].text.encode()) > 4600:
        assert told["left_out"] and "max_tokens" in told["left_out_why"]
    else:
        assert told == json.loads(whole.content[0].text)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("query", {"sql": "select nothing from nowhere"}, "nowhere"),
        ("query", {"sql": "drop table scores"}, "table"),
        ("predict", {"layers": "many", "d_model": 4096}, "layers"),
        ("compare", {"ids": ["Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7C"]}, "did you mean"),
        ("finding", {"ids": ["answer."]}, "pooled"),
        ("finding", {}, "ids"),
        ("claims", {"only": "false"}, "cannot_tell"),
        ("nothing", {}, "recommend"),
    ],
)
def test_what_is_refused_is_a_result_that_says_why(tool, arguments, words):
    async def work(session):
        return await session.call_tool(tool, arguments)

    told = asked(work)
    assert is_error(told) and words in told.content[0].text, told


def test_every_example_of_the_skill_is_answered():
    examples = re.findall(r"^- `(\w+) (\{.*\})`$", SKILL.read_text(), re.M)
    assert len(examples) >= 6

    async def work(session):
        return [(name, await session.call_tool(name, json.loads(arguments))) for name, arguments in examples]

    for name, told in asked(work):
        assert not is_error(told), (name, told.content[0].text)
        assert len(told.content[0].text.encode()) <= 4600
