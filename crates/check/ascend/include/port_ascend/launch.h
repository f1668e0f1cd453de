// Launches: what `kernel<<<blocks, l2ctrl, stream>>>(arguments)` becomes. They run at once, to their end.
#pragma once

#include <port_ascend/core.h>
#include <tuple>

namespace port_ascend {

template <typename... P> class Launcher {
public:
    Launcher(const char* name, void (*kernel)(P...), uint32_t blocks) : name(name), kernel(kernel), blocks(blocks) {}
    // No template: arguments convert to the kernel's parameters as in a plain call.
    void operator()(P... arguments) const {
        std::tuple<void (*)(P...), P...> all(kernel, arguments...);
        run_kernel(name, reinterpret_cast<const void*>(kernel), blocks, [](void* packed) {
            auto& from = *static_cast<std::tuple<void (*)(P...), P...>*>(packed);
            std::apply([](void (*kernel)(P...), auto... values) { kernel(values...); }, from);
        }, &all);
    }
private:
    const char* name;
    void (*kernel)(P...);
    uint32_t blocks;
};

template <typename... P, typename Blocks> inline Launcher<P...> launch(const char* name, void (*kernel)(P...), Blocks blocks, const void* = nullptr, const void* = nullptr) {
    return Launcher<P...>(name, kernel, uint32_t(blocks));
}
template <typename... P, typename Blocks>
inline Launcher<P...> launch(void (*kernel)(P...), Blocks blocks, const void* = nullptr, const void* = nullptr, const char* name = nullptr) {
    return Launcher<P...>(name, kernel, uint32_t(blocks));
}

}  // namespace port_ascend

#define ACLRT_LAUNCH_KERNEL(kernel) port_ascend_launch_of<&kernel>(#kernel)
template <auto kernel> struct PortAscendLaunch;
template <typename... P, void (*kernel)(P...)> struct PortAscendLaunch<kernel> {
    const char* name;
    int operator()(uint32_t blocks, const void*, P... arguments) const {
        port_ascend::Launcher<P...>(name, kernel, blocks)(arguments...);
        return 0;
    }
};
template <auto kernel> inline PortAscendLaunch<kernel> port_ascend_launch_of(const char* name) { return {name}; }
#define ICPU_RUN_KF(kernel, blocks, ...) ::port_ascend::launch(#kernel, kernel, blocks)(__VA_ARGS__)
