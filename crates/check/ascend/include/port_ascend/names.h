// `ReduceSum<float>(dst, …)` without a namespace: C++17 parses the template argument only where a template of that name
// is visible, which the device compiler does not ask for. These are such templates; no call fits them.
#pragma once

namespace port_ascend {
struct NoArgument;
}  // namespace port_ascend

#define PORT_ASCEND_VISIBLE(Name) template <typename> void Name(port_ascend::NoArgument*, port_ascend::NoArgument**);
PORT_ASCEND_VISIBLE(ReduceSum) PORT_ASCEND_VISIBLE(ReduceMax) PORT_ASCEND_VISIBLE(ReduceMin) PORT_ASCEND_VISIBLE(WholeReduceSum)
PORT_ASCEND_VISIBLE(WholeReduceMax) PORT_ASCEND_VISIBLE(WholeReduceMin) PORT_ASCEND_VISIBLE(BlockReduceSum) PORT_ASCEND_VISIBLE(BlockReduceMax)
PORT_ASCEND_VISIBLE(PairReduceSum) PORT_ASCEND_VISIBLE(RepeatReduceSum) PORT_ASCEND_VISIBLE(Duplicate) PORT_ASCEND_VISIBLE(DataCopy)
PORT_ASCEND_VISIBLE(DataCopyPad) PORT_ASCEND_VISIBLE(CompareScalar) PORT_ASCEND_VISIBLE(Brcb) PORT_ASCEND_VISIBLE(GatherMask)
PORT_ASCEND_VISIBLE(CreateVecIndex) PORT_ASCEND_VISIBLE(ArithProgression) PORT_ASCEND_VISIBLE(Axpy) PORT_ASCEND_VISIBLE(MulAddDst)
PORT_ASCEND_VISIBLE(Adds) PORT_ASCEND_VISIBLE(Muls) PORT_ASCEND_VISIBLE(Maxs) PORT_ASCEND_VISIBLE(Mins)
PORT_ASCEND_VISIBLE(LeakyRelu) PORT_ASCEND_VISIBLE(ShiftLeft) PORT_ASCEND_VISIBLE(ShiftRight) PORT_ASCEND_VISIBLE(DataCacheCleanAndInvalid)
#undef PORT_ASCEND_VISIBLE
