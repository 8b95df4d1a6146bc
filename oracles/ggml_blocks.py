"""Random blocks of every ggml type that is read, and what gguf-py makes of them.

    pip install gguf
    python oracles/ggml_blocks.py crates/mechanism/tests/ggml_blocks.json
"""

import json
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

# Where half-precision scales stand in a block: random bits there would mostly be infinite or not a number.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.F16: [0], T.BF16: []}


def main(path):
    random = np.random.default_rng(0)
    cases = []
    for kind, places in SCALES.items():
        _, size = GGML_QUANT_SIZES[kind]
        n = 2 if size > 4 else 8
        blocks = random.integers(0, 256, (n, size), dtype=np.uint8)
        for block in blocks:
            for at in places:
                block[at:at + 2] = np.frombuffer(np.float16(random.normal()).tobytes(), dtype=np.uint8)
        if kind == T.BF16:
            blocks = np.frombuffer((random.normal(size=n).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes(),
                                   dtype=np.uint8).reshape(n, 2)
        values = dequantize(blocks.reshape(1, -1), kind).reshape(-1)
        cases.append({"type": kind.name, "code": int(kind), "bytes": blocks.tobytes().hex(),
                      "values": [float(v) for v in values]})
    with open(path, "w") as file:
        json.dump({"tool": "gguf-py", "version": getattr(gguf, "__version__", "?"), "cases": cases}, file)


if __name__ == "__main__":
    main(sys.argv[1])
