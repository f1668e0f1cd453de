// Convolution by matrix multiplication: the windows of an image laid out as the columns of a matrix
// (im2col), their gradient summed back onto the image (col2im), and the row form for channels-last
// images, whose pixels are copied in the widest units that their size allows.
//
//   columns[(c, kh, kw), (oh, ow)] = image[c, oh * stride_h - pad_h + kh * dilation_h,
//                                             ow * stride_w - pad_w + kw * dilation_w]
//
// and zero where that lies outside the image.

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <stdint.h>

#define IM2COL_THREADS 256
#define IM2COL_MAX_BLOCKS 4096

#define KERNEL_LOOP_TYPED(index_t, i, n)                                            \
  for (index_t i = static_cast<index_t>(blockIdx.x) * blockDim.x + threadIdx.x;     \
       i < (n);                                                                     \
       i += static_cast<index_t>(blockDim.x) * gridDim.x)

#define KERNEL_LOOP(i, n) KERNEL_LOOP_TYPED(int64_t, i, n)

static inline int blocks_for(int64_t n) {
  const int64_t blocks = (n + IM2COL_THREADS - 1) / IM2COL_THREADS;
  return (int)(blocks < IM2COL_MAX_BLOCKS ? blocks : IM2COL_MAX_BLOCKS);
}

static inline int columns_along(int size, int kernel, int pad, int stride, int dilation) {
  return (size + 2 * pad - (dilation * (kernel - 1) + 1)) / stride + 1;
}

// One thread a window and channel: it copies kernel_h * kernel_w elements. blockIdx.y is the image.
template <typename Dtype>
__global__ void im2col_kernel(const int64_t n, const Dtype* data_im, const int height,
                              const int width, const int kernel_h, const int kernel_w,
                              const int pad_h, const int pad_w, const int stride_h,
                              const int stride_w, const int dilation_h, const int dilation_w,
                              const int height_col, const int width_col, const int64_t image_size,
                              const int64_t column_size, Dtype* data_col) {
  data_im += blockIdx.y * image_size;
  data_col += blockIdx.y * column_size;
  KERNEL_LOOP(index, n) {
    const int64_t h_index = index / width_col;
    const int h_col = h_index % height_col;
    const int w_col = index % width_col;
    const int c_im = h_index / height_col;
    const int h_offset = h_col * stride_h - pad_h;
    const int w_offset = w_col * stride_w - pad_w;

    Dtype* col_ptr = data_col;
    col_ptr += ((int64_t)c_im * kernel_h * kernel_w * height_col + h_col) * width_col + w_col;
    const Dtype* im_ptr = data_im;
    im_ptr += ((int64_t)c_im * height + h_offset) * width + w_offset;
    for (int i = 0; i < kernel_h; ++i) {
      for (int j = 0; j < kernel_w; ++j) {
        const int h_im = h_offset + i * dilation_h;
        const int w_im = w_offset + j * dilation_w;
        *col_ptr = (h_im >= 0 && w_im >= 0 && h_im < height && w_im < width)
                       ? im_ptr[(int64_t)i * dilation_h * width + j * dilation_w]
                       : static_cast<Dtype>(0);
        col_ptr += (int64_t)height_col * width_col;
      }
    }
  }
}

// One thread a pixel: it gathers from every window that covers the pixel, so no two threads write
// the same place.
template <typename Dtype, typename Acctype>
__global__ void __launch_bounds__(IM2COL_THREADS)
    col2im_kernel(const int64_t n, const Dtype* __restrict__ data_col, const int height,
                  const int width, const int kernel_h, const int kernel_w, const int pad_h,
                  const int pad_w, const int stride_h, const int stride_w, const int dilation_h,
                  const int dilation_w, const int height_col, const int width_col,
                  Dtype* __restrict__ data_im) {
  const int kernel_extent_h = (kernel_h - 1) * dilation_h + 1;
  const int kernel_extent_w = (kernel_w - 1) * dilation_w + 1;
  KERNEL_LOOP(index, n) {
    Acctype val = 0;
    const int w_im = index % width + pad_w;
    const int h_im = (index / width) % height + pad_h;
    const int c_im = index / ((int64_t)width * height);

    const int w_col_start = w_im < kernel_extent_w ? 0 : (w_im - kernel_extent_w) / stride_w + 1;
    const int w_col_end = min(w_im / stride_w + 1, width_col);
    const int h_col_start = h_im < kernel_extent_h ? 0 : (h_im - kernel_extent_h) / stride_h + 1;
    const int h_col_end = min(h_im / stride_h + 1, height_col);

    for (int h_col = h_col_start; h_col < h_col_end; ++h_col) {
      int h_k = h_im - h_col * stride_h;
      if (h_k % dilation_h != 0) continue;
      h_k /= dilation_h;
      for (int w_col = w_col_start; w_col < w_col_end; ++w_col) {
        int w_k = w_im - w_col * stride_w;
        if (w_k % dilation_w) continue;
        w_k /= dilation_w;
        const int64_t row = ((int64_t)c_im * kernel_h + h_k) * kernel_w + w_k;
        val += static_cast<Acctype>(__ldg(&data_col[(row * height_col + h_col) * width_col + w_col]));
      }
    }
    data_im[index] = static_cast<Dtype>(val);
  }
}

// rows[(n, oh, ow), (kh, kw, c)] of a channels-last image. A pixel is `units` values of unit_t, which
// is whatever moves its bytes fastest. blockIdx = (window along the width, along the height, image);
// threadIdx.y picks the tap, threadIdx.x the unit.
template <typename unit_t>
__global__ void im2row_nhwc_kernel(unit_t* __restrict__ rows, const unit_t* __restrict__ image,
                                   int units, int2 size, int2 kernel, int2 pad, int2 stride,
                                   int2 dilation) {
  const int taps = kernel.x * kernel.y;
  const size_t window = ((size_t)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  unit_t* const row = rows + window * taps * units;

  for (int tap = threadIdx.y; tap < taps; tap += blockDim.y) {
    const int y = (int)blockIdx.y * stride.y - pad.y + tap / kernel.x * dilation.y;
    const int x = (int)blockIdx.x * stride.x - pad.x + tap % kernel.x * dilation.x;
    const bool inside = (unsigned)y < (unsigned)size.y && (unsigned)x < (unsigned)size.x;
    const unit_t* pixel = image + (((int64_t)blockIdx.z * size.y + y) * size.x + x) * units;
    for (int u = threadIdx.x; u < units; u += blockDim.x) {
      row[(size_t)tap * units + u] = inside ? pixel[u] : unit_t{};
    }
  }
}

template <typename Dtype>
cudaError_t im2col(cudaStream_t stream, const Dtype* data_im, int batch, int channels, int height,
                   int width, int kernel_h, int kernel_w, int pad_h, int pad_w, int stride_h,
                   int stride_w, int dilation_h, int dilation_w, Dtype* data_col) {
  const int height_col = columns_along(height, kernel_h, pad_h, stride_h, dilation_h);
  const int width_col = columns_along(width, kernel_w, pad_w, stride_w, dilation_w);
  const int64_t windows = (int64_t)channels * height_col * width_col;
  if (windows <= 0 || batch == 0) return cudaSuccess;
  im2col_kernel<Dtype><<<dim3(blocks_for(windows), batch), IM2COL_THREADS, 0, stream>>>(
      windows, data_im, height, width, kernel_h, kernel_w, pad_h, pad_w, stride_h, stride_w,
      dilation_h, dilation_w, height_col, width_col, (int64_t)channels * height * width,
      windows * kernel_h * kernel_w, data_col);
  return cudaGetLastError();
}

template <typename Dtype, typename Acctype>
cudaError_t col2im(cudaStream_t stream, const Dtype* data_col, int channels, int height, int width,
                   int kernel_h, int kernel_w, int pad_h, int pad_w, int stride_h, int stride_w,
                   int dilation_h, int dilation_w, Dtype* data_im) {
  const int height_col = columns_along(height, kernel_h, pad_h, stride_h, dilation_h);
  const int width_col = columns_along(width, kernel_w, pad_w, stride_w, dilation_w);
  const int64_t pixels = (int64_t)channels * height * width;
  if (pixels == 0) return cudaSuccess;
  col2im_kernel<Dtype, Acctype><<<blocks_for(pixels), IM2COL_THREADS, 0, stream>>>(
      pixels, data_col, height, width, kernel_h, kernel_w, pad_h, pad_w, stride_h, stride_w,
      dilation_h, dilation_w, height_col, width_col, data_im);
  return cudaGetLastError();
}

// Instantiate what the framework's dispatcher links against.
template cudaError_t im2col<float>(cudaStream_t, const float*, int, int, int, int, int, int, int,
                                   int, int, int, int, int, float*);
template cudaError_t im2col<double>(cudaStream_t, const double*, int, int, int, int, int, int, int,
                                    int, int, int, int, int, double*);
template cudaError_t col2im<float, float>(cudaStream_t, const float*, int, int, int, int, int, int,
                                          int, int, int, int, int, float*);
template cudaError_t col2im<half, float>(cudaStream_t, const half*, int, int, int, int, int, int,
                                         int, int, int, int, int, half*);

cudaError_t im2row_nhwc(void* rows, const void* image, int batch, int channels, int bytes, int2 size,
                        int2 kernel, int2 pad, int2 stride, int2 dilation, cudaStream_t stream) {
  const int width_col = columns_along(size.x, kernel.x, pad.x, stride.x, dilation.x);
  const int height_col = columns_along(size.y, kernel.y, pad.y, stride.y, dilation.y);
  if (batch == 0 || channels == 0 || width_col <= 0 || height_col <= 0) return cudaSuccess;

  const int pixel_bytes = channels * bytes;
  const dim3 grid(width_col, height_col, batch);
  const dim3 block(32, 8);
#define IM2ROW(unit_t)                                                                     \
  im2row_nhwc_kernel<<<grid, block, 0, stream>>>(                                          \
      reinterpret_cast<unit_t*>(rows), reinterpret_cast<const unit_t*>(image),             \
      pixel_bytes / (int)sizeof(unit_t), size, kernel, pad, stride, dilation)
  if (pixel_bytes % sizeof(uint4) == 0) {
    IM2ROW(uint4);
  } else if (bytes == 4) {
    IM2ROW(unsigned int);
  } else {
    IM2ROW(unsigned short);
  }
#undef IM2ROW
  return cudaGetLastError();
}
