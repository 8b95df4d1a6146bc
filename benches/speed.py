"""How fast checkpoints decode and read prompts, as shares of what a device's memory and processor allow.

    python3 benches/speed.py community-runs-2026-08.csv

Reads a table of community runs (AlexsJones/llmfit, llmfit-core/data/benchmark_cache.json, MIT), leaves out what says nothing of
one request on one device, with counts, and prints the constants of `catalog/src/cost/speed.rs`: the median share of the
bound, and the 10 and 90 % quantiles around it, each pair of device and base checkpoint weighing one. Then what such an
interval holds of devices and of base checkpoints that were left out, beside the rule of 0.55 of the bandwidth.
"""

import collections
import csv
import math
import re
import statistics
import sys

# GB/s and 16-bit Tflop/s, as in `catalog/src/cost/device.rs`.
DEVICES = {
    "RX 7900 XTX": (960.0, 122.8), "RTX 3060": (360.0, 51.2), "RTX 3090": (936.0, 142.0), "RTX 5090": (1792.0, 419.0),
    "RTX 4070": (504.2, 116.6), "RTX 3080": (760.3, 119.0), "RTX 4090": (1008.0, 330.3), "RTX 5080": (960.0, 225.1),
    "RTX 3090 Ti": (1008.0, 160.0), "T4": (320.0, 65.0), "RTX 4070 Super": (504.2, 141.9), "RTX 3080 Ti": (912.4, 136.4),
    "H100": (3350.0, 989.4), "M1 Max": (400.0, None), "M4 Pro": (273.0, None), "M4 Max": (546.0, None),
}
# Bits a weight of whole files of these types, embeddings included, of checkpoints of 7 to 30 billion parameters.
BITS = {
    "Q8_0": 8.5, "Q6_K": 6.57, "Q5_K_M": 5.7, "Q4_K_M": 4.85, "Q4_K_S": 4.6, "Q4_0": 4.6, "Q4_K_XL": 4.9, "UD-Q4_K_XL": 4.9,
    "UD-Q4_K_M": 4.85, "Q4_K_L": 4.9, "IQ4_XS": 4.3, "Q3_K_M": 3.9, "Q3_K_XL": 4.0, "Q2_K": 3.0, "Q2_K_S": 2.8,
    "IQ2_XXS": 2.3, "UD-IQ2_XXS": 2.3, "UD-IQ2_M": 2.7, "IQ1_M": 1.9, "NVFP4": 4.5, "GPTQ": 4.3, "AWQ": 4.3, "INT4": 4.5,
    "FP8": 8.2, "INT8": 8.2, "BF16": 16.0, "FP16": 16.0, "F16": 16.0,
}


def number(text):
    return float(text) if text not in ("", None) else None


def runs(path):
    """Runs that tell of one request on one device: (device, base, mixture, bound, measured, prefill share or None)."""
    kept, left_out, seen = [], collections.Counter(), set()
    for row in csv.DictReader(open(path, encoding="utf-8")):
        names = f"{row['hf_id']} {row['base_hf_id']}"
        stated = re.search(r"[-_]A(\d+(?:\.\d+)?)B", names, re.I)
        device = next((DEVICES[name] for name in (row["gpu"], row["chip"]) if name in DEVICES), None)
        bits, total = BITS.get(row["quant"]), number(row["params_b"])
        active = number(row["active_b"]) or (float(stated.group(1)) if stated else None)
        mixture = row["moe"] == "True" or stated is not None
        memory = number(row["vram_gb"]) or number(row["unified_gb"])
        speed = number(row["tok_s_out"])
        why = None
        if row["id"] in seen:
            why = "listed twice"
        elif row["hw_class"] == "CPU_ONLY":
            why = "processor only"
        elif device is None:
            why = "device not named"
        elif row["spec_decoding"] == "True" or row["mtp"] == "True":
            why = "drafts tokens ahead"
        elif row["gpu_count"] != "1":
            why = "several devices"
        elif bits is None:
            why = "type of weights not known"
        elif mixture and active is None or not total:
            why = "parameters not known"
        elif memory and total * bits / 8 > 0.95 * memory:
            why = "does not fit: layers offloaded"
        elif not speed:
            why = "no speed"
        seen.add(row["id"])
        if why is None:
            bound = device[0] / ((active or total) * bits / 8)
            if speed > bound:
                why = "faster than its memory is read: several requests, or drafts"
        if why is not None:
            left_out[why] += 1
            continue
        prompt, prefill, share = number(row["prompt_tokens"]), number(row["tok_s_prefill"]), None
        if device[1] and prompt and prompt >= 512 and prefill:
            share = prefill * 2 * (active or total) / (device[1] * 1e3)
        kept.append((row["gpu"] or row["chip"], row["base_hf_id"] or row["hf_id"], mixture, bound, speed, share))
    return kept, left_out


def quantile(values, weights, share):
    total, sum_ = sum(weights), 0.0
    for value, weight in sorted(zip(values, weights)):
        sum_ += weight
        if sum_ >= share * total:
            return value
    return max(values)


def fit(kept, share):
    """The median logarithm of the share of the bound, dense and mixtures, and the quantiles of what is left."""
    pairs = collections.Counter((run[0], run[1]) for run in kept)
    weights = [1 / pairs[run[0], run[1]] for run in kept]
    logs = [math.log(share(run)) for run in kept]
    medians = {}
    for mixture in (False, True):
        of = [at for at, run in enumerate(kept) if run[2] == mixture]
        medians[mixture] = quantile([logs[at] for at in of], [weights[at] for at in of], 0.5) if of else math.nan
    left = [log - medians[run[2]] for log, run in zip(logs, kept)]
    return medians, quantile(left, weights, 0.1), quantile(left, weights, 0.9)


def left_out(kept, group, share):
    errors, held, held_groups = [], [], []
    for name in sorted({run[group] for run in kept}):
        medians, low, high = fit([run for run in kept if run[group] != name], share)
        own = [run for run in kept if run[group] == name]
        inside = []
        for run in own:
            log, middle = math.log(share(run)), medians[run[2]]
            errors.append(abs(math.exp(middle - log) - 1))
            inside.append(middle + low <= log <= middle + high)
        held += inside
        held_groups.append(statistics.mean(inside))
    return statistics.median(errors), statistics.mean(held), statistics.mean(held_groups), len(held_groups)


def say(what, kept, share):
    medians, low, high = fit(kept, share)
    counts = [sum(run[2] == mixture for run in kept) for mixture in (False, True)]
    print(f"{what}: dense {math.exp(medians[False]):.3f} (n {counts[0]}), mixtures {math.exp(medians[True]):.3f} (n {counts[1]}), "
          f"80 % from {math.exp(low):.3f} to {math.exp(high):.3f} of that")
    for group, name in ((0, "devices"), (1, "base checkpoints")):
        error, rows, groups, n = left_out(kept, group, share)
        print(f"  {name} left out ({n}): median error {100 * error:.1f} %, 80 % intervals hold {100 * rows:.1f} % of runs, "
              f"{100 * groups:.1f} % on the mean of {name}")


def main():
    kept, why = runs(sys.argv[1])
    print(f"{len(kept)} runs kept, {sum(why.values())} left out: " + ", ".join(f"{k} {n}" for k, n in why.most_common()))
    decode = lambda run: run[4] / run[3]
    say("decoding, share of the memory's bound", kept, decode)
    plain = [abs(0.55 / decode(run) - 1) for run in kept]
    print(f"  the rule of 0.55 of the bandwidth: median error {100 * statistics.median(plain):.1f} %, "
          f"within 30 % for {100 * statistics.mean(e < 0.3 for e in plain):.0f} % of runs")
    prefill = [run for run in kept if run[5] and 0.003 < run[5] < 1]
    say("reading prompts of 512 tokens and more, share of the 16-bit products", prefill, lambda run: run[5])


main()
