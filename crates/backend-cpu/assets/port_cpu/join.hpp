// Launches and kernels. `k<<<g, b>>>(x)` is `(port_cpu::configure(g, b), k(x))` here: the kernel is
// called once by the host, which its first statement notices:
//
//     PORT_CPU_KERNEL((x, n), k<T>);
//
// runs the whole grid, by the kernel's compiled form if there is one, else by its own text: then `k<T>`
// is called once for each thread, in which PORT_CPU_KERNEL does nothing.

#define PORT_CPU_KERNEL(arguments, ...)                                                            \
    if (port_cpu::bind arguments.enter(__func__, __VA_ARGS__)) return
// The same for a kernel whose instances the text below cannot name: they are told apart by a name and
// by their template arguments.
#define PORT_CPU_UNPACK(...) __VA_ARGS__
#define PORT_CPU_NAMED_KERNEL(name, types, arguments, ...)                                         \
    if (port_cpu::bind arguments.enter(__func__, __VA_ARGS__, name,                                \
                                       &typeid(port_cpu::TypesOf<PORT_CPU_UNPACK types>)))         \
    return
// The same where the text is left out, as the compiled form is there.
#define PORT_CPU_COMPILED(arguments, ...) port_cpu::bind arguments.run_compiled(__func__, __VA_ARGS__)

struct cudaPortStream;

namespace port_cpu {

using port_fibers::fail;
using port_fibers::in_kernel;
using port_fibers::LaunchConfig;
using port_fibers::pending_count;

// A kernel's compiled form: `arguments[i]` points to the value of parameter i.
using Compiled = void (*)(const Launch& launch, void* const* arguments);
using Erased = void (*)();

// Template arguments as one type. A closure, which has no name, is told by its number.
template <auto value> struct Value {};
template <int number> struct ClosureTag {};
template <int number, class Lambda> struct Closure : Lambda {
    constexpr explicit Closure(Lambda&& lambda) : Lambda(static_cast<Lambda&&>(lambda)) {}
};
template <int number, class Lambda> constexpr Closure<number, Lambda> closure(Lambda lambda) {
    return Closure<number, Lambda>(static_cast<Lambda&&>(lambda));
}
template <class T> struct Canonical { using type = T; };
template <int number, class Lambda> struct Canonical<Closure<number, Lambda>> {
    using type = ClosureTag<number>;
};
template <class... T> struct Types {};
template <class... T> using TypesOf = Types<typename Canonical<T>::type...>;

struct Form {
    Erased kernel;                  // null where name and types tell
    const char* name;
    const std::type_info* types;
    const std::size_t* sizes;       // of the parameters, ended by 0
    Compiled compiled;
    const Form* next;
};
inline const Form* forms = nullptr;

// The sizes of a kernel's parameters as its compiled form reads them.
template <std::size_t... sizes> struct Layout {
    static constexpr std::size_t list[] = {sizes..., 0};
};

// Registers the compiled form of a kernel's instance while the program starts.
class Register {
public:
    template <class... Parameters, std::size_t... sizes>
    Register(void (*kernel)(Parameters...), Compiled compiled, Layout<sizes...>)
        : form{reinterpret_cast<Erased>(kernel), nullptr, nullptr, nullptr, compiled, forms} {
        static_assert(sizeof...(Parameters) == sizeof...(sizes), "the form has other parameters");
        static_assert(((sizeof(Parameters) == sizes) && ...), "a parameter has another size");
        forms = &form;
    }
    template <std::size_t... sizes>
    Register(const char* name, const std::type_info& types, Compiled compiled, Layout<sizes...>)
        : form{nullptr, name, &types, Layout<sizes...>::list, compiled, forms} {
        forms = &form;
    }
    Register(const Register&) = delete;
    Register& operator=(const Register&) = delete;

private:
    Form form;
};

PORT_CPU_ONCE Compiled find_compiled(Erased kernel) {
    for (const Form* form = forms; form; form = form->next) {
        if (form->kernel == kernel) return form->compiled;
    }
    return nullptr;
}
template <class... Parameters>
inline Compiled find_compiled(const char* name, const std::type_info& types) {
    const std::size_t sizes[] = {sizeof(Parameters)..., 0};
    for (const Form* form = forms; form; form = form->next) {
        if (!form->name || std::strcmp(form->name, name) != 0 || *form->types != types) continue;
        // A closure of this compiler may hold something else: then the kernel's own text runs.
        bool same = true;
        for (std::size_t i = 0; same && i <= sizeof...(Parameters); ++i) {
            same = form->sizes[i] == sizes[i];
        }
        return same ? form->compiled : nullptr;
    }
    return nullptr;
}

constexpr unsigned pending_limit = 16;
inline thread_local LaunchConfig pending[pending_limit];

PORT_CPU_ONCE void configure(const LaunchConfig& config) {
    if (pending_count == pending_limit) port_fibers::fail_text("launch", "launches within launches are too deep");
    pending[pending_count++] = config;
}
PORT_CPU_ONCE void configure(dim3 grid, dim3 block, std::size_t shared = 0, cudaPortStream* = nullptr) {
    configure(LaunchConfig{grid, block, shared, "", false});
}

PORT_CPU_ONCE Launch make_launch(const LaunchConfig& config) {
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

// Launches by kernels, in order.
struct Deferred {
    Deferred* next = nullptr;
    virtual void run() = 0;
    virtual ~Deferred() = default;
};
struct DeferredList {
    std::mutex mutex;
    Deferred* first = nullptr;
    Deferred* last = nullptr;
    bool running = false;
};
inline DeferredList& deferred() {
    static auto* list = new DeferredList;
    return *list;
}
PORT_CPU_ONCE void add_deferred(Deferred* call) {
    DeferredList& list = deferred();
    std::lock_guard<std::mutex> lock(list.mutex);
    (list.first ? list.last->next : list.first) = call;
    list.last = call;
}
PORT_CPU_ONCE void run_deferred() {
    DeferredList& list = deferred();
    {
        std::lock_guard<std::mutex> lock(list.mutex);
        if (list.running || !list.first) return;
        list.running = true;
    }
    for (;;) {
        Deferred* call = nullptr;
        {
            std::lock_guard<std::mutex> lock(list.mutex);
            call = list.first;
            if (call) list.first = call->next;
            list.running = call != nullptr;
        }
        if (!call) return;
        call->run();
        delete call;
    }
}

// What a stream's capture holds back: launches and copies in their order, for each launch of the graph.
struct Graph {
    std::vector<std::shared_ptr<Deferred>> calls;
};
inline Graph*& capturing() {
    static Graph* graph = nullptr;
    return graph;
}
template <class Body> inline bool captures(Body body) {
    if (!capturing()) return false;
    struct Call final : Deferred {
        Body body;
        explicit Call(const Body& body) : body(body) {}
        void run() override { body(); }
    };
    capturing()->calls.push_back(std::make_shared<Call>(body));
    return true;
}
#define PORT_CPU_CAPTURED(call) \
    if (port_cpu::captures([=]() mutable { (void)(call); })) return cudaSuccess;

template <class... Parameters>
class Arguments {
public:
    explicit Arguments(Parameters&... parameters)
        : pointers{(void*)std::addressof(parameters)..., nullptr} {}

    // Whether the host called, so that the grid has run. `kernel` is the function that calls this.
    bool enter(const char* name, void (*kernel)(typename Plain<Parameters>::type...),
               const char* id = nullptr, const std::type_info* types = nullptr) const {
        if (in_kernel()) {
            if (pending_count == port_fibers::this_worker->pending_outside) return false;
            defer(name, kernel, std::index_sequence_for<Parameters...>());
            return true;
        }
        if (capture(name, kernel)) return true;
        LaunchConfig config;
        if (!begin(name, config)) return true;
        Compiled compiled = id ? find_compiled<Parameters...>(id, *types)
                               : find_compiled(reinterpret_cast<Erased>(kernel));
        if (compiled) {
            compiled(make_launch(config), pointers);
        } else {
            run(config, kernel, std::index_sequence_for<Parameters...>());
        }
        run_deferred();
        return true;
    }
    void run_compiled(const char* name, void (*kernel)(typename Plain<Parameters>::type...)) const {
        if (in_kernel()) return defer(name, kernel, std::index_sequence_for<Parameters...>());
        if (capture(name, kernel)) return;
        LaunchConfig config;
        if (!begin(name, config)) return;
        Compiled compiled = find_compiled(reinterpret_cast<Erased>(kernel));
        if (!compiled) fail("launch", "%s is launched before its compiled form is known", name);
        compiled(make_launch(config), pointers);
    }

private:
    // Takes the pending configuration; whether a GPU would accept it.
    static bool begin(const char* name, LaunchConfig& config) {
        if (pending_count == 0) {
            fail("launch", "%s is called without a launch configuration", name);
        }
        config = pending[--pending_count];
        config.kernel = name;
        const int error = port_fibers::check_configuration(config);
        port_fibers::set_last_error(error);
        return error == 0;
    }

    // A kernel launches this one: it runs when the grid that launches it is done.
    template <std::size_t... indices>
    void defer(const char* name, void (*kernel)(typename Plain<Parameters>::type...),
               std::index_sequence<indices...> order) const {
        add_deferred(later(name, kernel, port_fibers::this_worker->pending_outside, order));
    }

    // Whether a graph takes the launch.
    bool capture(const char* name, void (*kernel)(typename Plain<Parameters>::type...)) const {
        if (!capturing()) return false;
        auto* call = later(name, kernel, 0, std::index_sequence_for<Parameters...>());
        capturing()->calls.push_back(std::shared_ptr<Deferred>(call));
        return true;
    }

    // The launch with the pending configuration and copies of the arguments.
    template <std::size_t... indices>
    Deferred* later(const char* name, void (*kernel)(typename Plain<Parameters>::type...),
                    unsigned outside, std::index_sequence<indices...>) const {
        if (pending_count == outside) fail("launch", "%s is called without a configuration", name);
        struct Call final : Deferred {
            void (*kernel)(typename Plain<Parameters>::type...);
            std::tuple<typename Plain<Parameters>::type...> values;
            LaunchConfig config;
            Call(void (*kernel)(typename Plain<Parameters>::type...), const LaunchConfig& config,
                 const typename Plain<Parameters>::type&... values)
                : kernel(kernel), values(values...), config(config) {}
            void run() override {
                configure(config);
                kernel(std::get<indices>(values)...);
            }
        };
        return new Call(
            kernel, pending[--pending_count],
            *static_cast<const typename Plain<Parameters>::type*>(pointers[indices])...);
    }

    // Every thread gets its own copy of the arguments, as kernels may change their parameters.
    template <std::size_t... indices>
    void run(const LaunchConfig& config, void (*kernel)(typename Plain<Parameters>::type...),
             std::index_sequence<indices...>) const {
        auto body = [&] {
            kernel(*static_cast<const typename Plain<Parameters>::type*>(pointers[indices])...);
        };
        port_fibers::run_blocks(port_fibers::Grid{&config, [](void* of) { (*static_cast<decltype(body)*>(of))(); }, &body});
    }

    void* pointers[sizeof...(Parameters) + 1];
};

template <class... Parameters>
inline Arguments<Parameters...> bind(Parameters&... parameters) {
    return Arguments<Parameters...>(parameters...);
}

// Where the text could not be translated.
[[noreturn]] inline void untranslated(const char* message) { port_fibers::fail_text("untranslated", message); }

}  // namespace port_cpu

namespace port_fibers {

inline LaunchConfig cooperative(LaunchConfig config) {
    config.cooperative = true;
    return config;
}

template <class... Parameters, class... Values>
inline int launch(const LaunchConfig& config, void (*kernel)(Parameters...), Values&&... values) {
    port_cpu::configure(config);
    kernel(static_cast<Values&&>(values)...);
    return port_fibers::peek_last_error();
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
using Unpack = int (*)(const LaunchConfig&, port_cpu::Erased, void**);
struct Pointers {
    std::mutex mutex;
    std::map<const void*, std::pair<port_cpu::Erased, Unpack>> known;
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
    all.known[address] = {reinterpret_cast<port_cpu::Erased>(kernel),
                          [](const LaunchConfig& config, port_cpu::Erased erased, void** arguments) {
                              auto* typed = reinterpret_cast<void (*)(Parameters...)>(erased);
                              return launch_packed(config, typed, arguments);
                          }};
    return address;
}
inline int launch_untyped(const LaunchConfig& config, const void* kernel, void** arguments) {
    std::pair<port_cpu::Erased, Unpack> known{};
    {
        Pointers& all = pointers();
        std::lock_guard<std::mutex> lock(all.mutex);
        auto found = all.known.find(kernel);
        if (found == all.known.end()) {
            port_fibers::fail_text("launch", "a kernel pointer without its type, which does not say how to pass "
                                "the arguments");
        }
        known = found->second;
    }
    return known.second(config, known.first, arguments);
}

}  // namespace port_fibers

namespace port_cpu {
using port_fibers::kernel_pointer;
}
