// Lists of tensors: a kernel's parameter that points to shapes and addresses of several tensors. In memory: the bytes of
// the header, then for each tensor its rank, its number and its sizes, at the end the addresses.
#pragma once

#include <kernel_operator.h>

namespace AscendC {

template <typename T> class TensorDesc {
public:
    void SetShapeAddr(uint64_t* address) { sizes = address; }
    uint64_t GetDim() const { return rank; }
    uint64_t GetIndex() const { return number; }
    uint64_t GetShape(uint32_t i) const { return sizes[i]; }
    T* GetDataPtr() const { return data; }
    GlobalTensor<T> GetDataObj() const {
        GlobalTensor<T> tensor;
        tensor.SetGlobalBuffer(data);
        return tensor;
    }
    uint64_t rank = 0, number = 0;
    uint64_t* sizes = nullptr;
    T* data = nullptr;
};

class ListTensorDesc {
public:
    ListTensorDesc() = default;
    explicit ListTensorDesc(void* address, uint32_t = 0xffffffff, uint32_t = 0xffffffff) { Init(address); }
    void Init(void* address, uint32_t = 0xffffffff, uint32_t = 0xffffffff) {
        start = static_cast<uint8_t*>(address);
        // The first word is the distance of the addresses.
        uint64_t distance;
        std::memcpy(&distance, start, 8);
        addresses = reinterpret_cast<uint64_t*>(start + distance);
        count = 0;
        for (uint8_t* at = start + 8; at < start + distance; at += 8 + 8 * rank_at(at)) ++count;
    }
    uint32_t GetSize() const { return count; }
    template <typename T> T* GetDataPtr(uint32_t index) const { return reinterpret_cast<T*>(addresses[index]); }
    template <typename T> void GetDesc(TensorDesc<T>& desc, uint32_t index) const {
        uint8_t* at = start + 8;
        for (uint32_t i = 0; i < index; ++i) at += 8 + 8 * rank_at(at);
        desc.rank = rank_at(at);
        desc.number = index;
        uint64_t* from = reinterpret_cast<uint64_t*>(at + 8);
        if (desc.sizes) for (uint64_t i = 0; i < desc.rank; ++i) desc.sizes[i] = from[i];
        else desc.sizes = from;
        desc.data = GetDataPtr<T>(index);
    }
private:
    static uint32_t rank_at(const uint8_t* at) {
        uint32_t rank;
        std::memcpy(&rank, at, 4);
        return rank;
    }
    uint8_t* start = nullptr;
    uint64_t* addresses = nullptr;
    uint32_t count = 0;
};

}  // namespace AscendC
