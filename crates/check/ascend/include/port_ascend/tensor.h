// GlobalTensor and LocalTensor: a place in global or local memory with a length. Every access through them is checked.
#pragma once

#include <port_ascend/core.h>

#define PORT_ASCEND_SITE ::port_ascend::Site site = ::port_ascend::Site::here()

namespace AscendC {

enum class TPosition : uint8_t {
    GM, A1, A2, B1, B2, C1, C2, CO1, CO2, VECIN, VECOUT, VECCALC, LCM = VECCALC, SPM, SHM = SPM, TSCM, C2PIPE2GM,
    C2PIPE2LOCAL, MAX
};
using QuePosition = TPosition;
enum class Hardware : uint8_t { GM, UB, L1, L0A, L0B, L0C, BIAS, FIXBUF, MAX };
enum class CacheMode : uint8_t { CACHE_MODE_DISABLE, CACHE_MODE_NORMAL, CACHE_MODE_LAST, CACHE_MODE_PERSISTENT };
enum class CacheRwMode : uint8_t { READ = 1, WRITE = 2, RW = 3 };
enum class DataFormat : uint8_t { ND, NZ, NCHW, NC1HWC0, NHWC };
struct ShapeInfo {
    ShapeInfo() = default;
    ShapeInfo(uint8_t dim, const uint32_t* shape, DataFormat format = DataFormat::ND)
        : shapeDim(dim), originalShapeDim(dim), dataFormat(format) {
        for (int i = 0; i < dim && i < 8; ++i) this->shape[i] = originalShape[i] = shape[i];
    }
    uint8_t shapeDim = 0, originalShapeDim = 0;
    uint32_t shape[8] = {}, originalShape[8] = {};
    DataFormat dataFormat = DataFormat::ND;
};

}  // namespace AscendC

namespace port_ascend {

inline Space space_of(AscendC::TPosition position) {
    using P = AscendC::TPosition;
    switch (position) {
        case P::A1: case P::B1: case P::C1: case P::TSCM: case P::SPM: return space_l1;
        case P::A2: return space_l0a;
        case P::B2: return space_l0b;
        case P::C2: return space_bt;
        case P::CO1: return space_l0c;
        case P::C2PIPE2GM: return space_fb;
        case P::GM: return space_gm;
        default: return space_ub;
    }
}

// Bytes of `count` elements.
template <typename T> constexpr uint64_t bytes_of(uint64_t count) { return count * sizeof(T); }
template <> constexpr uint64_t bytes_of<int4b_t>(uint64_t count) { return count / 2; }

}  // namespace port_ascend

namespace AscendC {

template <typename T> class LocalTensor {
public:
    using PrimType = T;
    LocalTensor() = default;
    LocalTensor(TPosition position, uint32_t address, uint32_t elements)
        : space(port_ascend::space_of(position)), position(position), offset(address), low(address),
          high(uint32_t(address + port_ascend::bytes_of<T>(elements))), elements(elements) {}
    T GetValue(uint32_t index, PORT_ASCEND_SITE) const {
        uint64_t at = offset + port_ascend::bytes_of<T>(index);
        if (!port_ascend::scalar_local(space, at, sizeof(T), low, high, false, "LocalTensor::GetValue", site)) return T();
        T value;
        std::memcpy(&value, port_ascend::core->memory[space] + at, sizeof(T));
        return value;
    }
    void SetValue(uint32_t index, const T value, PORT_ASCEND_SITE) const {
        uint64_t at = offset + port_ascend::bytes_of<T>(index);
        if (!port_ascend::scalar_local(space, at, sizeof(T), low, high, true, "LocalTensor::SetValue", site)) return;
        std::memcpy(port_ascend::core->memory[space] + at, &value, sizeof(T));
    }
    class Element {
    public:
        Element(const LocalTensor& tensor, uint32_t index, port_ascend::Site site) : tensor(tensor), index(index), site(site) {}
        operator T() const { return tensor.GetValue(index, site); }
        Element& operator=(const T& value) { tensor.SetValue(index, value, site); return *this; }
        Element& operator=(const Element& other) { return *this = T(other); }
        template <typename U> Element& operator+=(U value) { return *this = T(T(*this) + value); }
        template <typename U> Element& operator-=(U value) { return *this = T(T(*this) - value); }
        template <typename U> Element& operator*=(U value) { return *this = T(T(*this) * value); }
        template <typename U> Element& operator/=(U value) { return *this = T(T(*this) / value); }
    private:
        const LocalTensor& tensor;
        uint32_t index;
        port_ascend::Site site;
    };
    Element operator()(uint32_t index, PORT_ASCEND_SITE) const { return Element(*this, index, site); }
    LocalTensor operator[](uint32_t index) const {
        LocalTensor part = *this;
        part.offset = uint32_t(offset + port_ascend::bytes_of<T>(index));
        part.elements = elements > index ? elements - index : 0;
        return part;
    }
    template <typename U> LocalTensor<U> ReinterpretCast() const {
        LocalTensor<U> other;
        other.space = space;
        other.position = position;
        other.offset = offset;
        other.low = low;
        other.high = high;
        other.buffer = buffer;
        uint64_t bytes = port_ascend::bytes_of<T>(elements);
        other.elements = uint32_t(bytes / sizeof(U) * (std::is_same<U, int4b_t>::value ? 2 : 1));
        return other;
    }
    uint32_t GetSize() const { return elements; }
    uint32_t GetLength() const { return uint32_t(port_ascend::bytes_of<T>(elements)); }
    void SetSize(uint32_t size) { elements = size; }
    void SetBufferLen(uint32_t size) { elements = size; }
    int32_t GetPosition() const { return int32_t(position); }
    // A raw pointer into local memory: what goes through it is not seen, so its bytes count as written.
    T* GetPhyAddr(uint32_t index = 0) const {
        if (high > low) port_ascend::set_initialised(space, low, high - low, true);
        return reinterpret_cast<T*>(port_ascend::core->memory[space] + offset) + index;
    }
    uint64_t GetUserTag() const { return tag; }
    void SetUserTag(uint64_t value) { tag = value; }
    void SetShapeInfo(const ShapeInfo& info) { shape = info; }
    ShapeInfo GetShapeInfo() const { return shape; }
    void SetAddrWithOffset(LocalTensor& source, uint32_t index) { *this = source[index]; }
    void Print(uint32_t = 0) const {}

    // `dst = a + b` over the whole of dst: an instruction that vector.h defines.
    template <typename Expression, typename = typename Expression::PortExpression> const LocalTensor& operator=(const Expression& expression) const {
        expression.into(*this);
        return *this;
    }

    // The model's own: where the elements lie, in bytes of the memory, and the bytes of the whole buffer.
    port_ascend::Space space = port_ascend::space_ub;
    TPosition position = TPosition::VECCALC;
    uint32_t offset = 0, low = 0, high = 0, elements = 0;
    int32_t buffer = -1;
    uint64_t tag = 0;
    ShapeInfo shape;
    T* raw() const { return reinterpret_cast<T*>(port_ascend::core->memory[space] + offset); }
};

template <typename T> class GlobalTensor {
public:
    using PrimType = T;
    GlobalTensor() = default;
    void SetGlobalBuffer(T* pointer, uint64_t elements) {
        start = pointer;
        size = elements;
        limit = pointer + elements;
    }
    void SetGlobalBuffer(T* pointer) {
        start = pointer;
        size = 0;
        limit = nullptr;
    }
    T GetValue(uint64_t index, PORT_ASCEND_SITE) const {
        port_ascend::gm_scalar(start + index, sizeof(T), nullptr, "GlobalTensor::GetValue", site);
        check(index, 1, "GlobalTensor::GetValue", false);
        return start[index];
    }
    void SetValue(uint64_t index, T value, PORT_ASCEND_SITE) const {
        port_ascend::gm_scalar(start + index, sizeof(T), &value, "GlobalTensor::SetValue", site);
        check(index, 1, "GlobalTensor::SetValue", true);
        start[index] = value;
    }
    class Element {
    public:
        Element(const GlobalTensor& tensor, uint64_t index, port_ascend::Site site) : tensor(tensor), index(index), site(site) {}
        operator T() const { return tensor.GetValue(index, site); }
        Element& operator=(const T& value) { tensor.SetValue(index, value, site); return *this; }
        Element& operator=(const Element& other) { return *this = T(other); }
    private:
        const GlobalTensor& tensor;
        uint64_t index;
        port_ascend::Site site;
    };
    Element operator()(uint64_t index, PORT_ASCEND_SITE) const { return Element(*this, index, site); }
    GlobalTensor operator[](uint64_t index) const {
        GlobalTensor part = *this;
        part.start = start + index;
        part.size = size > index ? size - index : 0;
        return part;
    }
    const T* GetPhyAddr() const { return start; }
    T* GetPhyAddr(uint64_t index) const { return start + index; }
    uint64_t GetSize() const { return size; }
    void SetShapeInfo(const ShapeInfo& info) { shape = info; }
    ShapeInfo GetShapeInfo() const { return shape; }
    template <CacheRwMode mode = CacheRwMode::RW> void SetL2CacheHint(CacheMode) {}

    // The model's own.
    T* start = nullptr;
    uint64_t size = 0;
    T* limit = nullptr;
    ShapeInfo shape;
    // The length that SetGlobalBuffer was told.
    bool check(uint64_t index, uint64_t count, const char* call, bool write) const {
        if (!limit || start + index + count <= limit) return true;
        port_ascend::report("gm-tensor-out-of-bounds", call, port_ascend::core->site,
                            "%s %llu elements past the %llu that SetGlobalBuffer was told: lower the count of the last tile or correct the length",
                            write ? "writes" : "reads", (unsigned long long)(start + index + count - limit), (unsigned long long)size);
        return false;
    }
};

}  // namespace AscendC
