// Transfers between global memory and local memories: DataCopy, DataCopyPad, atomics on the way.
#pragma once

#include <port_ascend/pipe.h>

namespace AscendC {

struct DataCopyParams {
    DataCopyParams() = default;
    DataCopyParams(uint16_t count, uint16_t len, uint16_t srcStrideIn, uint16_t dstStrideIn)
        : blockCount(count), blockLen(len), srcStride(srcStrideIn), dstStride(dstStrideIn) {}
    uint16_t blockCount = 1, blockLen = 0;
    union { uint16_t srcStride = 0; uint16_t srcGap; };
    union { uint16_t dstStride = 0; uint16_t dstGap; };
};
struct DataCopyExtParams {
    DataCopyExtParams() = default;
    DataCopyExtParams(uint16_t count, uint32_t len, int64_t srcStrideIn, int64_t dstStrideIn, uint32_t rsvIn)
        : blockCount(count), blockLen(len), srcStride(uint32_t(srcStrideIn)), dstStride(uint32_t(dstStrideIn)), rsv(rsvIn) {}
    uint16_t blockCount = 1;
    uint32_t blockLen = 0, srcStride = 0, dstStride = 0, rsv = 0;
};
struct DataCopyPadParams {
    DataCopyPadParams() = default;
    DataCopyPadParams(bool isPad, uint8_t left, uint8_t right, uint64_t value)
        : isPad(isPad), leftPadding(left), rightPadding(right), paddingValue(value) {}
    bool isPad = false;
    uint8_t leftPadding = 0, rightPadding = 0;
    uint64_t paddingValue = 0;
};
template <typename T> struct DataCopyPadExtParams {
    DataCopyPadExtParams() = default;
    DataCopyPadExtParams(bool isPad, uint8_t left, uint8_t right, T value)
        : isPad(isPad), leftPadding(left), rightPadding(right), paddingValue(value) {}
    bool isPad = false;
    uint8_t leftPadding = 0, rightPadding = 0;
    T paddingValue = T();
};
struct Nd2NzParams {
    Nd2NzParams() = default;
    Nd2NzParams(uint16_t ndNum, uint16_t nValue, uint16_t dValue, uint32_t srcNdMatrixStride, uint32_t srcDValue, uint16_t dstNzC0Stride,
                uint16_t dstNzNStride, uint32_t dstNzMatrixStride)
        : ndNum(ndNum), nValue(nValue), dValue(dValue), srcNdMatrixStride(srcNdMatrixStride), srcDValue(srcDValue),
          dstNzC0Stride(dstNzC0Stride), dstNzNStride(dstNzNStride), dstNzMatrixStride(dstNzMatrixStride) {}
    uint16_t ndNum = 0, nValue = 0, dValue = 0;
    uint32_t srcNdMatrixStride = 0, srcDValue = 0;
    uint16_t dstNzC0Stride = 0, dstNzNStride = 0;
    uint32_t dstNzMatrixStride = 0;
};
struct Nz2NdParamsFull {
    Nz2NdParamsFull() = default;
    Nz2NdParamsFull(uint16_t ndNum, uint16_t nValue, uint16_t dValue, uint16_t srcNdMatrixStride, uint16_t srcNStride, uint32_t dstDStride,
                    uint16_t dstNdMatrixStride)
        : ndNum(ndNum), nValue(nValue), dValue(dValue), srcNdMatrixStride(srcNdMatrixStride), srcNStride(srcNStride),
          dstDStride(dstDStride), dstNdMatrixStride(dstNdMatrixStride) {}
    uint16_t ndNum = 0, nValue = 0, dValue = 0, srcNdMatrixStride = 0, srcNStride = 0;
    uint32_t dstDStride = 0;
    uint16_t dstNdMatrixStride = 0;
};
struct SliceInfo {
    SliceInfo() = default;
    SliceInfo(uint32_t start, uint32_t end, uint32_t stride, uint32_t burst, uint32_t shape = 0)
        : startIndex(start), endIndex(end), stride(stride), burstLen(burst), shapeValue(shape) {}
    uint32_t startIndex = 0, endIndex = 0, stride = 0, burstLen = 0, shapeValue = 0;
};

}  // namespace AscendC

namespace port_ascend {

struct LocalPart { Space space; uint32_t offset, low, high; };
// `count` pieces of `length` bytes; steps between starts, in bytes.
struct Pieces { uint32_t count; uint64_t length, gm_step, local_step; };
struct Padding { bool given, fill; uint32_t left, right; uint64_t value; uint32_t size; };
typedef void (*Combine)(uint8_t* to, const uint8_t* from, size_t bytes, Atomic how);

void copy_in(const char* call, Site site, LocalPart to, const uint8_t* gm, const uint8_t* gm_limit, const Pieces& pieces, const Padding& padding);
void copy_out(const char* call, Site site, uint8_t* gm, const uint8_t* gm_limit, LocalPart from, const Pieces& pieces, const char* type, Combine combine);
void copy_local(const char* call, Site site, LocalPart to, LocalPart from, uint32_t count, uint64_t length, uint64_t to_step, uint64_t from_step);
bool check_count(const char* call, Site site, uint64_t count, uint64_t most, const char* what);

template <typename T> LocalPart part_of(const AscendC::LocalTensor<T>& tensor) { return {tensor.space, tensor.offset, tensor.low, tensor.high}; }

template <typename T> void combine(uint8_t* to, const uint8_t* from, size_t bytes, Atomic how) {
    for (size_t at = 0; at + sizeof(T) <= bytes; at += sizeof(T)) {
        T old, value;
        std::memcpy(&old, to + at, sizeof(T));
        std::memcpy(&value, from + at, sizeof(T));
        // Unsigned arithmetic of the same width wraps where the signed one would overflow.
        T result;
        if (how == Atomic::add) {
            if constexpr (std::is_integral<T>::value) result = T(std::make_unsigned_t<T>(old) + std::make_unsigned_t<T>(value));
            else result = T(old + value);
        } else if (how == Atomic::max) {
            result = value > old ? value : old;
        } else {
            result = value < old ? value : old;
        }
        std::memcpy(to + at, &result, sizeof(T));
    }
}
template <typename T> constexpr Combine combiner() {
    if constexpr (is_one_of<T, int8_t, int16_t, int32_t, half, bfloat16_t, float>::value) return combine<T>;
    else return nullptr;
}

}  // namespace port_ascend

namespace AscendC {

template <typename T> inline const uint8_t* port_limit(const GlobalTensor<T>& tensor) { return reinterpret_cast<const uint8_t*>(tensor.limit); }
template <typename T> inline const uint8_t* port_start(const GlobalTensor<T>& tensor) { return reinterpret_cast<const uint8_t*>(tensor.start); }

template <typename T> inline void DataCopy(const LocalTensor<T>& dst, const GlobalTensor<T>& src, const uint32_t count, PORT_ASCEND_SITE) {
    uint64_t bytes = port_ascend::bytes_of<T>(count);
    if (!port_ascend::check_count("DataCopy", site, bytes, 0, "length")) bytes = bytes / 32 * 32;
    port_ascend::copy_in("DataCopy", site, port_ascend::part_of(dst), port_start(src), port_limit(src), {1, bytes, 0, 0}, {});
}
template <typename T> inline void DataCopy(const GlobalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t count, PORT_ASCEND_SITE) {
    uint64_t bytes = port_ascend::bytes_of<T>(count);
    if (!port_ascend::check_count("DataCopy", site, bytes, 0, "length")) bytes = bytes / 32 * 32;
    port_ascend::copy_out("DataCopy", site, reinterpret_cast<uint8_t*>(dst.start), port_limit(dst), port_ascend::part_of(src), {1, bytes, 0, 0},
                          port_ascend::type_name<T>(), port_ascend::combiner<T>());
}
template <typename T> inline void DataCopy(const LocalTensor<T>& dst, const GlobalTensor<T>& src, const DataCopyParams& p, PORT_ASCEND_SITE) {
    if (!port_ascend::check_count("DataCopy", site, p.blockCount, 4095, "blockCount")) return;
    port_ascend::copy_in("DataCopy", site, port_ascend::part_of(dst), port_start(src), port_limit(src),
                         {p.blockCount, p.blockLen * 32u, (p.blockLen + p.srcStride) * 32u, (p.blockLen + p.dstStride) * 32u}, {});
}
template <typename T> inline void DataCopy(const GlobalTensor<T>& dst, const LocalTensor<T>& src, const DataCopyParams& p, PORT_ASCEND_SITE) {
    if (!port_ascend::check_count("DataCopy", site, p.blockCount, 4095, "blockCount")) return;
    port_ascend::copy_out("DataCopy", site, reinterpret_cast<uint8_t*>(dst.start), port_limit(dst), port_ascend::part_of(src),
                          {p.blockCount, p.blockLen * 32u, (p.blockLen + p.dstStride) * 32u, (p.blockLen + p.srcStride) * 32u}, port_ascend::type_name<T>(),
                          port_ascend::combiner<T>());
}
// Between local memories.
template <typename T, typename U> inline void DataCopy(const LocalTensor<T>& dst, const LocalTensor<U>& src, const DataCopyParams& p, PORT_ASCEND_SITE) {
    if (!port_ascend::check_count("DataCopy", site, p.blockCount, 4095, "blockCount")) return;
    if constexpr (std::is_same<T, U>::value) {
        // Lengths are blocks of 32 bytes, 64 into the bias table, 128 into the fixpipe buffer.
        uint32_t unit = dst.space == port_ascend::space_bt ? 64u : dst.space == port_ascend::space_fb ? 128u : 32u;
        port_ascend::copy_local("DataCopy", site, port_ascend::part_of(dst), port_ascend::part_of(src), p.blockCount, p.blockLen * unit,
                                p.blockLen * unit + p.dstStride * unit, p.blockLen * unit + p.srcStride * 32u);
    } else {
        port_ascend::report("not-modelled", "DataCopy", site, "a DataCopy that converts types between local memories is not modelled");
    }
}
template <typename T> inline void DataCopy(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t count, PORT_ASCEND_SITE) {
    uint64_t bytes = port_ascend::bytes_of<T>(count);
    if (!port_ascend::check_count("DataCopy", site, bytes, 0, "length")) bytes = bytes / 32 * 32;
    port_ascend::copy_local("DataCopy", site, port_ascend::part_of(dst), port_ascend::part_of(src), 1, bytes, 0, 0);
}

// GM side to the byte; local side whole blocks of 32 bytes, the gap between them in blocks.
template <typename T> inline void port_pad_in(const LocalTensor<T>& dst, const GlobalTensor<T>& src, uint32_t count, uint64_t length, uint64_t gm_gap,
                                              uint64_t local_gap, const port_ascend::Padding& padding, port_ascend::Site site) {
    if (!port_ascend::check_count("DataCopyPad", site, count, 4095, "blockCount") || !port_ascend::check_count("DataCopyPad", site, length, 2097151, "blockLen")) return;
    if (length % sizeof(T)) port_ascend::report("unaligned-length", "DataCopyPad", site, "blockLen %llu is no multiple of the element's %zu bytes", (unsigned long long)length, sizeof(T));
    uint64_t padded = (length + padding.left + padding.right + 31) / 32 * 32;
    port_ascend::copy_in("DataCopyPad", site, port_ascend::part_of(dst), port_start(src), port_limit(src), {count, length, length + gm_gap, padded + local_gap * 32}, padding);
}
template <typename T> inline void port_pad_out(const GlobalTensor<T>& dst, const LocalTensor<T>& src, uint32_t count, uint64_t length, uint64_t local_gap,
                                               uint64_t gm_gap, port_ascend::Site site) {
    if (!port_ascend::check_count("DataCopyPad", site, count, 4095, "blockCount") || !port_ascend::check_count("DataCopyPad", site, length, 2097151, "blockLen")) return;
    if (length % sizeof(T)) port_ascend::report("unaligned-length", "DataCopyPad", site, "blockLen %llu is no multiple of the element's %zu bytes", (unsigned long long)length, sizeof(T));
    uint64_t padded = (length + 31) / 32 * 32;
    port_ascend::copy_out("DataCopyPad", site, reinterpret_cast<uint8_t*>(dst.start), port_limit(dst), port_ascend::part_of(src),
                          {count, length, length + gm_gap, padded + local_gap * 32}, port_ascend::type_name<T>(), port_ascend::combiner<T>());
}
template <typename T> inline void DataCopyPad(const LocalTensor<T>& dst, const GlobalTensor<T>& src, const DataCopyExtParams& p, const DataCopyPadExtParams<T>& pad, PORT_ASCEND_SITE) {
    uint64_t value = 0;
    std::memcpy(&value, &pad.paddingValue, sizeof(T));
    port_pad_in(dst, src, p.blockCount, p.blockLen, p.srcStride, p.dstStride,
                {true, pad.isPad, uint32_t(pad.leftPadding * sizeof(T)), uint32_t(pad.rightPadding * sizeof(T)), value, sizeof(T)}, site);
}
template <typename T> inline void DataCopyPad(const LocalTensor<T>& dst, const GlobalTensor<T>& src, const DataCopyParams& p, const DataCopyPadParams& pad, PORT_ASCEND_SITE) {
    port_pad_in(dst, src, p.blockCount, p.blockLen, p.srcStride, p.dstStride,
                {true, pad.isPad, uint32_t(pad.leftPadding * sizeof(T)), uint32_t(pad.rightPadding * sizeof(T)), pad.paddingValue, sizeof(T)}, site);
}
template <typename T> inline void DataCopyPad(const GlobalTensor<T>& dst, const LocalTensor<T>& src, const DataCopyExtParams& p, PORT_ASCEND_SITE) {
    port_pad_out(dst, src, p.blockCount, p.blockLen, p.srcStride, p.dstStride, site);
}
template <typename T> inline void DataCopyPad(const GlobalTensor<T>& dst, const LocalTensor<T>& src, const DataCopyParams& p, PORT_ASCEND_SITE) {
    port_pad_out(dst, src, p.blockCount, p.blockLen, p.srcStride, p.dstStride, site);
}
template <typename T> inline void SetPadValue(T value, TPosition = TPosition::MAX) {
    port_ascend::core->pad_value = 0;
    std::memcpy(&port_ascend::core->pad_value, &value, sizeof(T) < 8 ? sizeof(T) : 8);
    port_ascend::core->pad_value_set = true;
}

// Atomics: transfers to global memory combine with what is there until SetAtomicNone.
template <typename T> inline void port_set_atomic(const char* call, port_ascend::Atomic how, port_ascend::Site site) {
    if (!port_ascend::is_one_of<T, int8_t, int16_t, half, bfloat16_t, int32_t, float>::value) {
        port_ascend::unsupported_type(call, site, port_ascend::type_name<T>(), "int8_t, int16_t, half, bfloat16_t, int32_t and float");
    }
    port_ascend::core->atomic = how;
    port_ascend::core->atomic_type = port_ascend::type_name<T>();
}
template <typename T> inline void SetAtomicAdd(PORT_ASCEND_SITE) { port_set_atomic<T>("SetAtomicAdd", port_ascend::Atomic::add, site); }
template <typename T> inline void SetAtomicMax(PORT_ASCEND_SITE) { port_set_atomic<T>("SetAtomicMax", port_ascend::Atomic::max, site); }
template <typename T> inline void SetAtomicMin(PORT_ASCEND_SITE) { port_set_atomic<T>("SetAtomicMin", port_ascend::Atomic::min, site); }
template <typename T> inline void SetAtomicType(PORT_ASCEND_SITE) { (void)site; port_ascend::core->atomic_type = port_ascend::type_name<T>(); }
inline void SetAtomicNone() { port_ascend::core->atomic = port_ascend::Atomic::none; }
inline void DisableDmaAtomic() { port_ascend::core->atomic = port_ascend::Atomic::none; }

// Constants into global memory (by transfers of this core).
template <typename T> inline void Fill(const GlobalTensor<T>& tensor, uint64_t count, const ::port_ascend::same_t<T> value, PORT_ASCEND_SITE) {
    port_ascend::begin("Fill", site, port_ascend::pipe_mte3, 200 + double(count * sizeof(T)) / 32);
    port_ascend::core->counters.ub_to_gm += count * sizeof(T);
    for (uint64_t i = 0; i < count; ++i) {
        if (!tensor.check(i, 1, "Fill", true) || !port_ascend::gm_access(tensor.start + i, sizeof(T), true, &value)) return;
        tensor.start[i] = value;
    }
    port_ascend::pipe_barrier(-1, site);
}
template <typename T> inline void InitGlobalMemory(const GlobalTensor<T>& tensor, const uint64_t count, const ::port_ascend::same_t<T> value, PORT_ASCEND_SITE) { Fill<T>(tensor, count, value, site); }
template <typename T> inline void InitOutput(const GlobalTensor<T> tensor, uint64_t count, const ::port_ascend::same_t<T> value = 0, PORT_ASCEND_SITE) { Fill<T>(tensor, count, value, site); }

}  // namespace AscendC
