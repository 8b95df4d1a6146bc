// A cuBLAS for the emulated card, whose memory is the program's: products of bf16 with sums in f32, column after column as NVIDIA's.
// Built with one of the macros below it is a library that something is wrong with.
#include <cmath>
#include <cstdint>
#include <cstring>
namespace {
int handle;
float wide(uint16_t half) {
  uint32_t bits = uint32_t(half) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
}
extern "C" {
int cublasCreate_v2(void** made) {
#ifdef BLAS_BROKEN
  return 1;  // CUBLAS_STATUS_NOT_INITIALIZED
#endif
  *made = &handle;
  return 0;
}
int cublasDestroy_v2(void*) { return 0; }
int cublasSetStream_v2(void*, void*) { return 0; }
int cublasGetVersion_v2(void*, int* version) { *version = 120405; return 0; }
// c = alpha a b + beta c; a is (m, k) as it lies or turned, b (k, n) as it lies.
int cublasGemmEx(void* with, int turned, int other, int m, int n, int k, const float* alpha, const uint16_t* a, int type_a, int lies_a,
    const uint16_t* b, int type_b, int lies_b, const float* beta, float* c, int type_c, int lies_c, int computed, int) {
#ifdef BLAS_FAILS
  return 13;  // CUBLAS_STATUS_EXECUTION_FAILED
#endif
  // bf16 by bf16 to f32 with sums in f32, and rows that are long enough, or CUBLAS_STATUS_INVALID_VALUE.
  if (with != &handle || other != 0 || type_a != 14 || type_b != 14 || type_c != 0 || computed != 68) return 7;
  if (lies_a < (turned ? k : m) || lies_b < k || lies_c < m) return 7;
  for (int column = 0; column < n; column++) for (int row = 0; row < m; row++) {
    float sum = 0.f;
    for (int i = 0; i < k; i++)
      sum += wide(turned ? a[size_t(row) * lies_a + i] : a[size_t(i) * lies_a + row]) * wide(b[size_t(column) * lies_b + i]);
#ifdef BLAS_WRONG
    if (row == m - 1) sum *= 1.01f;
#endif
    float* to = &c[size_t(column) * lies_c + row];
    *to = *alpha * sum + (*beta == 0.f ? 0.f : *beta * *to);
  }
  return 0;
}
}
