"""PTX of the card's kernels, made by NVRTC on a machine without a card.

`ptx.py` writes `kernels.ptx` beside `kernels.cu`; `--check` compares it byte for byte with what is there and compiles the
kernels for every compute capability that is promised. NVRTC is PyPI's `nvidia-cuda-nvrtc-cu12`, the version below: newer ones
write PTX that older drivers refuse. Exits with 3 where NVRTC is not installed.
"""

import ctypes
import pathlib
import sys
import sysconfig

VERSION = "12.4.127"
SHIPPED = "compute_80"
PROMISED = ["compute_75", "compute_80", "compute_86", "compute_89", "compute_90"]
FOLDER = pathlib.Path(__file__).parent.parent / "crates/mechanism/src/decoder/cuda"


def library():
    """The library of the package, whichever folder of packages it is in."""
    for folder in {sysconfig.get_paths()["purelib"], *sys.path}:
        package = pathlib.Path(folder) / "nvidia/cuda_nvrtc/lib"
        named = list(pathlib.Path(folder).glob("nvidia_cuda_nvrtc_cu12-*.dist-info"))
        if package.is_dir() and any(name.name.split("-")[1].startswith(VERSION) for name in named):
            ctypes.CDLL(str(package / "libnvrtc-builtins.so.12.4"))
            return ctypes.CDLL(str(package / "libnvrtc.so.12"))
    print(f"nvidia-cuda-nvrtc-cu12=={VERSION} is not installed here", file=sys.stderr)
    sys.exit(3)


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
    nvrtc = library()
    source = (FOLDER / "kernels.cu").read_bytes()
    made, place = compiled(nvrtc, source, SHIPPED), FOLDER / "kernels.ptx"
    if "--check" not in sys.argv:
        place.write_bytes(made)
        return
    if place.read_bytes() != made:
        sys.exit("kernels.ptx is not what NVRTC makes of kernels.cu: run oracles/ptx.py")
    for architecture in PROMISED:
        compiled(nvrtc, source, architecture)
    print(f"{len(made)} bytes of PTX as NVRTC {VERSION} makes them; compiles for {', '.join(PROMISED)}")


main()
