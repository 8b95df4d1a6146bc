"""Hooks of schemathesis for `serve_openapi.py`: where the document names a format, values of this server.

Without them nearly every path ends at 404 and nearly every statement is no SQL; with them answers are checked too.
"""
import json
import os
import urllib.request

import schemathesis
from hypothesis import strategies as st

LINK = os.environ["ANATOMY_LINK"]


def get(path):
    with urllib.request.urlopen(LINK + path, timeout=60) as answer:
        return json.load(answer)


def ids(parameters):
    return [row["id"] for row in get(f"api/v1/checkpoints?{parameters}&columns=id")["rows"]]


CHECKPOINTS = ids("sort=-average_v2&limit=150") + ids("min_size=1&sort=size&limit=100") + ids("limit=50")
SECTIONS = get("api/v1/sections")["sections"]
TABLES = sorted({(row[0], row[1]) for row in get("api/v1/tables")["rows"]})
CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 32, "hidden_size": 4096,
    "intermediate_size": 11008, "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000,
}


@st.composite
def statements(draw):
    """One statement over real tables and columns; some overflow, divide by zero or name what the table has not."""
    table, column = draw(st.sampled_from(TABLES))
    _, other = draw(st.sampled_from(TABLES))
    quoted = [f'"{name}"' for name in (column, other if draw(st.booleans()) else column)]
    return draw(st.sampled_from([
        f"select {quoted[0]}, count(*) as n from {table} group by 1 order by 2 desc limit 5",
        f"select * from {table} where {quoted[1]} is not null limit {draw(st.integers(0, 40))}",
        f"select min({quoted[0]}), max({quoted[1]}) from {table}",
        f"select {draw(st.integers())} / {draw(st.integers(0, 3))} as x",
        f"with a as (select {quoted[0]} as c from {table}) select c, c from a limit 3",
        f"drop table {table}", f"select {quoted[0]} from {table}; select 1", "explain select 1",
    ]))


@st.composite
def configs(draw):
    """A config.json, one of its dimensions another number, or missing."""
    config = dict(CONFIG)
    name = draw(st.sampled_from(sorted(config)))
    config[name] = draw(st.one_of(st.none(), st.integers(-2, 10**7), st.just(CONFIG[name]), st.text(max_size=5)))
    return json.dumps(config)


for name, strategy in {
    "checkpoint-id": st.sampled_from(CHECKPOINTS),
    "finding-id": st.sampled_from([finding["id"] for finding in get("api/v1/findings")["findings"]]),
    "section-id": st.sampled_from([section["id"] for section in SECTIONS]),
    "figure-id": st.sampled_from([figure for section in SECTIONS for figure in section["figures"]]),
    "sql": statements(),
    "config-json": configs(),
}.items():
    schemathesis.openapi.format(name, strategy)
