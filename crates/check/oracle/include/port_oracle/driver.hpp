// What a generated driver needs: kernel arguments from a plan, converted to the kernel's parameter
// types, and the tables that src/driver.cpp runs.
#pragma once

#include <new>
#include <tuple>

#include "core.hpp"

namespace port_oracle {
namespace driver {

struct Argument {
    enum Kind { pointer, integer, real, structure } kind;
    void* address;
    long long whole;
    double fraction;
    const Argument* fields;
};

struct Launch {
    LaunchConfig config;
    const Argument* arguments;
};

struct Entry {
    const char* kernel;
    int (*run)(const Launch&);
};

struct Symbol {
    const char* name;
    void* address;
    std::size_t bytes;
};

// Whether a type is a pointer; std::is_pointer does not see through a member's __restrict__.
template <class T> struct IsPointer : std::is_pointer<T> {};
template <class T> struct IsPointer<T* __restrict__> : std::true_type {};

// Fills a parameter that is one value.
struct Plain {
    template <class T> void operator()(T& to, const Argument& from) const {
        if constexpr (IsPointer<T>::value) {
            if (from.kind != Argument::pointer) fail("argument", "a pointer needs a buffer or null");
            to = static_cast<T>(const_cast<const void*>(from.address) == nullptr
                                    ? nullptr : reinterpret_cast<T>(from.address));
        } else if (from.kind == Argument::pointer || from.kind == Argument::structure) {
            fail("argument", "a number needs a number");
        } else if constexpr (std::is_arithmetic<T>::value || std::is_enum<T>::value) {
            to = from.kind == Argument::integer ? static_cast<T>(from.whole)
                                                : static_cast<T>(from.fraction);
        } else if constexpr (std::is_constructible<T, float>::value) {
            to = T(float(from.kind == Argument::integer ? double(from.whole) : from.fraction));
        } else {
            fail("argument", "a struct needs its fields in braces");
        }
    }
};
constexpr Plain plain{};

// Room for a parameter: value-initialised where its type allows that, else zero bytes.
template <class T> struct Slot {
    alignas(T) unsigned char bytes[sizeof(T)] = {};
    Slot() {
        if constexpr (std::is_default_constructible<T>::value) new (static_cast<void*>(bytes)) T();
    }
    T& get() { return *std::launder(reinterpret_cast<T*>(bytes)); }
};

template <class... Parameters, class... Fill, std::size_t... indices>
int call_at(const Launch& launch, void (*kernel)(Parameters...), std::index_sequence<indices...>,
            const Fill&... fill) {
    std::tuple<Slot<std::remove_cv_t<std::remove_reference_t<Parameters>>>...> slots;
    (fill(std::get<indices>(slots).get(), launch.arguments[indices]), ...);
    return port_oracle::launch(launch.config, kernel, std::get<indices>(slots).get()...);
}

template <class... Parameters, class... Fill>
int call(const Launch& launch, void (*kernel)(Parameters...), const Fill&... fill) {
    static_assert(sizeof...(Parameters) == sizeof...(Fill),
                  "the spec's `args` needs one entry for each parameter of the kernel");
    if constexpr (sizeof...(Parameters) == sizeof...(Fill)) {
        return call_at(launch, kernel, std::make_index_sequence<sizeof...(Parameters)>(), fill...);
    }
    return 0;
}

}  // namespace driver
}  // namespace port_oracle

// Defined by the generated driver, ended by entries with a null name.
extern const port_oracle::driver::Entry port_oracle_entries[];
extern const port_oracle::driver::Symbol port_oracle_symbols[];
