// Bilinear interpolation of images to another size, in both conventions of the field:
//
//   align_corners   the centres of the corner pixels coincide:  source = target * (in - 1) / (out - 1)
//   otherwise       the borders of the images coincide:         source = (target + 1/2) * in / out - 1/2,
//                                                               not below zero
//
// Channels-first images take one thread a target pixel, which walks over the planes; channels-last
// images take one thread a vector of channels.

#include "../common/dtype.cuh"
#include "../common/vec.cuh"

namespace upsample {

// Images are [batch, channels, height, width] by their strides, in elements; no layout is assumed.
template <typename scalar_t>
struct ImageView {
  scalar_t* __restrict__ data;
  int64_t batch_stride, channel_stride, row_stride, pixel_stride;
  int batch, channels, height, width;

  __device__ __forceinline__ scalar_t& at(int n, int c, int y, int x) const {
    return data[n * batch_stride + c * channel_stride + y * row_stride + x * pixel_stride];
  }
};

template <typename scalar_t>
struct Accumulate {
  using type = float;
};
template <>
struct Accumulate<double> {
  using type = double;
};
template <typename scalar_t>
using acc_t = typename Accumulate<scalar_t>::type;

__device__ __forceinline__ double to_acc(double x) { return x; }
__device__ __forceinline__ float to_acc(float x) { return x; }
__device__ __forceinline__ float to_acc(half x) { return __half2float(x); }
__device__ __forceinline__ float to_acc(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename scalar_t>
__device__ __forceinline__ scalar_t from_acc(acc_t<scalar_t> x) {
  return from_float<scalar_t>(x);
}
template <>
__device__ __forceinline__ double from_acc<double>(double x) {
  return x;
}

template <typename real>
__host__ __device__ __forceinline__ real source_scale(int in, int out, bool align_corners) {
  if (align_corners) return out > 1 ? static_cast<real>(in - 1) / (out - 1) : static_cast<real>(0);
  return static_cast<real>(in) / out;
}

// The two neighbours of a source coordinate along one axis and their weights.
template <typename real>
struct Tap {
  int first, second;
  real weight_first, weight_second;

  __device__ __forceinline__ Tap(real scale, int target, int size, bool align_corners) {
    const real half_pixel = static_cast<real>(0.5);
    real source;
    if (align_corners) {
      source = scale * target;
    } else {
      source = scale * (target + half_pixel) - half_pixel;
      source = source < static_cast<real>(0) ? static_cast<real>(0) : source;
    }
    // Rounding may carry the coordinate of the last target past the last source.
    first = min(static_cast<int>(source), size - 1);
    second = first + (first < size - 1 ? 1 : 0);
    weight_second = source - first;
    weight_first = static_cast<real>(1) - weight_second;
  }
};

// blockIdx.z strides over images, so that a batch beyond 65535 does not need more blocks.
template <typename scalar_t>
__global__ void __launch_bounds__(256)
upsample_bilinear_kernel(const ImageView<scalar_t> output, const ImageView<const scalar_t> input,
                         const acc_t<scalar_t> scale_h, const acc_t<scalar_t> scale_w,
                         const bool align_corners) {
  using real = acc_t<scalar_t>;
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= output.width || y >= output.height) return;

  // A copy, not an interpolation: keep the bits.
  if (input.height == output.height && input.width == output.width) {
    for (int n = blockIdx.z; n < output.batch; n += gridDim.z) {
      for (int c = 0; c < output.channels; ++c) output.at(n, c, y, x) = input.at(n, c, y, x);
    }
    return;
  }

  const Tap<real> h(scale_h, y, input.height, align_corners);
  const Tap<real> w(scale_w, x, input.width, align_corners);
  for (int n = blockIdx.z; n < output.batch; n += gridDim.z) {
    for (int c = 0; c < output.channels; ++c) {
      const real upper = w.weight_first * to_acc(input.at(n, c, h.first, w.first)) +
                         w.weight_second * to_acc(input.at(n, c, h.first, w.second));
      const real lower = w.weight_first * to_acc(input.at(n, c, h.second, w.first)) +
                         w.weight_second * to_acc(input.at(n, c, h.second, w.second));
      output.at(n, c, y, x) = from_acc<scalar_t>(h.weight_first * upper + h.weight_second * lower);
    }
  }
}

// Contiguous channels-last images whose channels come in whole vectors.
template <typename scalar_t, int kWidth, bool kAlignCorners>
__global__ void upsample_bilinear_nhwc_kernel(scalar_t* __restrict__ output,
                                              const scalar_t* __restrict__ input, const int batch,
                                              const int channels, const int2 in_size,
                                              const int2 out_size, const float2 scale) {
  using vec_t = Vec<scalar_t, kWidth>;
  const int vectors = channels / kWidth;
  const size_t total = static_cast<size_t>(batch) * out_size.y * out_size.x * vectors;

  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < total;
       i += static_cast<size_t>(blockDim.x) * gridDim.x) {
    size_t rest = i;
    const int v = static_cast<int>(rest % vectors);
    rest /= vectors;
    const int x = static_cast<int>(rest % out_size.x);
    rest /= out_size.x;
    const int y = static_cast<int>(rest % out_size.y);
    const int n = static_cast<int>(rest / out_size.y);

    const Tap<float> h(scale.y, y, in_size.y, kAlignCorners);
    const Tap<float> w(scale.x, x, in_size.x, kAlignCorners);
    const auto pixel = [&](int row, int col) {
      const size_t at = (static_cast<size_t>(n) * in_size.y + row) * in_size.x + col;
      return vec_t::load(input + at * channels + v * kWidth);
    };
    const vec_t top_left = pixel(h.first, w.first), top_right = pixel(h.first, w.second);
    const vec_t bottom_left = pixel(h.second, w.first), bottom_right = pixel(h.second, w.second);

    vec_t result;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      float value = h.weight_first * w.weight_first * to_float(top_left[k]);
      value = fmaf(h.weight_first * w.weight_second, to_float(top_right[k]), value);
      value = fmaf(h.weight_second * w.weight_first, to_float(bottom_left[k]), value);
      value = fmaf(h.weight_second * w.weight_second, to_float(bottom_right[k]), value);
      result[k] = from_float<scalar_t>(value);
    }
    result.store(output + i * kWidth);
  }
}

template <typename scalar_t>
cudaError_t launch(const ImageView<scalar_t>& output, const ImageView<const scalar_t>& input,
                   bool align_corners, cudaStream_t stream) {
  if (output.batch == 0 || output.width == 0 || output.height == 0) return cudaSuccess;
  using real = acc_t<scalar_t>;
  const dim3 block(32, 8);
  const dim3 grid(ceil_div(output.width, block.x), ceil_div(output.height, block.y),
                  output.batch < 1024 ? output.batch : 1024);
  upsample_bilinear_kernel<scalar_t><<<grid, block, 0, stream>>>(
      output, input, source_scale<real>(input.height, output.height, align_corners),
      source_scale<real>(input.width, output.width, align_corners), align_corners);
  return cudaGetLastError();
}

}  // namespace upsample

cudaError_t upsample_bilinear_f32(const upsample::ImageView<float>& output,
                                  const upsample::ImageView<const float>& input, bool align_corners,
                                  cudaStream_t stream) {
  return upsample::launch(output, input, align_corners, stream);
}

cudaError_t upsample_bilinear_f64(const upsample::ImageView<double>& output,
                                  const upsample::ImageView<const double>& input,
                                  bool align_corners, cudaStream_t stream) {
  return upsample::launch(output, input, align_corners, stream);
}

cudaError_t upsample_bilinear_f16(const upsample::ImageView<half>& output,
                                  const upsample::ImageView<const half>& input, bool align_corners,
                                  cudaStream_t stream) {
  return upsample::launch(output, input, align_corners, stream);
}

cudaError_t upsample_bilinear_nhwc(half* output, const half* input, int batch, int channels,
                                   int2 in_size, int2 out_size, bool align_corners,
                                   cudaStream_t stream) {
  constexpr int kWidth = 8;
  if (channels % kWidth != 0) return cudaErrorInvalidValue;
  const int64_t work = static_cast<int64_t>(batch) * out_size.x * out_size.y * (channels / kWidth);
  if (work == 0) return cudaSuccess;
  const float2 scale =
      make_float2(upsample::source_scale<float>(in_size.x, out_size.x, align_corners),
                  upsample::source_scale<float>(in_size.y, out_size.y, align_corners));
  const int blocks = ceil_div(work, 256);
  if (align_corners) {
    upsample::upsample_bilinear_nhwc_kernel<half, kWidth, true>
        <<<blocks, 256, 0, stream>>>(output, input, batch, channels, in_size, out_size, scale);
  } else {
    upsample::upsample_bilinear_nhwc_kernel<half, kWidth, false>
        <<<blocks, 256, 0, stream>>>(output, input, batch, channels, in_size, out_size, scale);
  }
  return cudaGetLastError();
}
