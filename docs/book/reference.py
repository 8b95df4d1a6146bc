"""Writes the reference pages of this book from what they describe, or says which are stale (--check).

    python3 docs/book/reference.py --anatomy target/debug/anatomy [--check]

Commands: `anatomy man --markdown`. HTTP: the OpenAPI document. Python: signatures and docstrings of the module. Tables: `anatomy catalog
describe --schema`. Sources: `anatomy catalog sources`.
"""

import argparse
import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs/book/src/reference"


def run(anatomy: str, *words: str) -> str:
    done = subprocess.run([anatomy, *words], check=True, capture_output=True, text=True)
    return done.stdout


def commands(anatomy: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        run(anatomy, "man", "--markdown", "--quiet", "--out", folder)
        return (Path(folder) / "commands.md").read_text()


def cell(text: object) -> str:
    return " ".join(str("" if text is None else text).split()).replace("|", "\\|")


def tables(anatomy: str) -> str:
    found = json.loads(run(anatomy, "catalog", "describe", "--schema", "--format", "json"))["tables"]
    text = "# Tables\n\nWhat `anatomy query` asks, `anatomy catalog export` writes and `anatomy.catalog()` gives.\n"
    for table in found:
        text += f"\n## `{table['table']}`\n\n"
        text += "| column | type | unit | meaning |\n| --- | --- | --- | --- |\n"
        for column in table["columns"]:
            row = [column[key] for key in ("name", "type", "unit", "meaning")]
            text += "| " + " | ".join(cell(one) for one in row) + " |\n"
    return text


def sources(anatomy: str) -> str:
    told = json.loads(run(anatomy, "catalog", "sources", "--format", "json"))
    rows = told["sources"]
    columns = [key for key, value in rows[0].items() if not isinstance(value, (dict, list))]
    text = "# Sources and licences\n\n`anatomy catalog sources`; `catalog build --licensed-only` leaves out every source without a licence.\n\n"
    text += "| " + " | ".join(columns) + " |\n" + "| --- " * len(columns) + "|\n"
    for row in rows:
        text += "| " + " | ".join(cell(row.get(key)) for key in columns) + " |\n"
    return text


def http(_: str) -> str:
    document = json.loads((ROOT / "crates/anatomy/src/server/api/openapi.json").read_text())
    text = f"# HTTP\n\n{document['info'].get('description', '').strip()}\n\n`anatomy serve` gives the document itself at `/api/v1/openapi.json`.\n"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method not in ("get", "post"):
                continue
            text += f"\n## `{method.upper()} {path}`\n\n{operation.get('summary', '')}\n"
            if operation.get("description"):
                text += f"\n{operation['description'].strip()}\n"
            parameters = [named(document, one) for one in operation.get("parameters", [])]
            if parameters:
                text += "\n| parameter | in | type | meaning |\n| --- | --- | --- | --- |\n"
            for one in parameters:
                text += f"| `{one['name']}` | {one['in']} | {cell(kind_of(document, one.get('schema', {})))} | {cell(one.get('description'))} |\n"
            answers = [f"{code}: {named(document, told).get('description', '')}" for code, told in operation["responses"].items()]
            text += "\nAnswers: " + cell("; ".join(answers)) + "\n"
            found = named(document, operation["responses"].get("200", {})).get("content", {}).get("application/json", {}).get("schema", {})
            parts = named(document, found).get("properties", {})
            if parts:
                text += "\n| field of the answer | type | meaning |\n| --- | --- | --- |\n"
            for name, part in parts.items():
                said = part.get("description") or named(document, part).get("description")
                text += f"| `{name}` | {cell(kind_of(document, part))} | {cell(said)} |\n"
    return text


def kind_of(document: dict, schema: dict) -> str:
    """`integer`, `array of Score`, `bf16, Q8_0 …`: what a schema allows, in a word or two."""
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(kind_of(document, one) for one in schema.get("anyOf") or schema["oneOf"])
    whole = named(document, schema)
    if whole.get("type") == "array":
        return f"array of {kind_of(document, whole.get('items', {}))}"
    if "const" in whole:
        return f"`{whole['const']}`"
    if values := whole.get("enum"):
        shown = ", ".join(str(value) for value in values[:6])
        return shown + (" …" if len(values) > 6 else "")
    if "$ref" in schema and whole.get("type") in ("object", None):
        return schema["$ref"].rsplit("/", 1)[-1]
    kinds = whole.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else kinds


def named(document: dict, part: dict) -> dict:
    if "$ref" not in part:
        return part
    for key in part["$ref"].removeprefix("#/").split("/"):
        document = document[key]
    return document


def python(_: str) -> str:
    folder = ROOT / "crates/python/python/anatomy"
    module = ast.parse((folder / "__init__.py").read_text())
    text = f"# Python\n\n{ast.get_docstring(module)}\n"
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            text += function(node, "anatomy.")
    for file, names in (("_anatomy.pyi", ["Table"]), ("_estimators.py", ["Structural", "Regression"]), ("_errors.py", ["AnatomyError"])):
        classes = {node.name: node for node in ast.parse((folder / file).read_text()).body if isinstance(node, ast.ClassDef)}
        for name in names:
            text += f"\n## `anatomy.{name}`\n\n{ast.get_docstring(classes[name])}\n"
            for part in classes[name].body:
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("_") and ast.get_docstring(part):
                    text += function(part, f"{name}.", "###")
    return text


def function(node: ast.FunctionDef, above: str, level: str = "##") -> str:
    answer = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    signature = f"{above}{node.name}({ast.unparse(node.args)}){answer}"
    return f"\n{level} `{above}{node.name}`\n\n```python\n{signature}\n```\n\n{ast.get_docstring(node) or ''}\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--anatomy", required=True, help="the program")
    arguments.add_argument("--check", action="store_true", help="write nothing, end with 1 where a page is stale")
    asked = arguments.parse_args()
    stale = []
    for name, make in (("commands", commands), ("tables", tables), ("sources", sources), ("http", http), ("python", python)):
        page, text = PAGES / f"{name}.md", make(asked.anatomy)
        if not page.exists() or page.read_text() != text:
            stale.append(str(page.relative_to(ROOT)))
            if not asked.check:
                page.write_text(text)
    if stale:
        print(("stale, renew with docs/book/reference.py: " if asked.check else "written: ") + ", ".join(stale))
    return 1 if stale and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())
