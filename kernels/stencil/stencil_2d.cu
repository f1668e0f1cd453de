/*
 * Stencils on a two-dimensional grid of numbers, row-major, rows `pitch` elements apart.
 *
 *   star_stencil    centre and RADIUS neighbours along each axis, one coefficient for each distance
 *   box_stencil     any weights over a (2 * RADIUS + 1)^2 box
 *   heat_step       one explicit step of the heat equation between fixed edges, with the largest
 *                   change, by which callers know when to stop
 *
 * Blocks stage their tile and a halo around it in shared memory.
 */

#include <cuda_runtime.h>

#include <stdio.h>

#include <utility>

#define TILE_X 32
#define TILE_Y 8
#define MAX_RADIUS 4
#define MAX_BOX ((2 * MAX_RADIUS + 1) * (2 * MAX_RADIUS + 1))

#define IDX(row, col, pitch) ((size_t)(row) * (pitch) + (col))
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))

#define CUDA_CHECK(call)                                                                    \
  do {                                                                                      \
    cudaError_t error = (call);                                                             \
    if (error != cudaSuccess) {                                                             \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cudaGetErrorString(error));        \
      return error;                                                                         \
    }                                                                                       \
  } while (0)

__constant__ float c_star[MAX_RADIUS + 1];
__constant__ double c_star_double[MAX_RADIUS + 1];
__constant__ float c_box[MAX_BOX];

template <typename real>
__device__ inline real star_coefficient(int distance);
template <>
__device__ inline float star_coefficient<float>(int distance) {
  return c_star[distance];
}
template <>
__device__ inline double star_coefficient<double>(int distance) {
  return c_star_double[distance];
}

/* What lies past the edge of the grid. */
struct ClampEdge {
  __device__ static inline int at(int i, int n) { return i < 0 ? 0 : (i < n ? i : n - 1); }
};

struct WrapEdge {
  __device__ static inline int at(int i, int n) {
    i %= n;
    return i < 0 ? i + n : i;
  }
};

template <typename real, int RADIUS, typename Edge>
__global__ void star_stencil(real* __restrict__ out, const real* __restrict__ in, int height,
                             int width, int pitch) {
  __shared__ real tile[TILE_Y + 2 * RADIUS][TILE_X + 2 * RADIUS];

  const int tx = threadIdx.x, ty = threadIdx.y;
  const int col = blockIdx.x * TILE_X + tx;
  const int row = blockIdx.y * TILE_Y + ty;
  const int sx = tx + RADIUS, sy = ty + RADIUS;

  /* Threads past the edge load too: their places are the halo of those before it. */
  const int in_row = Edge::at(row, height);
  const int in_col = Edge::at(col, width);
  tile[sy][sx] = in[IDX(in_row, in_col, pitch)];
  if (tx < RADIUS) {
    tile[sy][tx] = in[IDX(in_row, Edge::at(col - RADIUS, width), pitch)];
    tile[sy][sx + TILE_X] = in[IDX(in_row, Edge::at(col + TILE_X, width), pitch)];
  }
  if (ty < RADIUS) {
    tile[ty][sx] = in[IDX(Edge::at(row - RADIUS, height), in_col, pitch)];
    tile[sy + TILE_Y][sx] = in[IDX(Edge::at(row + TILE_Y, height), in_col, pitch)];
  }
  __syncthreads();

  if (row >= height || col >= width) return;

  real sum = star_coefficient<real>(0) * tile[sy][sx];
#pragma unroll
  for (int d = 1; d <= RADIUS; d++) {
    sum += star_coefficient<real>(d) *
           (tile[sy][sx - d] + tile[sy][sx + d] + tile[sy - d][sx] + tile[sy + d][sx]);
  }
  out[IDX(row, col, pitch)] = sum;
}

/* Dynamic shared memory: (blockDim.y + 2 * radius) rows of (blockDim.x + 2 * radius) floats. */
__global__ void box_stencil(float* out, const float* in, int height, int width, int pitch,
                            int radius) {
  extern __shared__ float s_tile[];
  const int tile_width = blockDim.x + 2 * radius;
  const int tile_height = blockDim.y + 2 * radius;
  const int first_col = blockIdx.x * blockDim.x - radius;
  const int first_row = blockIdx.y * blockDim.y - radius;

  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  for (int i = thread; i < tile_width * tile_height; i += blockDim.x * blockDim.y) {
    const int row = first_row + i / tile_width;
    const int col = first_col + i % tile_width;
    const bool inside = row >= 0 && row < height && col >= 0 && col < width;
    s_tile[i] = inside ? in[IDX(row, col, pitch)] : 0.0f;
  }
  __syncthreads();

  const int row = first_row + radius + threadIdx.y;
  const int col = first_col + radius + threadIdx.x;
  if (row < height && col < width) {
    float sum = 0.0f;
    const float* weight = c_box;
    for (int dy = 0; dy <= 2 * radius; ++dy) {
      const float* tile_row = &s_tile[(threadIdx.y + dy) * tile_width + threadIdx.x];
      for (int dx = 0; dx <= 2 * radius; ++dx) sum += *weight++ * tile_row[dx];
    }
    out[IDX(row, col, pitch)] = sum;
  }
}

/* `change` starts at zero; changes are not negative, so their bits order like integers. */
__global__ void __launch_bounds__(TILE_X * TILE_Y)
heat_step(float* __restrict__ next, const float* __restrict__ now, const int height,
          const int width, const int pitch, const float alpha, float* __restrict__ change) {
  __shared__ float tile[TILE_Y + 2][TILE_X + 2];
  __shared__ float warp_change[TILE_Y];

  const int col = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int x = threadIdx.x + 1;
  const int y = threadIdx.y + 1;
  const bool inside = row < height && col < width;

  if (inside) {
    const float* centre = now + IDX(row, col, pitch);
    tile[y][x] = *centre;
    if (threadIdx.x == 0 && col > 0) tile[y][0] = centre[-1];
    if (threadIdx.x == TILE_X - 1 && col < width - 1) tile[y][TILE_X + 1] = centre[1];
    if (threadIdx.y == 0 && row > 0) tile[0][x] = centre[-pitch];
    if (threadIdx.y == TILE_Y - 1 && row < height - 1) tile[TILE_Y + 1][x] = centre[pitch];
  }
  __syncthreads();

  float difference = 0.0f;
  if (inside) {
    float value = tile[y][x];
    if (row > 0 && row < height - 1 && col > 0 && col < width - 1) {
      const float laplacian =
          tile[y][x - 1] + tile[y][x + 1] + tile[y - 1][x] + tile[y + 1][x] - 4.0f * value;
      const float step = alpha * laplacian;
      difference = fabsf(step);
      value += step;
    }
    next[IDX(row, col, pitch)] = value;
  }

  /* A row of the tile is a warp. */
  for (int offset = TILE_X / 2; offset > 0; offset /= 2) {
    difference = fmaxf(difference, __shfl_down_sync(0xffffffff, difference, offset));
  }
  if (threadIdx.x == 0) warp_change[threadIdx.y] = difference;
  __syncthreads();
  if (threadIdx.x == 0 && threadIdx.y == 0) {
    for (int w = 1; w < TILE_Y; w++) difference = fmaxf(difference, warp_change[w]);
    if (difference > 0.0f) atomicMax((int*)change, __float_as_int(difference));
  }
}

static dim3 grid_of(int height, int width) {
  return dim3(CEIL_DIV(width, TILE_X), CEIL_DIV(height, TILE_Y));
}

cudaError_t run_star(float* out, const float* in, int height, int width, int pitch, int radius,
                     const float* coefficients, bool periodic) {
  if (height <= 0 || width <= 0) return cudaSuccess;
  CUDA_CHECK(cudaMemcpyToSymbol(c_star, coefficients, (radius + 1) * sizeof(float)));
  const dim3 grid = grid_of(height, width), block(TILE_X, TILE_Y);
  if (radius == 2 && periodic) {
    star_stencil<float, 2, WrapEdge><<<grid, block>>>(out, in, height, width, pitch);
  } else if (radius == 4 && !periodic) {
    star_stencil<float, 4, ClampEdge><<<grid, block>>>(out, in, height, width, pitch);
  } else {
    return cudaErrorInvalidValue;
  }
  CUDA_CHECK(cudaGetLastError());
  return cudaSuccess;
}

cudaError_t run_star(double* out, const double* in, int height, int width, int pitch,
                     const double* coefficients) {
  if (height <= 0 || width <= 0) return cudaSuccess;
  CUDA_CHECK(cudaMemcpyToSymbol(c_star_double, coefficients, 2 * sizeof(double)));
  star_stencil<double, 1, ClampEdge>
      <<<grid_of(height, width), dim3(TILE_X, TILE_Y)>>>(out, in, height, width, pitch);
  CUDA_CHECK(cudaGetLastError());
  return cudaSuccess;
}

cudaError_t run_box(float* out, const float* in, int height, int width, int pitch, int radius,
                    const float* weights) {
  if (height <= 0 || width <= 0) return cudaSuccess;
  const int side = 2 * radius + 1;
  CUDA_CHECK(cudaMemcpyToSymbol(c_box, weights, side * side * sizeof(float)));
  const size_t shared = (TILE_X + 2 * radius) * (TILE_Y + 2 * radius) * sizeof(float);
  box_stencil<<<grid_of(height, width), dim3(TILE_X, TILE_Y), shared>>>(out, in, height, width,
                                                                        pitch, radius);
  CUDA_CHECK(cudaGetLastError());
  return cudaSuccess;
}

/* Steps until nothing changes by more than `tolerance`; the result is in *grid. */
cudaError_t run_heat(float** grid, float** scratch, float* device_change, int height, int width,
                     int pitch, float alpha, float tolerance, int max_steps, int* steps,
                     float* milliseconds) {
  cudaEvent_t begin, end;
  CUDA_CHECK(cudaEventCreate(&begin));
  CUDA_CHECK(cudaEventCreate(&end));
  CUDA_CHECK(cudaEventRecord(begin));
  for (*steps = 0; *steps < max_steps; ++*steps) {
    float change = 0.0f;
    CUDA_CHECK(cudaMemcpy(device_change, &change, sizeof(float), cudaMemcpyHostToDevice));
    heat_step<<<grid_of(height, width), dim3(TILE_X, TILE_Y)>>>(*scratch, *grid, height, width,
                                                                pitch, alpha, device_change);
    CUDA_CHECK(cudaGetLastError());
    CUDA_CHECK(cudaMemcpy(&change, device_change, sizeof(float), cudaMemcpyDeviceToHost));
    std::swap(*grid, *scratch);
    if (change <= tolerance) break;
  }
  CUDA_CHECK(cudaEventRecord(end));
  CUDA_CHECK(cudaEventSynchronize(end));
  CUDA_CHECK(cudaEventElapsedTime(milliseconds, begin, end));
  CUDA_CHECK(cudaEventDestroy(begin));
  CUDA_CHECK(cudaEventDestroy(end));
  return cudaSuccess;
}
