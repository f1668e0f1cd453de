// Reads a register by its name: there is no such register elsewhere.
__global__ void lane_kernel(int* out) {
  int lane;
  asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
  out[threadIdx.x] = lane;
}
