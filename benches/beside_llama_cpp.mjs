// New tokens a second beside llama.cpp: same file, same machine, one after the other in one run, several rounds.
//
//     npm install --ignore-scripts node-llama-cpp @node-llama-cpp/linux-x64   # prebuilt llama.cpp, one library a kind of processor
//     cargo build --release -p mechanism --example measure
//     node benches/beside_llama_cpp.mjs target/release/examples/measure MODEL.gguf [THREADS [NEW [ROUNDS]]]
//
// (Node looks for packages beside this file and above it; copy it to where they were installed.) Contexts of 32 tokens, greedy,
// one text and eight together; reading contexts is left out. Each line: tokens a second and milliseconds of processor a token of
// both, the best of the rounds, and the load of the machine. Where there is other work, compare milliseconds of processor.

import {execFileSync} from "node:child_process";
import os from "node:os";
import {performance} from "node:perf_hooks";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [binary, file, threads = "1", made = "64", rounds = "3"] = process.argv.slice(2);
const CONTEXT = 32;

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: file});
const words = model.tokenize("The quick brown fox jumps over the lazy dog. ".repeat(CONTEXT));

// Wall seconds, processor seconds and tokens of the texts' continuations.
async function theirs(texts, count) {
    const context = await model.createContext({contextSize: 512, sequences: texts, batchSize: 512, threads: Number(threads)});
    const each = async (i) => {
        const tokens = [100 + i, ...words.slice(0, CONTEXT - 1)];
        const sequence = context.getSequence();
        const found = [];
        for await (const token of sequence.evaluate(tokens, {temperature: 0, yieldEogToken: true})) {
            found.push(token);
            if (found.length === count)
                break;
        }
        return found;
    };
    const [wall, processor] = [performance.now(), process.cpuUsage()];
    const found = await Promise.all([...Array(texts).keys()].map(each));
    const used = process.cpuUsage(processor);
    const took = {wall: performance.now() - wall, processor: (used.user + used.system) / 1e3, found};
    await context.dispose();
    return took;
}

function mine(texts, count) {
    const said = execFileSync(binary, ["generate", file, String(texts), String(CONTEXT), String(count)],
        {env: {...process.env, RAYON_NUM_THREADS: threads}, encoding: "utf8"});
    return JSON.parse(said);
}

for (const texts of [1, 8]) {
    const best = {own: [0, Infinity], their: [0, Infinity]};
    const keep = (of, speed, processor) => {
        best[of] = [Math.max(best[of][0], speed), Math.min(best[of][1], processor)];
    };
    let same;
    for (let round = 0; round < Number(rounds); round++) {
        const own = mine(texts, Number(made));
        keep("own", own.tokens_per_second, own.processor_milliseconds_per_token);
        const first = await theirs(texts, 1);
        const all = await theirs(texts, Number(made) + 1);
        const tokens = texts * Number(made);
        keep("their", 1e3 * tokens / (all.wall - first.wall), (all.processor - first.processor) / tokens);
        same = own.check.findIndex((token, at) => token !== all.found[0][at]);
    }
    console.log(JSON.stringify({
        file: file.split("/").pop(), texts, threads: Number(threads), new: Number(made),
        tokens_per_second: {anatomy: best.own[0], llama_cpp: best.their[0]},
        processor_milliseconds_per_token: {anatomy: best.own[1], llama_cpp: best.their[1]},
        first_token_that_differs: same === -1 ? null : same, load: os.loadavg()[0]
    }));
}
process.exit(0);
