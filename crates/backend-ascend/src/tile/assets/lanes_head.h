// Threads of a block as lanes of vectors: the device code that the kernels beside this header call. Made by port.
//
// A kernel's class has a `lanes::Block`. It owns the queues and one buffer of the unified buffer, from which every
// vector takes its place. A value that differs between threads is a tensor with one element for each lane; what all
// threads share is a scalar. `padded` is the number of lanes, a multiple of what one instruction handles (64).
//
// Which lanes take part is a `lanes::Box` (ranges of the lanes' coordinates) where a comparison with a bound says so,
// else a `lanes::Mask` (a bit for each lane). Lanes that do not take part compute all the same: masks matter where
// memory is read or written.
//
// An address is a `lanes::Form`, linear in the lane's coordinates, or a tensor of offsets. Loads and stores of lanes that
// lie side by side are one DataCopyPad; others go by rows, by a Gather from what was copied, or lane by lane.
//
// Types: floats of all formats are computed as float and rounded (CAST_RINT) where memory or a conversion says so;
// integers up to 32 bits are int32_t; 64-bit integers are two tensors, the low and the high halves.
