// Launches and kernels. `k<<<g, b>>>(x)` is `(port_cpu::configure(g, b), k(x))` here: the kernel is
// called once by the host, which its first statement notices:
//
//     PORT_CPU_KERNEL((x, n), k<T>);
//
// runs the whole grid, by the kernel's compiled form if there is one, else by its own text: then `k<T>`
// is called once for each thread, in which PORT_CPU_KERNEL does nothing.

#define PORT_CPU_KERNEL(arguments, ...)                                                            \
    if (port_cpu::bind arguments.enter(__func__, __VA_ARGS__)) return

namespace port_cpu {

// A kernel's compiled form: `arguments[i]` points to the value of parameter i.
using Compiled = void (*)(const Launch& launch, void* const* arguments);
using Erased = void (*)();

struct Form {
    Erased kernel;
    Compiled compiled;
    const Form* next;
};
inline const Form* forms = nullptr;

// Registers the compiled form of a kernel's instance while the program starts.
class Register {
public:
    template <class... Parameters>
    Register(void (*kernel)(Parameters...), Compiled compiled)
        : form{reinterpret_cast<Erased>(kernel), compiled, forms} {
        forms = &form;
    }
    Register(const Register&) = delete;
    Register& operator=(const Register&) = delete;

private:
    Form form;
};

inline Compiled find_compiled(Erased kernel) {
    for (const Form* form = forms; form; form = form->next) {
        if (form->kernel == kernel) return form->compiled;
    }
    return nullptr;
}

// Configurations whose kernel was not called yet; the arguments of one launch may launch another.
constexpr unsigned pending_limit = 16;
inline thread_local LaunchConfig pending[pending_limit];
inline thread_local unsigned pending_count = 0;

inline void configure(const LaunchConfig& config) {
    if (pending_count == pending_limit) fail_text("launch", "launches within launches are too deep");
    pending[pending_count++] = config;
}
template <class Stream = std::nullptr_t>
inline void configure(dim3 grid, dim3 block, std::size_t shared = 0, Stream = nullptr) {
    configure(LaunchConfig{grid, block, shared, "", false});
}

inline Launch make_launch(const LaunchConfig& config) {
    Launch launch{};
    const dim3 &grid = config.grid, &block = config.block;
    const std::uint32_t sizes[] = {grid.x, grid.y, grid.z, block.x, block.y, block.z};
    for (int i = 0; i < 3; ++i) {
        launch.grid[i] = sizes[i];
        launch.block[i] = sizes[3 + i];
    }
    launch.shared_bytes = std::uint32_t(config.shared);
    return launch;
}

// A parameter's type as it is part of the kernel's.
template <class T> struct Plain { using type = T; };
template <class T> struct Plain<const T> : Plain<T> {};
template <class T> struct Plain<volatile T> : Plain<T> {};
template <class T> struct Plain<const volatile T> : Plain<T> {};
template <class T> struct Plain<T* __restrict__> { using type = T*; };
template <class T> struct Plain<T* const __restrict__> { using type = T*; };

template <class... Parameters>
class Arguments {
public:
    explicit Arguments(Parameters&... parameters)
        : pointers{(void*)std::addressof(parameters)..., nullptr} {}

    // Whether the host called, so that the grid has run. `kernel` is the function that calls this.
    bool enter(const char* name, void (*kernel)(typename Plain<Parameters>::type...)) const {
        if (pending_count == 0) {
            if (in_kernel()) return false;
            fail("launch", "%s is called without a launch configuration", name);
        }
        LaunchConfig config = pending[--pending_count];
        config.kernel = name;
        if (in_kernel()) fail("unsupported", "a kernel launches %s (dynamic parallelism)", name);
        const int error = check_configuration(config);
        set_last_error(error);
        if (error != 0) return true;
        if (Compiled compiled = find_compiled(reinterpret_cast<Erased>(kernel))) {
            compiled(make_launch(config), pointers);
        } else {
            run(config, kernel, std::index_sequence_for<Parameters...>());
        }
        return true;
    }

private:
    // Every thread gets its own copy of the arguments, as kernels may change their parameters.
    template <std::size_t... indices>
    void run(const LaunchConfig& config, void (*kernel)(typename Plain<Parameters>::type...),
             std::index_sequence<indices...>) const {
        auto body = [&] {
            kernel(*static_cast<const typename Plain<Parameters>::type*>(pointers[indices])...);
        };
        run_blocks(Grid{&config, [](void* of) { (*static_cast<decltype(body)*>(of))(); }, &body});
    }

    void* pointers[sizeof...(Parameters) + 1];
};

template <class... Parameters>
inline Arguments<Parameters...> bind(Parameters&... parameters) {
    return Arguments<Parameters...>(parameters...);
}

inline LaunchConfig cooperative(LaunchConfig config) {
    config.cooperative = true;
    return config;
}

template <class... Parameters, class... Values>
inline int launch(const LaunchConfig& config, void (*kernel)(Parameters...), Values&&... values) {
    configure(config);
    kernel(static_cast<Values&&>(values)...);
    return peek_last_error();
}

// A launch whose arguments lie behind pointers, one for each parameter.
template <class... Parameters, std::size_t... indices>
inline int launch_packed_at(const LaunchConfig& config, void (*kernel)(Parameters...),
                            void** arguments, std::index_sequence<indices...>) {
    (void)arguments;
    return launch(config, kernel, *static_cast<std::remove_reference_t<Parameters>*>(
                                      arguments[indices])...);
}
template <class... Parameters>
inline int launch_packed(const LaunchConfig& config, void (*kernel)(Parameters...),
                         void** arguments) {
    return launch_packed_at(config, kernel, arguments,
                            std::make_index_sequence<sizeof...(Parameters)>());
}

// Kernels whose address loses its type: how to launch each.
using Unpack = int (*)(const LaunchConfig&, Erased, void**);
struct Pointers {
    std::mutex mutex;
    std::map<const void*, std::pair<Erased, Unpack>> known;
};
inline Pointers& pointers() {
    static auto* all = new Pointers;
    return *all;
}
template <class... Parameters>
inline void* kernel_pointer(void (*kernel)(Parameters...)) {
    Pointers& all = pointers();
    std::lock_guard<std::mutex> lock(all.mutex);
    auto* address = reinterpret_cast<void*>(kernel);
    all.known[address] = {reinterpret_cast<Erased>(kernel),
                          [](const LaunchConfig& config, Erased erased, void** arguments) {
                              auto* typed = reinterpret_cast<void (*)(Parameters...)>(erased);
                              return launch_packed(config, typed, arguments);
                          }};
    return address;
}
inline int launch_untyped(const LaunchConfig& config, const void* kernel, void** arguments) {
    std::pair<Erased, Unpack> known{};
    {
        Pointers& all = pointers();
        std::lock_guard<std::mutex> lock(all.mutex);
        auto found = all.known.find(kernel);
        if (found == all.known.end()) {
            fail_text("launch", "a kernel pointer without its type, which does not say how to pass "
                                "the arguments");
        }
        known = found->second;
    }
    return known.second(config, known.first, arguments);
}

}  // namespace port_cpu
