// The definition of an operator and the tiling of its host side: enough to compile such files and to run their tiling
// functions on shapes that a program gives.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <register/tilingdata_base.h>
#include <string>
#include <tiling/platform/platform_ascendc.h>
#include <vector>

namespace ge {

typedef uint32_t graphStatus;
constexpr graphStatus GRAPH_SUCCESS = 0, GRAPH_FAILED = 0xFFFFFFFF;
enum DataType {
    DT_FLOAT = 0, DT_FLOAT16 = 1, DT_INT8 = 2, DT_INT32 = 3, DT_UINT8 = 4, DT_INT16 = 6, DT_UINT16 = 7, DT_UINT32 = 8, DT_INT64 = 9, DT_UINT64 = 10, DT_DOUBLE = 11,
    DT_BOOL = 12, DT_STRING = 13, DT_COMPLEX64 = 16, DT_COMPLEX128 = 17, DT_BF16 = 27, DT_UNDEFINED = 28, DT_INT4 = 29
};
enum Format { FORMAT_NCHW = 0, FORMAT_NHWC = 1, FORMAT_ND = 2, FORMAT_NC1HWC0 = 3, FORMAT_FRACTAL_Z = 4, FORMAT_FRACTAL_NZ = 29, FORMAT_RESERVED = 255 };
inline int32_t GetSizeByDataType(DataType type) {
    switch (type) {
        case DT_INT8: case DT_UINT8: case DT_BOOL: return 1;
        case DT_FLOAT16: case DT_BF16: case DT_INT16: case DT_UINT16: return 2;
        case DT_INT64: case DT_UINT64: case DT_DOUBLE: case DT_COMPLEX64: return 8;
        case DT_COMPLEX128: return 16;
        case DT_FLOAT: case DT_INT32: case DT_UINT32: return 4;
        default: return -1;
    }
}

}  // namespace ge

namespace gert {

class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<int64_t> sizes) : sizes(sizes) {}
    size_t GetDimNum() const { return sizes.size(); }
    void SetDimNum(size_t count) { sizes.resize(count); }
    int64_t GetDim(size_t i) const { return i < sizes.size() ? sizes[i] : 0; }
    void SetDim(size_t i, int64_t size) { if (i < sizes.size()) sizes[i] = size; }
    void AppendDim(int64_t size) { sizes.push_back(size); }
    int64_t operator[](size_t i) const { return GetDim(i); }
    int64_t GetShapeSize() const {
        int64_t all = 1;
        for (int64_t size : sizes) all *= size;
        return all;
    }
    bool IsScalar() const { return sizes.empty(); }
    bool operator==(const Shape& other) const { return sizes == other.sizes; }
    bool operator!=(const Shape& other) const { return sizes != other.sizes; }
private:
    std::vector<int64_t> sizes;
};
class StorageShape {
public:
    StorageShape() = default;
    StorageShape(std::initializer_list<int64_t> origin, std::initializer_list<int64_t> storage) : origin(origin), storage(storage) {}
    const Shape& GetOriginShape() const { return origin; }
    const Shape& GetStorageShape() const { return storage; }
    Shape& MutableOriginShape() { return origin; }
    Shape& MutableStorageShape() { return storage; }
private:
    Shape origin, storage;
};
class CompileTimeTensorDesc {
public:
    ge::DataType GetDataType() const { return type; }
    ge::Format GetStorageFormat() const { return ge::FORMAT_ND; }
    ge::Format GetOriginFormat() const { return ge::FORMAT_ND; }
    ge::DataType type = ge::DT_FLOAT;
};
class TilingData {
public:
    explicit TilingData(size_t capacity = 8192) : bytes(capacity) {}
    void* GetData() { return bytes.data(); }
    const void* GetData() const { return bytes.data(); }
    size_t GetCapacity() const { return bytes.size(); }
    size_t GetDataSize() const { return size; }
    void SetDataSize(size_t value) { size = value; }
private:
    std::vector<uint8_t> bytes;
    size_t size = 0;
};
// An operator's attributes by number, each as the type that it was given with.
class RuntimeAttrs {
public:
    template <typename T> const T* GetAttrPointer(size_t i) const {
        return i < values.size() && values[i].size() >= sizeof(T) ? reinterpret_cast<const T*>(values[i].data()) : nullptr;
    }
    const int64_t* GetInt(size_t i) const { return GetAttrPointer<int64_t>(i); }
    const float* GetFloat(size_t i) const { return GetAttrPointer<float>(i); }
    const bool* GetBool(size_t i) const { return GetAttrPointer<bool>(i); }
    const char* GetStr(size_t i) const { return GetAttrPointer<char>(i); }
    size_t GetAttrNum() const { return values.size(); }
    template <typename T> void add(const T& value) {
        const uint8_t* from = reinterpret_cast<const uint8_t*>(&value);
        values.emplace_back(from, from + sizeof(T));
    }
private:
    std::vector<std::vector<uint8_t>> values;
};
// What a program fills in before it calls a tiling function, and reads afterwards.
class TilingContext {
public:
    const StorageShape* GetInputShape(size_t i) const { return i < inputs.size() ? &inputs[i] : nullptr; }
    const StorageShape* GetOptionalInputShape(size_t i) const { return GetInputShape(i); }
    const StorageShape* GetRequiredInputShape(size_t i) const { return GetInputShape(i); }
    const StorageShape* GetOutputShape(size_t i) const { return i < outputs.size() ? &outputs[i] : nullptr; }
    const CompileTimeTensorDesc* GetInputDesc(size_t i) const { return i < input_types.size() ? &input_types[i] : nullptr; }
    const CompileTimeTensorDesc* GetOptionalInputDesc(size_t i) const { return GetInputDesc(i); }
    const CompileTimeTensorDesc* GetRequiredInputDesc(size_t i) const { return GetInputDesc(i); }
    const CompileTimeTensorDesc* GetOutputDesc(size_t i) const { return i < output_types.size() ? &output_types[i] : nullptr; }
    const RuntimeAttrs* GetAttrs() const { return &attributes; }
    TilingData* GetRawTilingData() { return &data; }
    template <typename T> T* GetTilingData() {
        data.SetDataSize(sizeof(T));
        return reinterpret_cast<T*>(data.GetData());
    }
    size_t* GetWorkspaceSizes(size_t count) {
        workspaces.resize(count);
        return workspaces.data();
    }
    ge::graphStatus SetBlockDim(uint32_t value) { block_dim = value; return ge::GRAPH_SUCCESS; }
    ge::graphStatus SetNumBlocks(uint32_t value) { return SetBlockDim(value); }
    uint32_t GetBlockDim() const { return block_dim; }
    ge::graphStatus SetTilingKey(uint64_t value) { tiling_key = value; return ge::GRAPH_SUCCESS; }
    uint64_t GetTilingKey() const { return tiling_key; }
    ge::graphStatus SetScheduleMode(uint32_t) { return ge::GRAPH_SUCCESS; }
    ge::graphStatus SetLocalMemorySize(uint32_t) { return ge::GRAPH_SUCCESS; }
    fe::PlatFormInfos* GetPlatformInfo() const { return nullptr; }
    template <typename T> const T* GetCompileInfo() const { return nullptr; }
    const char* GetNodeName() const { return "node"; }
    const char* GetNodeType() const { return "node"; }

    std::vector<StorageShape> inputs, outputs;
    std::vector<CompileTimeTensorDesc> input_types, output_types;
    RuntimeAttrs attributes;
    TilingData data;
    std::vector<size_t> workspaces;
    uint32_t block_dim = 0;
    uint64_t tiling_key = 0;
};
class InferShapeContext {
public:
    const Shape* GetInputShape(size_t i) const { return i < inputs.size() ? &inputs[i] : nullptr; }
    Shape* GetOutputShape(size_t i) {
        if (i >= outputs.size()) outputs.resize(i + 1);
        return &outputs[i];
    }
    const RuntimeAttrs* GetAttrs() const { return &attributes; }
    std::vector<Shape> inputs, outputs;
    RuntimeAttrs attributes;
};
class InferDataTypeContext {
public:
    ge::DataType GetInputDataType(size_t i) const { return i < inputs.size() ? inputs[i] : ge::DT_UNDEFINED; }
    ge::graphStatus SetOutputDataType(size_t i, ge::DataType type) {
        if (i >= outputs.size()) outputs.resize(i + 1);
        outputs[i] = type;
        return ge::GRAPH_SUCCESS;
    }
    std::vector<ge::DataType> inputs, outputs;
};
class TilingParseContext {};

}  // namespace gert

namespace ops {

enum Option { IGNORE = 0, OPTIONAL = 1, REQUIRED = 2, DYNAMIC = 3, VIRTUAL = 4 };
enum class DependScope { ALL = 0, TILING };

class OpParamDef {
public:
    OpParamDef& ParamType(Option) { return *this; }
    OpParamDef& DataType(std::vector<ge::DataType> types) { this->types = std::move(types); return *this; }
    OpParamDef& DataTypeList(std::vector<ge::DataType>) { return *this; }
    OpParamDef& Format(std::vector<ge::Format>) { return *this; }
    OpParamDef& FormatList(std::vector<ge::Format>) { return *this; }
    OpParamDef& UnknownShapeFormat(std::vector<ge::Format>) { return *this; }
    OpParamDef& ValueDepend(Option) { return *this; }
    OpParamDef& ValueDepend(Option, DependScope) { return *this; }
    OpParamDef& AutoContiguous() { return *this; }
    OpParamDef& IgnoreContiguous() { return *this; }
    OpParamDef& Scalar() { return *this; }
    OpParamDef& ScalarList() { return *this; }
    OpParamDef& InitValue(uint64_t) { return *this; }
    OpParamDef& Follow(const char*) { return *this; }
    std::vector<ge::DataType> types;
};
class OpAttrDef {
public:
    OpAttrDef& AttrType(Option) { return *this; }
    OpAttrDef& Bool(bool = false) { return *this; }
    OpAttrDef& Float(float = 0) { return *this; }
    OpAttrDef& Int(int64_t = 0) { return *this; }
    OpAttrDef& String(const char* = "") { return *this; }
    OpAttrDef& ListBool(std::vector<bool> = {}) { return *this; }
    OpAttrDef& ListFloat(std::vector<float> = {}) { return *this; }
    OpAttrDef& ListInt(std::vector<int64_t> = {}) { return *this; }
    OpAttrDef& ListListInt(std::vector<std::vector<int64_t>> = {}) { return *this; }
};
class OpAICoreConfig {
public:
    OpAICoreConfig() = default;
    explicit OpAICoreConfig(const char*) {}
    OpParamDef& Input(const char* name) { return inputs[name]; }
    OpParamDef& Output(const char* name) { return outputs[name]; }
    OpAICoreConfig& DynamicCompileStaticFlag(bool) { return *this; }
    OpAICoreConfig& DynamicFormatFlag(bool) { return *this; }
    OpAICoreConfig& DynamicRankSupportFlag(bool) { return *this; }
    OpAICoreConfig& DynamicShapeSupportFlag(bool) { return *this; }
    OpAICoreConfig& NeedCheckSupportFlag(bool) { return *this; }
    OpAICoreConfig& PrecisionReduceFlag(bool) { return *this; }
    OpAICoreConfig& ExtendCfgInfo(const char*, const char*) { return *this; }
private:
    std::map<std::string, OpParamDef> inputs, outputs;
};
class OpAICoreDef {
public:
    typedef ge::graphStatus (*TilingFunction)(gert::TilingContext*);
    OpAICoreDef& SetTiling(TilingFunction function) { tiling = function; return *this; }
    template <typename F> OpAICoreDef& SetCheckSupport(F) { return *this; }
    OpAICoreDef& AddConfig(const char*) { return *this; }
    OpAICoreDef& AddConfig(const char*, OpAICoreConfig&) { return *this; }
    TilingFunction tiling = nullptr;
};
class OpDef {
public:
    explicit OpDef(const char* name) : name(name) {}
    OpParamDef& Input(const char* name) { return inputs[name]; }
    OpParamDef& Output(const char* name) { return outputs[name]; }
    OpAttrDef& Attr(const char* name) { return attributes[name]; }
    OpDef& SetInferShape(ge::graphStatus (*function)(gert::InferShapeContext*)) { infer_shape = function; return *this; }
    OpDef& SetInferDataType(ge::graphStatus (*function)(gert::InferDataTypeContext*)) { infer_type = function; return *this; }
    OpAICoreDef& AICore() { return core; }
    OpDef& Comment(const char*) { return *this; }

    std::string name;
    std::map<std::string, OpParamDef> inputs, outputs;
    std::map<std::string, OpAttrDef> attributes;
    ge::graphStatus (*infer_shape)(gert::InferShapeContext*) = nullptr;
    ge::graphStatus (*infer_type)(gert::InferDataTypeContext*) = nullptr;
    OpAICoreDef core;
};
// The operators of a program, by name.
inline std::map<std::string, OpDef*>& port_operators() {
    static std::map<std::string, OpDef*> all;
    return all;
}
template <typename Operator> struct PortRegister {
    explicit PortRegister(const char* name) { port_operators()[name] = new Operator(name); }
};

}  // namespace ops

#define OP_ADD(Type, ...) static ::ops::PortRegister<Type> port_register_##Type(#Type)
