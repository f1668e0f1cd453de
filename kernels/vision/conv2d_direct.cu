// Convolution computed directly from its definition, channels first:
//
//   y[n, o, i, j] = activation(bias[o] + sum over c, p, q of
//                       w[o, c, p, q] * x[n, c, i * stride - pad + p * dilation,
//                                               j * stride - pad + q * dilation])
//
//   conv2d_constant_kernel   few, small filters, in constant memory: all threads read the same weight
//   conv2d_shared_kernel     a tile of the image and the filters of several output channels, staged in
//                            shared memory channel by channel
//   depthwise_conv2d_kernel  one filter a channel

#include <cuda_fp16.h>
#include <cuda_runtime.h>

constexpr int kMaxConstantWeights = 4096;
__constant__ float c_weights[kMaxConstantWeights];  // [out_channels, channels, kSize, kSize]

struct ConvParams {
  int channels, height, width;
  int out_channels, out_height, out_width;
  int pad, stride, dilation;
};

struct Identity {
  __device__ __forceinline__ float operator()(float x) const { return x; }
};

struct Relu {
  __device__ __forceinline__ float operator()(float x) const { return fmaxf(x, 0.f); }
};

template <typename T>
__device__ __forceinline__ float load_as_float(const T* p) {
  return static_cast<float>(__ldg(p));
}
template <>
__device__ __forceinline__ float load_as_float<half>(const half* p) {
  return __half2float(__ldg(p));
}

template <typename T>
__device__ __forceinline__ void store_float(T* p, float x) {
  *p = static_cast<T>(x);
}
template <>
__device__ __forceinline__ void store_float<half>(half* p, float x) {
  *p = __float2half_rn(x);
}

// blockIdx = (pixels, output channel, image).
template <int kSize, typename Activation>
__global__ void __launch_bounds__(128)
conv2d_constant_kernel(const ConvParams p, const float* __restrict__ x,
                       const float* __restrict__ bias,  // [out_channels] or null
                       float* __restrict__ y) {
  const int pixel = blockIdx.x * blockDim.x + threadIdx.x;
  if (pixel >= p.out_height * p.out_width) return;
  const int out_y = pixel / p.out_width;
  const int out_x = pixel - out_y * p.out_width;
  const int out_channel = blockIdx.y;
  const int first_y = out_y * p.stride - p.pad;
  const int first_x = out_x * p.stride - p.pad;

  float sum = bias == nullptr ? 0.f : bias[out_channel];
  const float* weight = c_weights + out_channel * p.channels * kSize * kSize;
  const float* plane = x + (size_t)blockIdx.z * p.channels * p.height * p.width;
  for (int c = 0; c < p.channels; ++c) {
#pragma unroll
    for (int ky = 0; ky < kSize; ++ky) {
      const int in_y = first_y + ky * p.dilation;
      if (in_y < 0 || in_y >= p.height) continue;
#pragma unroll
      for (int kx = 0; kx < kSize; ++kx) {
        const int in_x = first_x + kx * p.dilation;
        if (in_x >= 0 && in_x < p.width) {
          sum += weight[ky * kSize + kx] * __ldg(plane + in_y * p.width + in_x);
        }
      }
    }
    weight += kSize * kSize;
    plane += p.height * p.width;
  }
  const size_t at = ((size_t)blockIdx.z * p.out_channels + out_channel) * p.out_height * p.out_width;
  y[at + pixel] = Activation()(sum);
}

// kTile x kTile output pixels of kFilters output channels a block; blockIdx.z is (image, group of
// filters). Dynamic shared memory: the input tile of one channel, `extent` x `extent` floats, where
// extent = (kTile - 1) * stride + (kSize - 1) * dilation + 1.
template <typename scalar_t, int kSize, int kTile, int kFilters>
__global__ void __launch_bounds__(kTile* kTile)
conv2d_shared_kernel(const ConvParams p, const scalar_t* __restrict__ x,
                     const scalar_t* __restrict__ weights, const scalar_t* __restrict__ bias,
                     scalar_t* __restrict__ y) {
  extern __shared__ float s_input[];
  __shared__ float s_weights[kFilters][kSize * kSize];

  const int groups = (p.out_channels + kFilters - 1) / kFilters;
  const int image = blockIdx.z / groups;
  const int first_filter = blockIdx.z % groups * kFilters;
  const int extent = (kTile - 1) * p.stride + (kSize - 1) * p.dilation + 1;
  const int tile_y = blockIdx.y * kTile;
  const int tile_x = blockIdx.x * kTile;
  const int thread = threadIdx.y * kTile + threadIdx.x;

  float sums[kFilters];
#pragma unroll
  for (int f = 0; f < kFilters; ++f) sums[f] = 0.f;

  for (int c = 0; c < p.channels; ++c) {
    const scalar_t* plane = x + ((size_t)image * p.channels + c) * p.height * p.width;
    for (int i = thread; i < extent * extent; i += kTile * kTile) {
      const int in_y = tile_y * p.stride - p.pad + i / extent;
      const int in_x = tile_x * p.stride - p.pad + i % extent;
      const bool inside = in_y >= 0 && in_y < p.height && in_x >= 0 && in_x < p.width;
      s_input[i] = inside ? load_as_float(plane + in_y * p.width + in_x) : 0.f;
    }
    for (int i = thread; i < kFilters * kSize * kSize; i += kTile * kTile) {
      const int f = i / (kSize * kSize);
      const int tap = i % (kSize * kSize);
      const int filter = first_filter + f;
      s_weights[f][tap] =
          filter < p.out_channels
              ? load_as_float(weights + ((size_t)filter * p.channels + c) * kSize * kSize + tap)
              : 0.f;
    }
    __syncthreads();

    const float* corner =
        s_input + threadIdx.y * p.stride * extent + threadIdx.x * p.stride;
#pragma unroll
    for (int ky = 0; ky < kSize; ++ky) {
#pragma unroll
      for (int kx = 0; kx < kSize; ++kx) {
        const float value = corner[(ky * extent + kx) * p.dilation];
#pragma unroll
        for (int f = 0; f < kFilters; ++f) sums[f] += value * s_weights[f][ky * kSize + kx];
      }
    }
    __syncthreads();
  }

  const int out_y = tile_y + threadIdx.y;
  const int out_x = tile_x + threadIdx.x;
  if (out_y >= p.out_height || out_x >= p.out_width) return;
#pragma unroll
  for (int f = 0; f < kFilters; ++f) {
    const int filter = first_filter + f;
    if (filter < p.out_channels) {
      if (bias != nullptr) sums[f] += load_as_float(bias + filter);
      const size_t plane = (size_t)image * p.out_channels + filter;
      store_float(y + (plane * p.out_height + out_y) * p.out_width + out_x, sums[f]);
    }
  }
}

// One thread an output element. kStaticSize 0 takes the filter's size at run time.
template <typename scalar_t, int kStaticSize>
__global__ void depthwise_conv2d_kernel(const ConvParams p, const scalar_t* __restrict__ x,
                                        const scalar_t* __restrict__ weights,
                                        scalar_t* __restrict__ y, const int total,
                                        const int size) {
  const int kernel = kStaticSize > 0 ? kStaticSize : size;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < total; i += gridDim.x * blockDim.x) {
    int rest = i;
    const int out_x = rest % p.out_width;
    rest /= p.out_width;
    const int out_y = rest % p.out_height;
    rest /= p.out_height;
    const int channel = rest % p.channels;

    const scalar_t* plane = x + (size_t)rest * p.height * p.width;
    const scalar_t* filter = weights + (size_t)channel * kernel * kernel;
    const int first_y = out_y * p.stride - p.pad;
    const int first_x = out_x * p.stride - p.pad;

    float sum = 0.f;
    for (int ky = 0; ky < kernel; ++ky) {
      for (int kx = 0; kx < kernel; ++kx) {
        const int in_y = first_y + ky * p.dilation;
        const int in_x = first_x + kx * p.dilation;
        if ((unsigned)in_y < (unsigned)p.height && (unsigned)in_x < (unsigned)p.width) {
          sum = fmaf(load_as_float(plane + in_y * p.width + in_x),
                     load_as_float(filter + ky * kernel + kx), sum);
        }
      }
    }
    store_float(y + i, sum);
  }
}

static ConvParams conv_params(int channels, int height, int width, int out_channels, int size,
                              int pad, int stride, int dilation) {
  ConvParams p;
  p.channels = channels;
  p.height = height;
  p.width = width;
  p.out_channels = out_channels;
  p.out_height = (height + 2 * pad - dilation * (size - 1) - 1) / stride + 1;
  p.out_width = (width + 2 * pad - dilation * (size - 1) - 1) / stride + 1;
  p.pad = pad;
  p.stride = stride;
  p.dilation = dilation;
  return p;
}

static bool is_empty(const ConvParams& p, int batch) {
  return batch == 0 || p.out_channels == 0 || p.out_height <= 0 || p.out_width <= 0;
}

cudaError_t conv2d_f32(const float* x, const float* weights, const float* bias, float* y, int batch,
                       int channels, int height, int width, int out_channels, int size, int pad,
                       int stride, int dilation, bool relu, cudaStream_t stream) {
  const ConvParams p =
      conv_params(channels, height, width, out_channels, size, pad, stride, dilation);
  if (is_empty(p, batch)) return cudaSuccess;

  const size_t count = (size_t)out_channels * channels * size * size;
  if (count <= kMaxConstantWeights && (size == 3 || size == 5)) {
    const cudaError_t status = cudaMemcpyToSymbolAsync(
        c_weights, weights, count * sizeof(float), 0, cudaMemcpyDeviceToDevice, stream);
    if (status != cudaSuccess) return status;
    const dim3 grid((p.out_height * p.out_width + 127) / 128, out_channels, batch);
    if (size == 3 && relu) {
      conv2d_constant_kernel<3, Relu><<<grid, 128, 0, stream>>>(p, x, bias, y);
    } else if (size == 3) {
      conv2d_constant_kernel<3, Identity><<<grid, 128, 0, stream>>>(p, x, bias, y);
    } else if (!relu) {
      conv2d_constant_kernel<5, Identity><<<grid, 128, 0, stream>>>(p, x, bias, y);
    } else {
      return cudaErrorInvalidValue;
    }
    return cudaGetLastError();
  }
  if (size != 3 || relu) return cudaErrorInvalidValue;
  constexpr int kTile = 16, kFilters = 4;
  const int extent = (kTile - 1) * stride + 2 * dilation + 1;
  const dim3 grid((p.out_width + kTile - 1) / kTile, (p.out_height + kTile - 1) / kTile,
                  batch * ((out_channels + kFilters - 1) / kFilters));
  conv2d_shared_kernel<float, 3, kTile, kFilters>
      <<<grid, dim3(kTile, kTile), extent * extent * sizeof(float), stream>>>(p, x, weights, bias, y);
  return cudaGetLastError();
}

cudaError_t conv2d_f16(const half* x, const half* weights, const half* bias, half* y, int batch,
                       int channels, int height, int width, int out_channels, int pad, int stride,
                       int dilation, cudaStream_t stream) {
  const ConvParams p = conv_params(channels, height, width, out_channels, 3, pad, stride, dilation);
  if (is_empty(p, batch)) return cudaSuccess;
  constexpr int kTile = 8, kFilters = 2;
  const int extent = (kTile - 1) * stride + 2 * dilation + 1;
  const dim3 grid((p.out_width + kTile - 1) / kTile, (p.out_height + kTile - 1) / kTile,
                  batch * ((out_channels + kFilters - 1) / kFilters));
  conv2d_shared_kernel<half, 3, kTile, kFilters>
      <<<grid, dim3(kTile, kTile), extent * extent * sizeof(float), stream>>>(p, x, weights, bias, y);
  return cudaGetLastError();
}

template <typename scalar_t>
static cudaError_t depthwise_conv2d(const scalar_t* x, const scalar_t* weights, scalar_t* y,
                                    int batch, int channels, int height, int width, int size,
                                    int pad, int stride, int dilation, cudaStream_t stream) {
  const ConvParams p = conv_params(channels, height, width, channels, size, pad, stride, dilation);
  if (is_empty(p, batch)) return cudaSuccess;
  const int total = batch * channels * p.out_height * p.out_width;
  const int blocks = (total + 255) / 256;
  if (size == 3) {
    depthwise_conv2d_kernel<scalar_t, 3>
        <<<blocks, 256, 0, stream>>>(p, x, weights, y, total, size);
  } else {
    depthwise_conv2d_kernel<scalar_t, 0>
        <<<blocks, 256, 0, stream>>>(p, x, weights, y, total, size);
  }
  return cudaGetLastError();
}

cudaError_t depthwise_conv2d_f16(const half* x, const half* weights, half* y, int batch,
                                 int channels, int height, int width, int size, int pad, int stride,
                                 int dilation, cudaStream_t stream) {
  return depthwise_conv2d(x, weights, y, batch, channels, height, width, size, pad, stride, dilation,
                          stream);
}
