//! Products of matrices, recognised and given to the cube by the high-level `Matmul`.
