// The decoder's operations on a card. Plain CUDA C without one include: NVRTC makes the PTX beside this file of it
// (oracles/ptx.py), and a C++ compiler the emulated card of the tests (tests/emulated/). Rows are f32, row-major. No atomics: the
// same input gives the same bits.

typedef unsigned long long Count;

#define EACH(i, n) \
  for (Count i = (Count)blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += (Count)gridDim.x * blockDim.x)

// Sum of one number a thread, the same in all; `part` is shared, as long as the block. Callers pass a barrier between two uses.
__device__ static inline double sum_of(double value, double* part) {
  int t = threadIdx.x;
  part[t] = value;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half >>= 1) {
    if (t < half) part[t] += part[t + half];
    __syncthreads();
  }
  double all = part[0];
  __syncthreads();
  return all;
}

// Mean (0 for RMS) and inverse scale of a row.
__device__ static inline void statistics(const float* row, int width, float eps, int layer, double* part, float* mean, float* inverse) {
  double s = 0.0;
  float m = 0.f;
  if (layer) {
    for (int i = threadIdx.x; i < width; i += blockDim.x) s += row[i];
    m = (float)(sum_of(s, part) / width);
    s = 0.0;
  }
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    double v = (double)row[i] - m;
    s += v * v;
  }
  *mean = m;
  *inverse = 1.f / sqrtf((float)(sum_of(s, part) / width) + eps);
}

// One block a row; weights in turns where there are `n_w` > width of them.
extern "C" __global__ void norm_rows(const float* x, const float* w, const float* b, float* out, int width, int n_w, float eps, float one,
    int layer, int has_b) {
  __shared__ double part[128];
  Count at = (Count)blockIdx.x * width;
  int turn = (int)(at % n_w);
  float mean, inverse;
  statistics(x + at, width, eps, layer, part, &mean, &inverse);
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    float y = (x[at + i] - mean) * inverse * (one + w[turn + i]);
    out[at + i] = has_b ? y + b[turn + i] : y;
  }
}

// With g = dy*w and h = (x - mean)*s: dx = s*(g - h*mean(g*h)), for the layer norm minus s*mean(g); dy*h goes to `of_w`.
extern "C" __global__ void norm_back(const float* x, const float* dy, const float* w, float* dx, float* of_w, int width, int n_w, float eps,
    float one, int layer) {
  __shared__ double part[128];
  Count at = (Count)blockIdx.x * width;
  int turn = (int)(at % n_w);
  float mean, inverse;
  statistics(x + at, width, eps, layer, part, &mean, &inverse);
  double along = 0.0, shift = 0.0;
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    float h = (x[at + i] - mean) * inverse, g = dy[at + i] * (one + w[turn + i]);
    along += (double)g * h;
    shift += g;
    of_w[at + i] = dy[at + i] * h;
  }
  float a = (float)(sum_of(along, part) / width), s = (float)(sum_of(shift, part) / width);
  if (!layer) s = 0.f;
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    float h = (x[at + i] - mean) * inverse, g = dy[at + i] * (one + w[turn + i]);
    dx[at + i] = inverse * (g - s - h * a);
  }
}

// Sums of the columns of (rows, width), a thread a column.
extern "C" __global__ void column_sums(const float* x, float* out, int rows, int width) {
  EACH(i, width) {
    double s = 0.0;
    for (int r = 0; r < rows; r++) s += x[(Count)r * width + i];
    out[i] = (float)s;
  }
}

// The first `half` dimensions of each head with the next `half`, turned by the row's angles.
extern "C" __global__ void rotate(float* x, const float* cosines, const float* sines, int rows, int heads, int dim, int half, float sign) {
  EACH(i, (Count)rows * heads * half) {
    Count row = i / ((Count)heads * half);
    int rest = (int)(i % ((Count)heads * half)), head = rest / half, j = rest % half;
    float* first = x + (row * heads + head) * dim + j;
    float c = cosines[row * half + j], s = sign * sines[row * half + j], a = first[0], b = first[half];
    first[0] = a * c - b * s;
    first[half] = b * c + a * s;
  }
}

__device__ static inline float activated(int kind, float x) {
  if (kind == 0) return x / (1.f + expf(-x));
  if (kind == 1) return 0.5f * x * (1.f + tanhf(0.7978846f * (x + 0.044715f * x * x * x)));
  if (kind == 2) return x * 0.5f * erfcf(-x * 0.70710678f);
  return x > 0.f ? x : 0.f;
}

__device__ static inline float slope(int kind, float x) {
  if (kind == 0) {
    float s = 1.f / (1.f + expf(-x));
    return s * (1.f + x * (1.f - s));
  }
  if (kind == 1) {
    float t = tanhf(0.7978846f * (x + 0.044715f * x * x * x));
    return 0.5f * (1.f + t) + 0.5f * x * (1.f - t * t) * 0.7978846f * (1.f + 3.f * 0.044715f * x * x);
  }
  if (kind == 2) return 0.5f * erfcf(-x * 0.70710678f) + x * 0.3989423f * expf(-0.5f * x * x);
  return x > 0.f ? 1.f : 0.f;
}

extern "C" __global__ void gate(const float* g, const float* u, float* out, Count n, int kind, int gated) {
  EACH(i, n) out[i] = gated ? activated(kind, g[i]) * u[i] : activated(kind, u[i]);
}

// `d` becomes the gradient of `u`; that of `g` goes to `dg`.
extern "C" __global__ void gate_back(const float* g, const float* u, float* d, float* dg, Count n, int kind, int gated) {
  EACH(i, n) {
    float v = d[i];
    if (gated) {
      dg[i] = slope(kind, g[i]) * u[i] * v;
      d[i] = v * activated(kind, g[i]);
    } else {
      d[i] = v * slope(kind, u[i]);
    }
  }
}

extern "C" __global__ void add_rows(float* y, const float* x, Count n) {
  EACH(i, n) y[i] += x[i];
}

extern "C" __global__ void soft_cap(float* y, Count n, float cap) {
  EACH(i, n) y[i] = cap * tanhf(y[i] / cap);
}

extern "C" __global__ void take_rows(const float* x, const int* rows, float* out, int n, int width) {
  EACH(i, (Count)n * width) out[i] = x[(Count)rows[i / width] * width + i % width];
}

// No row twice.
extern "C" __global__ void spread_rows(const float* answers, const int* rows, const float* weights, float* out, int n, int width) {
  EACH(i, (Count)n * width) {
    Count to = (Count)rows[i / width] * width + i % width;
    out[to] = fmaf(weights[i / width], answers[i], out[to]);
  }
}

extern "C" __global__ void pick(const float* x, const Count* at, float* out, int n) {
  EACH(i, n) out[i] = x[at[i]];
}

// Three sums of products of a row of a and of b: a*b, a*a, b*b.
extern "C" __global__ void moments(const float* a, const float* b, double* out, int width) {
  __shared__ double part[128];
  Count at = (Count)blockIdx.x * width;
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    double x = a[at + i], y = b[at + i];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  ab = sum_of(ab, part);
  aa = sum_of(aa, part);
  bb = sum_of(bb, part);
  if (threadIdx.x == 0) {
    out[(Count)blockIdx.x * 3] = ab;
    out[(Count)blockIdx.x * 3 + 1] = aa;
    out[(Count)blockIdx.x * 3 + 2] = bb;
  }
}

// The greatest of a row (the first on ties) and ln of the sum of exponentials.
__device__ static inline double row_total(const float* row, int width, double* part, int* places, int* best) {
  int t = threadIdx.x, at = 0;
  float most = -__int_as_float(0x7f800000);
  for (int i = t; i < width; i += blockDim.x) if (row[i] > most) { most = row[i]; at = i; }
  part[t] = most;
  places[t] = at;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half >>= 1) {
    if (t < half) {
      double other = part[t + half];
      if (other > part[t] || (other == part[t] && places[t + half] < places[t])) {
        part[t] = other;
        places[t] = places[t + half];
      }
    }
    __syncthreads();
  }
  most = (float)part[0];
  *best = places[0];
  __syncthreads();
  double s = 0.0;
  for (int i = t; i < width; i += blockDim.x) s += expf(row[i] - most);
  return most + log(sum_of(s, part));
}

extern "C" __global__ void log_sum_exp(const float* logits, double* totals, int* best, int width) {
  __shared__ double part[128];
  __shared__ int places[128];
  int at;
  double total = row_total(logits + (Count)blockIdx.x * width, width, part, places, &at);
  if (threadIdx.x == 0) {
    totals[blockIdx.x] = total;
    best[blockIdx.x] = at;
  }
}

// Logits become the gradient of mean * (ln of the sum of exponentials - the target's logit) before the cap.
extern "C" __global__ void loss_back(float* logits, const int* targets, double* terms, int width, float mean, float cap) {
  __shared__ double part[128];
  __shared__ int places[128];
  float* row = logits + (Count)blockIdx.x * width;
  int at, target = targets[blockIdx.x];
  double total = row_total(row, width, part, places, &at);
  if (threadIdx.x == 0) terms[blockIdx.x] = total - row[target];
  __syncthreads();
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    float logit = row[i], through = cap > 0.f ? 1.f - (logit / cap) * (logit / cap) : 1.f;
    row[i] = (expf(logit - (float)total) - (i == target ? 1.f : 0.f)) * mean * through;
  }
}

// One m16n8k16 product of bf16 on the tensor cores, sums in f32.
__device__ static inline void mma(float* c, const unsigned* a, const unsigned* b) {
#ifdef EMULATED
  emulate::mma(c, a, b);
#else
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
    : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// out = x*W + b, to which is added base (has_base 1) or what stands in out (2). x is f32 (m, k), split into `x_terms` bf16 as it is
// read, whose sum it is; W is `w_terms` planes of bf16, `plane` numbers apart, whose sum it is, element (kk, column) of a plane at
// kk*along + column*across. Products of terms that lie below 2^-24 of the first are left out. Tensor cores truncate their sums:
// every 128 of k they are taken over to f32 registers, so that three terms are as exact as f32.
extern "C" __global__ void product(const float* x, const unsigned short* w, const float* base, const float* bias, float* out, int m, int n,
    int k, Count along, Count across, Count plane, int x_terms, int w_terms, int has_base, int has_bias) {
  alignas(16) __shared__ unsigned short as[3][64][40];
  alignas(16) __shared__ unsigned short bs[3][64][40];
  int t = threadIdx.x, warp = t / 32, lane = t % 32, g = lane / 4, q = lane % 4;
  int row0 = blockIdx.y * 64, col0 = blockIdx.x * 64, wr = warp / 2 * 32, wc = warp % 2 * 32;
  float sum[2][4][4], acc[2][4][4];
  for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++) for (int e = 0; e < 4; e++) { sum[i][j][e] = 0.f; acc[i][j][e] = 0.f; }
  for (int k0 = 0; k0 < k; k0 += 32) {
    for (int e = t; e < 64 * 32; e += 128) {
      int r = e / 32, c = e % 32;
      float rest = row0 + r < m && k0 + c < k ? x[(Count)(row0 + r) * k + k0 + c] : 0.f;
      for (int term = 0; term < x_terms; term++) {
        unsigned bits = __float_as_uint(rest), rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
        as[term][r][c] = (unsigned short)(rounded >> 16);
        rest -= __uint_as_float(rounded);
      }
      if (along != 1) { r = e % 64; c = e / 64; }
      for (int term = 0; term < w_terms; term++)
        bs[term][r][c] = col0 + r < n && k0 + c < k ? w[term * plane + (k0 + c) * along + (col0 + r) * across] : (unsigned short)0;
    }
    __syncthreads();
    for (int kk = 0; kk < 32; kk += 16) for (int order = 2; order >= 0; order--) for (int wt = 0; wt <= order && wt < w_terms; wt++) {
      int xt = order - wt;
      if (xt >= x_terms) continue;
      unsigned b[4][2];
      for (int j = 0; j < 4; j++) for (int h = 0; h < 2; h++) b[j][h] = *(const unsigned*)&bs[wt][wc + j * 8 + g][kk + h * 8 + q * 2];
      for (int i = 0; i < 2; i++) {
        unsigned a[4];
        for (int h = 0; h < 4; h++) a[h] = *(const unsigned*)&as[xt][wr + i * 16 + g + (h % 2) * 8][kk + (h / 2) * 8 + q * 2];
        for (int j = 0; j < 4; j++) mma(acc[i][j], a, b[j]);
      }
    }
    if (k0 % 128 == 96 || k0 + 32 >= k)
      for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++) for (int e = 0; e < 4; e++) { sum[i][j][e] += acc[i][j][e]; acc[i][j][e] = 0.f; }
    __syncthreads();
  }
  for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++) for (int e = 0; e < 4; e++) {
    int row = row0 + wr + i * 16 + g + e / 2 * 8, col = col0 + wc + j * 8 + q * 2 + e % 2;
    if (row < m && col < n) {
      Count at = (Count)row * n + col;
      float y = sum[i][j][e];
      if (has_base) y += has_base == 1 ? base[at] : out[at];
      if (has_bias) y += bias[col];
      out[at] = y;
    }
  }
}

// One bf16 term of each number, for a product that another library works out.
extern "C" __global__ void round_rows(const float* x, unsigned short* out, Count n) {
  EACH(i, n) {
    unsigned bits = __float_as_uint(x[i]);
    out[i] = (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
}

// What such a product is added to.
extern "C" __global__ void begin_rows(const float* base, const float* bias, float* out, Count n, int width, int has_base, int has_bias) {
  EACH(i, n) out[i] = (has_base ? base[i] : 0.f) + (has_bias ? bias[i % width] : 0.f);
}

// Rows of queries that follow each other: their first row and how many, the first one's position, and the pieces of keys that they
// may see, whose rows, lengths and positions stand in `Piece`s.
struct Task { int row, rows, position, first, pieces, pad0, pad1, pad2; };
struct Piece { int row, len, position, pad; };
#define QUERIES 16
#define KEYS 16
#define WIDEST 256
#define NOT_SEEN -3.4e38f

// Wider heads than WIDEST are taken in slices: a block works out whole scores, slice after slice, and gives one slice of the answer.
__device__ static inline int slices_of(int dim) { return (dim + WIDEST - 1) / WIDEST; }
__device__ static inline int width_of(int dim, int from) { return dim - from < WIDEST ? dim - from : WIDEST; }

// The sum of products of two rows. Of rows in slices such sums are added, which is more exact than one long sum.
__device__ static inline float along(const float* a, const float* b, int width) {
  float sum = 0.f;
  for (int d = 0; d < width; d++) sum = fmaf(a[d], b[d], sum);
  return sum;
}

// Causal attention, a block of 128 threads a task, head and slice; sums are kept as keys go by, scores never.
extern "C" __global__ void attention(const float* q, const float* k, const float* v, const Task* tasks, const Piece* pieces, float* out,
    int heads, int kv_heads, int dim, int window, float scale, float cap) {
  __shared__ float qs[QUERIES][WIDEST + 1];
  __shared__ float ks[KEYS][WIDEST + 1];
  __shared__ float ss[QUERIES][KEYS];
  __shared__ float top[QUERIES], total[QUERIES], shrink[QUERIES];
  Task task = tasks[blockIdx.x];
  int slices = slices_of(dim), head = blockIdx.y / slices, kv = head / (heads / kv_heads), t = threadIdx.x;
  int mine0 = blockIdx.y % slices * WIDEST, width = width_of(dim, mine0);
  Count qw = (Count)heads * dim, kw = (Count)kv_heads * dim;
  if (t < QUERIES) { top[t] = NOT_SEEN; total[t] = 0.f; }
  int mine = t / 8, lane = t % 8, last = task.position + task.rows - 1, from = window ? task.position + 1 - window : 0;
  int held = -1;
  float acc[WIDEST / 8];
  for (int j = 0; j < WIDEST / 8; j++) acc[j] = 0.f;
  for (int i = 0; i < task.pieces; i++) {
    Piece piece = pieces[task.first + i];
    for (int c0 = 0; c0 < piece.len && piece.position + c0 <= last; c0 += KEYS) {
      int n = piece.len - c0 < KEYS ? piece.len - c0 : KEYS;
      if (piece.position + c0 + n <= from) continue;
      for (int d0 = 0; d0 < dim; d0 += WIDEST) {
        int wide = width_of(dim, d0);
        __syncthreads();
        for (int e = t; held != d0 && e < QUERIES * wide; e += 128) {
          int r = e / wide, d = e % wide;
          qs[r][d] = r < task.rows ? q[(task.row + r) * qw + head * dim + d0 + d] * scale : 0.f;
        }
        held = d0;
        for (int e = t; e < KEYS * wide; e += 128) {
          int r = e / wide, d = e % wide;
          ks[r][d] = r < n ? k[(piece.row + c0 + r) * kw + kv * dim + d0 + d] : 0.f;
        }
        __syncthreads();
        for (int e = t; e < QUERIES * KEYS; e += 128) {
          int r = e / KEYS, c = e % KEYS;
          float s = along(qs[r], ks[c], wide);
          if (d0) s += ss[r][c];
          if (d0 + wide == dim) {
            if (cap > 0.f) s = cap * tanhf(s / cap);
            int at = task.position + r, key = piece.position + c0 + c;
            if (!(c < n && r < task.rows && key <= at && (window == 0 || key + window > at))) s = NOT_SEEN;
          }
          ss[r][c] = s;
        }
      }
      __syncthreads();
      if (t < QUERIES) {
        float m = top[t];
        for (int c = 0; c < KEYS; c++) m = fmaxf(m, ss[t][c]);
        float f = expf(top[t] - m), sum = 0.f;
        for (int c = 0; c < KEYS; c++) {
          float e = ss[t][c] > -3.0e38f ? expf(ss[t][c] - m) : 0.f;
          ss[t][c] = e;
          sum += e;
        }
        shrink[t] = f;
        total[t] = total[t] * f + sum;
        top[t] = m;
      }
      for (int e = t; e < KEYS * width; e += 128) {
        int r = e / width, d = e % width;
        ks[r][d] = r < n ? v[(piece.row + c0 + r) * kw + kv * dim + mine0 + d] : 0.f;
      }
      __syncthreads();
      for (int j = 0; lane + 8 * j < width; j++) {
        float a = acc[j] * shrink[mine];
        for (int c = 0; c < KEYS; c++) a = fmaf(ss[mine][c], ks[c][lane + 8 * j], a);
        acc[j] = a;
      }
    }
  }
  if (mine < task.rows)
    for (int j = 0; lane + 8 * j < width; j++)
      out[(task.row + mine) * qw + head * dim + mine0 + lane + 8 * j] = acc[j] / total[mine];
}

#define BACK 8

// The score that a sum of products is before the mask, and what its derivative is multiplied by because of the cap.
__device__ static inline float score(float s, float scale, float cap, float* through) {
  s *= scale;
  *through = 1.f;
  if (cap > 0.f) {
    float c = tanhf(s / cap);
    *through = 1.f - c * c;
    s = cap * c;
  }
  return s;
}

// `n` of 8 rows of numbers, `width` of each; nothing where there are no more.
__device__ static inline void brought(float (*to)[WIDEST + 1], const float* from, Count stride, int n, int width) {
  for (int e = threadIdx.x; e < BACK * width; e += 128) {
    int r = e / width, d = e % width;
    to[r][d] = r < n ? from[r * stride + d] : 0.f;
  }
}

// Gradient of queries of whole texts, tasks of 8 rows: dS = P (dP - sum P dP) scale, dQ = dS K; ln of each row's sum of
// exponentials and its sum P dP go to `stats` (rows, heads, 2) for the keys.
extern "C" __global__ void attention_back_queries(const float* q, const float* k, const float* v, const float* mixed, const float* d_out,
    const Task* tasks, const Piece* pieces, float* dq, float* stats, int heads, int kv_heads, int dim, int window, float scale, float cap) {
  __shared__ float qs[BACK][WIDEST + 1];
  __shared__ float ds[BACK][WIDEST + 1];
  __shared__ float ks[BACK][WIDEST + 1];
  __shared__ float ss[BACK][BACK], caps[BACK][BACK];
  __shared__ float top[BACK], total[BACK], sums[BACK];
  Task task = tasks[blockIdx.x];
  Piece text = pieces[task.first];
  int slices = slices_of(dim), head = blockIdx.y / slices, kv = head / (heads / kv_heads), t = threadIdx.x;
  int mine0 = blockIdx.y % slices * WIDEST, width = width_of(dim, mine0);
  Count qw = (Count)heads * dim, kw = (Count)kv_heads * dim, mine_q = task.row * qw + head * dim;
  if (t < BACK) {
    sums[t] = t < task.rows ? along(d_out + mine_q + t * qw, mixed + mine_q + t * qw, dim) : 0.f;
    top[t] = NOT_SEEN;
    total[t] = 0.f;
  }
  int last = task.position + task.rows - 1, from = window && task.position + 1 > window ? task.position + 1 - window : 0;
  from -= from % BACK;
  int mine = t / 16, lane = t % 16, r = t / BACK, c = t % BACK, held_q = -1, held_d = -1;
  float acc[WIDEST / 16];
  for (int j = 0; j < WIDEST / 16; j++) acc[j] = 0.f;
  for (int turn = 0; turn < 2; turn++) for (int c0 = from; c0 <= last; c0 += BACK) {
    Count keys = (text.row + c0) * kw + kv * dim;
    int n = text.len - c0;
    float s = 0.f, dp = 0.f;
    for (int d0 = 0; d0 < dim; d0 += WIDEST) {
      int wide = width_of(dim, d0);
      __syncthreads();
      if (held_q != d0) brought(qs, q + mine_q + d0, qw, task.rows, wide);
      held_q = d0;
      brought(ks, k + keys + d0, kw, n, wide);
      __syncthreads();
      if (t < BACK * BACK) s += along(qs[r], ks[c], wide);
    }
    if (t < BACK * BACK) {
      int at = task.position + r, key = c0 + c;
      float through;
      s = score(s, scale, cap, &through);
      ss[r][c] = r < task.rows && key <= at && (window == 0 || key + window > at) ? s : NOT_SEEN;
      caps[r][c] = through;
    }
    if (turn == 0) {
      __syncthreads();
      if (t < BACK) {
        float m = top[t], sum = 0.f;
        for (int i = 0; i < BACK; i++) m = fmaxf(m, ss[t][i]);
        for (int i = 0; i < BACK; i++) sum += ss[t][i] > -3.0e38f ? expf(ss[t][i] - m) : 0.f;
        total[t] = total[t] * expf(top[t] - m) + sum;
        top[t] = m;
      }
      continue;
    }
    for (int d0 = 0; d0 < dim; d0 += WIDEST) {
      int wide = width_of(dim, d0);
      __syncthreads();
      if (held_d != d0) brought(ds, d_out + mine_q + d0, qw, task.rows, wide);
      held_d = d0;
      brought(ks, v + keys + d0, kw, n, wide);
      __syncthreads();
      if (t < BACK * BACK) dp += along(ds[r], ks[c], wide);
    }
    if (t < BACK * BACK) {
      float p = ss[r][c] > -3.0e38f ? expf(ss[r][c] - top[r]) / total[r] : 0.f;
      ss[r][c] = p * (dp - sums[r]) * scale * caps[r][c];
    }
    __syncthreads();
    brought(ks, k + keys + mine0, kw, n, width);
    __syncthreads();
    for (int j = 0; lane + 16 * j < width; j++) {
      float a = acc[j];
      for (int i = 0; i < BACK; i++) a = fmaf(ss[mine][i], ks[i][lane + 16 * j], a);
      acc[j] = a;
    }
  }
  if (mine < task.rows)
    for (int j = 0; lane + 16 * j < width; j++) dq[mine_q + mine * qw + mine0 + lane + 16 * j] = acc[j];
  if (t < task.rows && mine0 == 0) {
    stats[((Count)(task.row + t) * heads + head) * 2] = top[t] + logf(total[t]);
    stats[((Count)(task.row + t) * heads + head) * 2 + 1] = sums[t];
  }
}

// Gradients of 8 keys and values of a whole text: dV = P^T dO, dK = dS^T Q, over all queries that see them. A block's own slice is
// read last, and stands there when it is needed.
extern "C" __global__ void attention_back_keys(const float* q, const float* k, const float* v, const float* d_out, const float* stats,
    const Task* tasks, const Piece* pieces, float* dk, float* dv, int heads, int kv_heads, int dim, int window, float scale, float cap) {
  __shared__ float qs[BACK][WIDEST + 1];
  __shared__ float ds[BACK][WIDEST + 1];
  __shared__ float ks[BACK][WIDEST + 1];
  __shared__ float vs[BACK][WIDEST + 1];
  __shared__ float ps[BACK][BACK], ss[BACK][BACK];
  Task task = tasks[blockIdx.x];
  Piece text = pieces[task.first];
  int slices = slices_of(dim), slice = blockIdx.y % slices, kv = blockIdx.y / slices, group = heads / kv_heads, t = threadIdx.x;
  int mine0 = slice * WIDEST, width = width_of(dim, mine0);
  Count qw = (Count)heads * dim, kw = (Count)kv_heads * dim, mine_k = task.row * kw + kv * dim;
  int mine = t / 16, lane = t % 16, r = t / BACK, c = t % BACK, last = task.position + task.rows - 1, held = -1;
  float of_k[WIDEST / 16], of_v[WIDEST / 16];
  for (int j = 0; j < WIDEST / 16; j++) { of_k[j] = 0.f; of_v[j] = 0.f; }
  for (int head = kv * group; head < (kv + 1) * group; head++)
    for (int q0 = task.position; q0 < text.len && (window == 0 || q0 < last + window); q0 += BACK) {
      Count queries = (text.row + q0) * qw + head * dim;
      float s = 0.f, dp = 0.f;
      for (int i = 1; i <= slices; i++) {
        int d0 = (slice + i) % slices * WIDEST, wide = width_of(dim, d0);
        __syncthreads();
        if (held != d0) {
          brought(ks, k + mine_k + d0, kw, task.rows, wide);
          brought(vs, v + mine_k + d0, kw, task.rows, wide);
        }
        held = d0;
        brought(qs, q + queries + d0, qw, text.len - q0, wide);
        brought(ds, d_out + queries + d0, qw, text.len - q0, wide);
        __syncthreads();
        if (t < BACK * BACK) {
          s += along(qs[r], ks[c], wide);
          dp += along(ds[r], vs[c], wide);
        }
      }
      if (t < BACK * BACK) {
        int at = q0 + r, key = task.position + c;
        float p = 0.f, of_s = 0.f;
        if (at < text.len && c < task.rows && key <= at && (window == 0 || key + window > at)) {
          const float* stat = stats + ((Count)(text.row + at) * heads + head) * 2;
          float through;
          p = expf(score(s, scale, cap, &through) - stat[0]);
          of_s = p * (dp - stat[1]) * scale * through;
        }
        ps[r][c] = p;
        ss[r][c] = of_s;
      }
      __syncthreads();
      for (int j = 0; lane + 16 * j < width; j++) {
        float a = of_k[j], b = of_v[j];
        for (int i = 0; i < BACK; i++) {
          a = fmaf(ss[i][mine], qs[i][lane + 16 * j], a);
          b = fmaf(ps[i][mine], ds[i][lane + 16 * j], b);
        }
        of_k[j] = a;
        of_v[j] = b;
      }
    }
  if (mine < task.rows)
    for (int j = 0; lane + 16 * j < width; j++) {
      dk[mine_k + mine * kw + mine0 + lane + 16 * j] = of_k[j];
      dv[mine_k + mine * kw + mine0 + lane + 16 * j] = of_v[j];
    }
}
