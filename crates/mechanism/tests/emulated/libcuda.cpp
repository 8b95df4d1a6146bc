// A CUDA driver for machines without a card: memory is memory, streams are calls, and kernels are those of kernels.cu, run by
// emulate.h. What a program says to NVIDIA's driver it says to this one, through the same bindings. Built with one of the
// macros below it is a driver that something is wrong with.
#include "emulate.h"
#include KERNELS
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>
#include <string>
#include <unordered_map>
#include <utility>
#ifdef UNLOADABLE
#define MODULE_LOADS 222  // CUDA_ERROR_UNSUPPORTED_PTX_VERSION
#else
#define MODULE_LOADS 0
#endif
#if defined(SMALL)
#define MEMORY (size_t(1) << 22)
#else
#define MEMORY (size_t(1) << 30)
#endif
using Any = void*;
using Size = size_t;
using Pointer = unsigned long long;
namespace {
struct Kernel { std::function<void(void**)> call; };
template <class... A, size_t... I> std::function<void(void**)> unpack(void (*f)(A...), std::index_sequence<I...>) {
  return [f](void** args) { f(*static_cast<std::remove_reference_t<A>*>(args[I])...); };
}
template <class... A> Kernel kernel(void (*f)(A...)) { return {unpack(f, std::index_sequence_for<A...>{})}; }
#define NAMED(f) {#f, kernel(f)}
std::unordered_map<std::string, Kernel>& kernels() {
  static std::unordered_map<std::string, Kernel> all = {NAMED(norm_rows), NAMED(norm_back), NAMED(column_sums), NAMED(rotate), NAMED(gate),
      NAMED(gate_back), NAMED(add_rows), NAMED(soft_cap), NAMED(take_rows), NAMED(spread_rows), NAMED(pick), NAMED(moments),
      NAMED(log_sum_exp), NAMED(loss_back), NAMED(product), NAMED(round_rows), NAMED(begin_rows), NAMED(attention),
      NAMED(attention_back_queries), NAMED(attention_back_keys)};
  return all;
}
int handle;
thread_local Any current;
std::mutex busy;
std::unordered_map<Pointer, Size> held;
Size taken;
// Bytes of whole pages that hold n, and after them one that nobody may touch.
Size pages(Size n) {
  Size page = sysconf(_SC_PAGESIZE);
  return (n + page - 1) / page * page;
}
}
extern "C" {
int cuInit(unsigned) {
#ifdef NO_CARD
  return 100;
#endif
  return 0;
}
int cuDriverGetVersion(int* v) {
#ifdef OLD
  *v = 11040;
#else
  *v = 13000;
#endif
  return 0;
}
int cuDeviceGet(int* d, int) { *d = 0; return 0; }
int cuDeviceGetCount(int* n) { *n = 1; return 0; }
int cuDeviceGetName(char* name, int n, int) { std::snprintf(name, n, "an emulated card"); return 0; }
int cuDeviceTotalMem_v2(Size* n, int) { *n = MEMORY; return 0; }
int cuDeviceGetAttribute(int* v, int which, int) {
#ifdef WEAK
  *v = which == 75 ? 7 : which == 76 ? 5 : 0;
#else
  *v = which == 75 ? 8 : 0;  // compute capability 8.0
#endif
  return 0;
}
int cuDevicePrimaryCtxRetain(Any* c, int) { *c = &handle; return 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxGetCurrent(Any* c) { *c = current; return 0; }
int cuCtxSetCurrent(Any c) { current = c; return 0; }
int cuCtxSynchronize() { return 0; }
int cuStreamCreate(Any* s, unsigned) { *s = &handle; return 0; }
int cuStreamDestroy_v2(Any) { return 0; }
int cuStreamSynchronize(Any) { return 0; }
int cuStreamWaitEvent(Any, Any, unsigned) { return 0; }
int cuStreamIsCapturing(Any, int* s) { *s = 0; return 0; }
int cuEventCreate(Any* e, unsigned) { *e = &handle; return 0; }
int cuEventRecord(Any, Any) { return 0; }
int cuEventSynchronize(Any) { return 0; }
int cuEventQuery(Any) { return 0; }
int cuEventDestroy_v2(Any) { return 0; }
// Fresh memory is full of what nobody should use, and ends where it ends: what is read or written after it ends the program.
int cuMemAlloc_v2(Pointer* p, Size n) {
  std::lock_guard<std::mutex> guard(busy);
  if (taken + n > MEMORY) return 2;
#ifdef SCARCE
  if (n > 100000) return 2;  // what is free is in pieces
#endif
  Size page = sysconf(_SC_PAGESIZE);
  void* begins = mmap(nullptr, pages(n) + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begins == MAP_FAILED) return 2;
  char* ends = (char*)begins + pages(n);
  mprotect(ends, page, PROT_NONE);
  std::memset(ends - n, 0xff, n);
  *p = (Pointer)(ends - n);
  held[*p] = n;
  taken += n;
  return 0;
}
int cuMemFree_v2(Pointer p) {
  std::lock_guard<std::mutex> guard(busy);
  auto at = held.find(p);
  if (at == held.end()) return 1;
  Size n = at->second;
  taken -= n;
  held.erase(at);
  munmap((char*)p + n - pages(n), pages(n) + sysconf(_SC_PAGESIZE));
  return 0;
}
int cuMemsetD8Async(Pointer p, unsigned char v, Size n, Any) { std::memset((void*)p, v, n); return 0; }
int cuMemsetD8_v2(Pointer p, unsigned char v, Size n) { std::memset((void*)p, v, n); return 0; }
int cuMemcpyHtoDAsync_v2(Pointer d, const void* s, Size n, Any) { std::memcpy((void*)d, s, n); return 0; }
int cuMemcpyDtoHAsync_v2(void* d, Pointer s, Size n, Any) { std::memcpy(d, (void*)s, n); return 0; }
int cuMemcpyDtoDAsync_v2(Pointer d, Pointer s, Size n, Any) { std::memmove((void*)d, (void*)s, n); return 0; }
int cuMemGetInfo_v2(Size* f, Size* t) {
  std::lock_guard<std::mutex> guard(busy);
  *f = MEMORY - taken;
  *t = MEMORY;
  return 0;
}
int cuModuleLoadData(Any* m, const void*) { *m = &handle; return MODULE_LOADS; }
int cuModuleUnload(Any) { return 0; }
int cuModuleGetFunction(Any* f, Any, const char* name) {
  auto at = kernels().find(name);
  if (at == kernels().end()) return 500;
  *f = &at->second;
  return 0;
}
int cuLaunchKernel(Any f, unsigned gx, unsigned gy, unsigned, unsigned bx, unsigned, unsigned, unsigned, Any, void** args, void**) {
  std::lock_guard<std::mutex> guard(busy);
  auto* k = static_cast<Kernel*>(f);
  emulate::launch({gx, gy, 1}, bx, [&] { k->call(args); });
  return 0;
}
int cuGetErrorName(int e, const char** s) { *s = e == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : e == 222 ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" : e == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_UNKNOWN"; return 0; }
int cuGetErrorString(int e, const char** s) { *s = e == 2 ? "out of memory" : e == 222 ? "the provided PTX was compiled with an unsupported toolchain." : e == 100 ? "no CUDA-capable device is detected" : "unknown error"; return 0; }
}
