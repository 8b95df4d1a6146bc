"""How fast checkpoints decode and read prompts, as shares of what a device's memory and processor allow.

    python3 benches/speed.py community-runs-2026-08.csv

Reads a table of community runs (AlexsJones/llmfit, llmfit-core/data/benchmark_cache.json, MIT), leaves out what says nothing of
one request on one device, with counts, and prints the constants of `catalog/src/cost/speed.rs`: the median share of the
bound by a power of all to active parameters, and the 10 and 90 % quantiles of what is left when devices and bases are left out;
each pair of device and base checkpoint weighs one. Then what all of that, made anew each time without a device or a base
checkpoint, says of the one left out, beside the rule of 0.55 of the bandwidth.
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
        elif row["backend"] == "cpu":
            why = "ran on the processor beside the device"
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
        ratio = total / active if active else 1.0
        prompt, prefill, share = number(row["prompt_tokens"]), number(row["tok_s_prefill"]), None
        if device[1] and prompt and prompt >= 512 and prefill:
            share = prefill * 2 * (active or total) / (device[1] * 1e3)
        kept.append((row["gpu"] or row["chip"], row["base_hf_id"] or row["hf_id"], mixture, bound, speed, share, ratio))
    return kept, left_out


def quantile(values, weights, share):
    total, sum_ = sum(weights), 0.0
    for value, weight in sorted(zip(values, weights)):
        sum_ += weight
        if sum_ >= share * total:
            return value
    return max(values)


def passed_by(run):
    """What the median depends on: how many of its parameters a token passes by, on a log scale."""
    return math.log(run[6])


def median_line(xs, ys, weights):
    """The end and the slope, from -1.6 to 0, of the line from which the weighted absolute distances are least; the cost is
    convex in the slope, so a third of what is left falls away at each step."""
    def at(slope):
        left = [y - slope * x for x, y in zip(xs, ys)]
        middle = quantile(left, weights, 0.5)
        return sum(w * abs(one - middle) for w, one in zip(weights, left)), middle, slope

    low, high = -1.6, 0.0
    for _ in range(10):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if at(one)[0] <= at(two)[0] else (one, high)
    _, middle, slope = at(round((low + high) / 2, 3))
    return middle, slope


def weights_of(kept):
    pairs = collections.Counter((run[0], run[1]) for run in kept)
    return [1 / pairs[run[0], run[1]] for run in kept]


def line_of(kept, share):
    return median_line([passed_by(run) for run in kept], [math.log(share(run)) for run in kept], weights_of(kept))


def errors_left_out(kept, group, share):
    """What is left of each run by the line made without its device or base."""
    left = [None] * len(kept)
    for name in {run[group] for run in kept}:
        others = [run for run in kept if run[group] != name]
        if not others:
            continue
        middle, slope = line_of(others, share)
        for at, run in enumerate(kept):
            if run[group] == name:
                left[at] = math.log(share(run)) - middle - slope * passed_by(run)
    return left


def fit(kept, share):
    """The line, and the 10 and 90 % quantiles of what is left when devices and bases are left out, both kinds together."""
    weights = weights_of(kept)
    errors = [errors_left_out(kept, group, share) for group in (0, 1)]
    pairs = [(w, e) for one in errors for w, e in zip(weights, one) if e is not None]
    ends = [quantile([e for _, e in pairs], [w for w, _ in pairs], share_) for share_ in (0.1, 0.9)]
    return line_of(kept, share), ends


def left_out(kept, group, share):
    errors, held, held_groups = [], [], []
    for name in sorted({run[group] for run in kept}):
        (middle, slope), (low, high) = fit([run for run in kept if run[group] != name], share)
        inside = []
        for run in (run for run in kept if run[group] == name):
            off = math.log(share(run)) - middle - slope * passed_by(run)
            errors.append(abs(math.exp(-off) - 1))
            inside.append(low <= off <= high)
        held += inside
        held_groups.append(statistics.mean(inside))
    return statistics.median(errors), statistics.mean(held), statistics.mean(held_groups), len(held_groups)


def say(what, kept, share):
    (middle, slope), (low, high) = fit(kept, share)
    mixtures = sum(run[2] for run in kept)
    print(f"{what}: {math.exp(middle):.3f} × (all / active parameters)^{slope:.2f} (n {len(kept)}, {mixtures} of mixtures), "
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
