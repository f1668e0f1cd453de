//! Tiles of vectors: the IR between a kernel and Ascend C for the 910B.
