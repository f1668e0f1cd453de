//! Kernels as C++ loops: IR in, text out. Knows nothing of the user's text.
