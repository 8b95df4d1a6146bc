"""PTX of the card's kernels, made by NVRTC on a machine without a card.

`ptx.py FOLDER` writes `kernels.ptx` beside `kernels.cu` with the NVRTC in FOLDER (`pip install --target FOLDER --no-deps
nvidia-cuda-nvrtc-cu12==12.4.127`: newer ones write PTX that older drivers refuse). `ptx.py --check FOLDER NEWER` compares it byte for
byte with what is there, and compiles the kernels for every compute capability that is promised, the newest by the NVRTC in NEWER. A
folder may hold `nvidia-cuda-nvcc-cu12` instead, whose assembler then makes machine code of the PTX as the driver does; it says what
does not fit the hardware.
"""

import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile

VERSION = "12.4.127"
SHIPPED = "compute_80"
PROMISED = ["compute_75", "compute_80", "compute_86", "compute_89", "compute_90"]
NEWEST = ["compute_100"]
ASSEMBLED = ["sm_80", "sm_86", "sm_89", "sm_90"]
PLACE = pathlib.Path(__file__).parent.parent / "crates/mechanism/src/decoder/cuda"


def library(folder):
    """The library in a folder of packages."""
    package = pathlib.Path(folder) / "nvidia/cuda_nvrtc/lib"
    builtins = next(package.glob("libnvrtc-builtins.so.*"))
    ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(package / "libnvrtc.so.12"))


def compiled(nvrtc, source, architecture):
    """PTX of `source`, or the end of the program with the compiler's words."""
    program = ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None) == 0
    options = (ctypes.c_char_p * 1)(f"--gpu-architecture={architecture}".encode())
    failed = nvrtc.nvrtcCompileProgram(program, 1, options)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    if failed:
        sys.exit(f"{architecture}: {log.value.decode()}")
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, text)
    return text.value


def main():
    folders = [word for word in sys.argv[1:] if not word.startswith("--")]
    if not folders:
        sys.exit(f"ptx.py [--check] FOLDER [NEWER]: FOLDER holds nvidia-cuda-nvrtc-cu12=={VERSION}")
    if not list(pathlib.Path(folders[0]).glob(f"nvidia_cuda_nvrtc_cu12-{VERSION}.dist-info")):
        sys.exit(f"{folders[0]} does not hold nvidia-cuda-nvrtc-cu12=={VERSION}")
    nvrtc, source = library(folders[0]), (PLACE / "kernels.cu").read_bytes()
    made = compiled(nvrtc, source, SHIPPED)
    if "--check" not in sys.argv:
        (PLACE / "kernels.ptx").write_bytes(made)
        return
    if (PLACE / "kernels.ptx").read_bytes() != made:
        sys.exit("kernels.ptx is not what NVRTC makes of kernels.cu: run oracles/ptx.py")
    for architecture in PROMISED:
        compiled(nvrtc, source, architecture)
    for folder in folders[1:]:
        assembler = pathlib.Path(folder) / "nvidia/cuda_nvcc/bin/ptxas"
        if assembler.exists():
            os.chmod(assembler, 0o755)
            with tempfile.TemporaryDirectory() as work:
                for architecture in ASSEMBLED:
                    out = str(pathlib.Path(work) / "kernels.cubin")
                    subprocess.run([assembler, f"-arch={architecture}", "-o", out, PLACE / "kernels.ptx"], check=True)
            PROMISED.extend(ASSEMBLED)
            continue
        for architecture in NEWEST:
            compiled(library(folder), source, architecture)
        PROMISED.extend(NEWEST)
    print(f"{len(made)} bytes of PTX as NVRTC {VERSION} makes them; compiles for {', '.join(PROMISED)}")


main()
