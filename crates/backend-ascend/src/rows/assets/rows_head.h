// What kernels over rows share: copies of any length, reductions to a scalar, results of one element a row.
// Made by port.
