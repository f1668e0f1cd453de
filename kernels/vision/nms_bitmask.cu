// Greedy non-maximum suppression. Boxes come sorted by falling score; a box is dropped when one that
// was kept before it overlaps it by more than `threshold` (intersection over union).
//
//   nms_mask_kernel     bit j of row i: box j > i would be dropped if box i were kept. One 64-bit word
//                       for each tile of 64 x 64 boxes a thread.
//   nms_gather_kernel   walks down the rows, skipping dropped boxes, in one block

#include <cuda_fp16.h>
#include <cuda_runtime.h>

typedef unsigned long long mask_t;

static constexpr int kBoxesPerWord = 8 * sizeof(mask_t);

#define DIVUP(m, n) ((m) / (n) + ((m) % (n) > 0))

// Four neighbouring numbers of any storage type, by one load.
__device__ __forceinline__ float4 load_box(const float* box) {
  return __ldg(reinterpret_cast<const float4*>(box));
}

__device__ __forceinline__ float4 load_box(const half* box) {
  const uint2 raw = *reinterpret_cast<const uint2*>(box);
  const float2 low = __half22float2(*reinterpret_cast<const half2*>(&raw.x));
  const float2 high = __half22float2(*reinterpret_cast<const half2*>(&raw.y));
  return make_float4(low.x, low.y, high.x, high.y);
}

// What a box's four numbers mean; either way it becomes (left, top, right, bottom).
struct Corners {
  __device__ static float4 decode(float4 box) { return box; }
};

struct CenterSize {
  __device__ static float4 decode(float4 box) {
    const float half_width = 0.5f * box.z;
    const float half_height = 0.5f * box.w;
    return make_float4(box.x - half_width, box.y - half_height, box.x + half_width,
                       box.y + half_height);
  }
};

// Boxes with a corner on the wrong side are empty.
__device__ __forceinline__ float area(const float4 box) {
  return fmaxf(box.z - box.x, 0.f) * fmaxf(box.w - box.y, 0.f);
}

__device__ __forceinline__ bool overlaps(const float4 a, const float4 b, const float threshold) {
  const float4 common = make_float4(fmaxf(a.x, b.x), fmaxf(a.y, b.y), fminf(a.z, b.z),
                                    fminf(a.w, b.w));
  const float intersection = area(common);
  const float united = area(a) + area(b) - intersection;
  return intersection > threshold * united;
}

template <typename scalar_t, typename Format, bool kByClass>
__global__ void __launch_bounds__(kBoxesPerWord)
nms_mask_kernel(const int boxes, const float threshold,
                const scalar_t* __restrict__ dev_boxes,  // [boxes, 4]
                const int* __restrict__ classes,         // [boxes]; unused unless kByClass
                mask_t* __restrict__ mask) {             // [boxes, DIVUP(boxes, 64)]
  const int row_start = blockIdx.y;
  const int col_start = blockIdx.x;
  // Boxes drop only later ones.
  if (row_start > col_start) return;

  const int row_size = min(boxes - row_start * kBoxesPerWord, kBoxesPerWord);
  const int col_size = min(boxes - col_start * kBoxesPerWord, kBoxesPerWord);

  __shared__ float4 block_boxes[kBoxesPerWord];
  __shared__ int block_classes[kByClass ? kBoxesPerWord : 1];
  if (threadIdx.x < col_size) {
    const int at = kBoxesPerWord * col_start + threadIdx.x;
    block_boxes[threadIdx.x] = Format::decode(load_box(dev_boxes + 4 * at));
    if (kByClass) block_classes[threadIdx.x] = classes[at];
  }
  __syncthreads();

  if (threadIdx.x < row_size) {
    const int current = kBoxesPerWord * row_start + threadIdx.x;
    const float4 box = Format::decode(load_box(dev_boxes + 4 * current));
    const int box_class = kByClass ? classes[current] : 0;
    mask_t bits = 0;
    const int start = row_start == col_start ? threadIdx.x + 1 : 0;
    for (int i = start; i < col_size; i++) {
      if (kByClass && block_classes[i] != box_class) continue;
      if (overlaps(box, block_boxes[i], threshold)) {
        bits |= 1ULL << i;
      }
    }
    const int words = DIVUP(boxes, kBoxesPerWord);
    mask[static_cast<size_t>(current) * words + col_start] = bits;
  }
}

// Dynamic shared memory: a word for each 64 boxes. `order` maps positions back to the boxes before
// they were sorted.
__global__ void nms_gather_kernel(const int boxes, const mask_t* __restrict__ mask,
                                  const long long* __restrict__ order,
                                  long long* __restrict__ keep, int* __restrict__ kept_count) {
  extern __shared__ mask_t dropped[];
  const int words = DIVUP(boxes, kBoxesPerWord);
  for (int w = threadIdx.x; w < words; w += blockDim.x) dropped[w] = 0;
  __syncthreads();

  int kept = 0;
  for (int w = 0; w < words; ++w) {
    const int size = min(boxes - w * kBoxesPerWord, kBoxesPerWord);
    const mask_t valid = size == kBoxesPerWord ? ~0ULL : (1ULL << size) - 1;
    // Every thread walks over the same boxes of this word, and drops its own share of later words.
    for (mask_t alive = ~dropped[w] & valid; alive != 0;) {
      const int bit = __ffsll(alive) - 1;
      const int box = w * kBoxesPerWord + bit;
      const mask_t* row = mask + static_cast<size_t>(box) * words;
      alive &= ~(row[w] | 1ULL << bit);
      for (int later = w + 1 + threadIdx.x; later < words; later += blockDim.x) {
        dropped[later] |= row[later];
      }
      if (threadIdx.x == 0) keep[kept] = order[box];
      ++kept;
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) *kept_count = kept;
}

// `mask` is scratch of boxes * DIVUP(boxes, 64) words, zeroed: the lower triangle stays unwritten.
template <typename scalar_t, typename Format>
static cudaError_t nms(const scalar_t* dev_boxes, const int* classes, const long long* order,
                       int boxes, float threshold, mask_t* mask, long long* keep, int* kept_count,
                       cudaStream_t stream) {
  if (boxes == 0) return cudaMemsetAsync(kept_count, 0, sizeof(int), stream);
  const int words = DIVUP(boxes, kBoxesPerWord);
  const dim3 blocks(words, words);
  if (classes != nullptr) {
    nms_mask_kernel<scalar_t, Format, true>
        <<<blocks, kBoxesPerWord, 0, stream>>>(boxes, threshold, dev_boxes, classes, mask);
  } else {
    nms_mask_kernel<scalar_t, Format, false>
        <<<blocks, kBoxesPerWord, 0, stream>>>(boxes, threshold, dev_boxes, nullptr, mask);
  }
  const int threads = words < 32 ? 32 : (words < 1024 ? words : 1024);
  nms_gather_kernel<<<1, threads, words * sizeof(mask_t), stream>>>(boxes, mask, order, keep,
                                                                    kept_count);
  return cudaGetLastError();
}

extern "C" {

cudaError_t nms_corners_f32(const float* dev_boxes, const int* classes, const long long* order,
                            int boxes, float threshold, mask_t* mask, long long* keep,
                            int* kept_count, cudaStream_t stream) {
  return nms<float, Corners>(dev_boxes, classes, order, boxes, threshold, mask, keep, kept_count,
                             stream);
}

cudaError_t nms_center_size_f16(const half* dev_boxes, const int* classes, const long long* order,
                                int boxes, float threshold, mask_t* mask, long long* keep,
                                int* kept_count, cudaStream_t stream) {
  return nms<half, CenterSize>(dev_boxes, classes, order, boxes, threshold, mask, keep, kept_count,
                               stream);
}

}  // extern "C"
