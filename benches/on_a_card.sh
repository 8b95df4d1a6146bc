#!/usr/bin/env bash
# What a card does with this code, in at most 15 minutes, as one JSON on standard output: the suite of all operations, NVIDIA's
# sanitizer on it, products by shape with their errors, a layer of Llama-2-7B's shape, transformers on the same shape, and how fast
# weights are brought. Not yet run on a card.
#
#     benches/on_a_card.sh > card.json
#
# Needs a build (`cargo build --release --features cuda`, `cargo build --release -p mechanism --example on_a_card`) and NVIDIA's driver.
# Takes along what is there: compute-sanitizer, and python3 with torch, safetensors and transformers.
set -uo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}/release"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
say() { echo "$(date +%T) $*" >&2; }

for program in "$target/anatomy" "$target/examples/on_a_card"; do
  [ -x "$program" ] || { echo "$program is not built: see the head of this file" >&2; exit 2; }
done
{ nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader || echo "no nvidia-smi"; } > "$work/smi" 2>&1

for precision in exact fast; do
  say "suite, $precision"
  timeout 120 "$target/anatomy" probe device --check --precision "$precision" --format json -q > "$work/suite-$precision.json" 2> "$work/suite-$precision.err"
  status=$?
  if [ $status -ne 0 ]; then
    say "the suite ended with $status: nothing else is run"
    cat "$work/suite-$precision.err" >&2
    stop=1
  fi
done

if [ -z "${stop:-}" ]; then
  if command -v compute-sanitizer > /dev/null; then
    for tool in memcheck racecheck; do
      say "$tool"
      timeout 120 compute-sanitizer --tool "$tool" "$target/anatomy" probe device > "$work/$tool" 2>&1
      echo "status $?" >> "$work/$tool"
    done
  fi
  model=()
  if python3 -c 'import torch, safetensors' 2> /dev/null; then
    say "a checkpoint of Llama-2-7B's shape, two layers"
    python3 benches/seven_billion_shape.py "$work/model" 2 >&2 && model=("$work/model")
  fi
  say "products and a layer"
  timeout 240 "$target/examples/on_a_card" "${model[@]}" > "$work/card.json" 2> "$work/card.err" || cat "$work/card.err" >&2
  if [ ${#model[@]} -gt 0 ] && python3 -c 'import transformers' 2> /dev/null; then
    say "transformers on the same shape"
    timeout 180 python3 - "$model" > "$work/transformers.json" 2> "$work/transformers.err" << 'PYTHON' || cat "$work/transformers.err" >&2
import json, sys, time
import torch, transformers
found = []
for dtype in (torch.bfloat16, torch.float32):
    network = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], torch_dtype=dtype).cuda().eval()
    layer, rotary = network.model.layers[0], network.model.rotary_emb
    for rows in (512, 2048, 8192):
        x = torch.randn(1, rows, network.config.hidden_size, dtype=dtype, device="cuda")
        place = rotary(x, torch.arange(rows, device="cuda")[None])
        with torch.no_grad():
            for _ in range(2):
                layer(x, position_embeddings=place)
            torch.cuda.synchronize()
            begun = time.time()
            for _ in range(8):
                layer(x, position_embeddings=place)
            torch.cuda.synchronize()
        seconds = (time.time() - begun) / 8
        found.append({"dtype": str(dtype), "rows": rows, "seconds": seconds, "rows_per_s": rows / seconds})
print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "layer": found}))
PYTHON
  fi
fi

python3 - "$work" << 'PYTHON'
import json, pathlib, sys
work, found = pathlib.Path(sys.argv[1]), {}
for path in sorted(work.iterdir()):
    if path.is_dir():
        continue
    text = path.read_text(errors="replace")
    try:
        found[path.stem] = json.loads(text)
    except ValueError:
        if text.strip():
            found[path.name] = text[-2000:]
print(json.dumps(found, indent=1))
PYTHON
[ -z "${stop:-}" ]
