// A block of CUDA threads on one thread of the processor: each a fiber that goes on until a barrier, a product of the tensor cores
// or its end. Enough for kernels without includes.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulate {
struct Dim { unsigned x, y, z; };
enum Wait { Runs, Block, Warp, Done };
#if defined(__x86_64__)
// A switch of stacks by hand: swapcontext asks the kernel for the signal mask each time.
struct Context { void* stack; };
extern "C" void emulate_switch(void** from, void* to);
asm(R"(
.text
.globl emulate_switch
.type emulate_switch,@function
emulate_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulate_switch,.-emulate_switch
)");
inline void go(Context& from, Context& to) { emulate_switch(&from.stack, to.stack); }
inline void prepare(Context& c, char* stack, size_t size, void (*entry)()) {
  void** top = reinterpret_cast<void**>((reinterpret_cast<size_t>(stack) + size) & ~size_t(15));
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  c.stack = top;
}
#else
struct Context { ucontext_t state; };
inline void go(Context& from, Context& to) { swapcontext(&from.state, &to.state); }
inline void prepare(Context& c, char* stack, size_t size, void (*entry)()) {
  getcontext(&c.state);
  c.state.uc_stack.ss_sp = stack;
  c.state.uc_stack.ss_size = size;
  c.state.uc_link = nullptr;
  makecontext(&c.state, entry, 0);
}
#endif

const unsigned MOST = 1024;
struct Fiber { Context context; std::vector<char> stack; Wait wait; };
inline std::vector<Fiber> fibers;
inline Context scheduler;
inline unsigned now;
inline std::function<void()> body;
}
inline emulate::Dim blockIdx, blockDim, gridDim, threadIdx;

namespace emulate {
// Whether threads run in the opposite order: with every barrier in its place that changes no bit.
inline bool backwards = std::getenv("EMULATE_BACKWARDS") != nullptr;
inline void yield(Wait w) {
  unsigned me = now;
  fibers[me].wait = w;
  go(fibers[me].context, scheduler);
}
inline void entry() {
  body();
  fibers[now].wait = Done;
  go(fibers[now].context, scheduler);
}
inline void launch(Dim grid, unsigned threads, std::function<void()> kernel) {
  body = kernel;
  gridDim = grid;
  blockDim = {threads, 1, 1};
  if (fibers.size() < threads) fibers.resize(threads);
  for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++) for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++) {
    for (unsigned t = 0; t < threads; t++) {
      Fiber& f = fibers[t];
      f.stack.resize(1 << 15);
      f.wait = Runs;
      prepare(f.context, f.stack.data(), f.stack.size(), entry);
    }
    for (bool going = true; going;) {
      going = false;
      // A warp goes as far as it can before another does: nothing but a barrier of the block keeps them together.
      unsigned warps = (threads + 31) / 32;
      for (unsigned i = 0; i < warps; i++) for (bool on = true; on;) {
        unsigned w = (backwards ? warps - 1 - i : i) * 32, end = w + 32 < threads ? w + 32 : threads;
        for (unsigned j = 0; j < end - w; j++) {
          unsigned t = backwards ? end - 1 - j : w + j;
          if (fibers[t].wait != Runs) continue;
          going = true;
          now = t;
          threadIdx = {t, 0, 0};
          go(scheduler, fibers[t].context);
        }
        bool all = true;
        on = false;
        for (unsigned t = w; t < end; t++) {
          all &= fibers[t].wait == Warp || fibers[t].wait == Done;
          on |= fibers[t].wait == Warp;
        }
        on &= all;
        for (unsigned t = w; on && t < end; t++) if (fibers[t].wait == Warp) fibers[t].wait = Runs;
      }
      bool all = true, any = false;
      for (unsigned t = 0; t < threads; t++) {
        all &= fibers[t].wait == Block || fibers[t].wait == Done;
        any |= fibers[t].wait == Block;
      }
      if (!all || !any) continue;
      going = true;
      for (unsigned t = 0; t < threads; t++) if (fibers[t].wait == Block) fibers[t].wait = Runs;
    }
    for (unsigned t = 0; t < threads; t++) if (fibers[t].wait != Done) {
      std::fprintf(stderr, "the emulated card: threads wait for each other\n");
      std::abort();
    }
  }
}
}

#define EMULATED
#define __global__
#define __device__
#define __shared__ static
static inline void __syncthreads() { emulate::yield(emulate::Block); }
static inline unsigned __float_as_uint(float v) { unsigned b; std::memcpy(&b, &v, 4); return b; }
static inline float __uint_as_float(unsigned v) { float b; std::memcpy(&b, &v, 4); return b; }
static inline float __int_as_float(int v) { float b; std::memcpy(&b, &v, 4); return b; }

namespace emulate {
inline float of_a[MOST][8], of_b[MOST][4];
inline float low(unsigned pair) { return __uint_as_float(pair << 16); }
inline float high(unsigned pair) { return __uint_as_float(pair & 0xffff0000u); }
// One m16n8k16 product: every lane shows its part of a and b, then works out its part of c. Sums are truncated, as the hardware's are.
inline void mma(float* c, const unsigned* a, const unsigned* b) {
  unsigned me = now, warp = me / 32 * 32, lane = me % 32, g = lane / 4, q = lane % 4;
  for (int i = 0; i < 4; i++) { of_a[me][2 * i] = low(a[i]); of_a[me][2 * i + 1] = high(a[i]); }
  for (int i = 0; i < 2; i++) { of_b[me][2 * i] = low(b[i]); of_b[me][2 * i + 1] = high(b[i]); }
  yield(Warp);
  for (int e = 0; e < 4; e++) {
    unsigned row = g + e / 2 * 8, column = q * 2 + e % 2;
    double s = c[e];
    for (int half = 0; half < 2; half++) for (int pair = 0; pair < 4; pair++) {
      const float* x = &of_a[warp + row % 8 * 4 + pair][(row / 8 + half * 2) * 2];
      const float* y = &of_b[warp + column * 4 + pair][half * 2];
      s += (double)x[0] * y[0];
      s += (double)x[1] * y[1];
    }
#ifdef WRONG
    s *= 1.001;
#endif
    float f = (float)s;
    if (std::fabs((double)f) > std::fabs(s)) f = std::nextafterf(f, 0.f);
    c[e] = f;
  }
  yield(Warp);
}
}
