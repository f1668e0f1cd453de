//! The SIMT machine: runs kernels of the IR on a CPU under a float profile.
