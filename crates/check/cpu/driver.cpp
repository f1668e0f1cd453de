// The main program around a port for the processor: reads a plan, makes the buffers in plain memory,
// runs the launches, writes results. The plan's form is in ../oracle/src/driver.cpp; settings come from
// the environment, as in ../oracle/src/process.cpp.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "port_check_driver.hpp"

// Memory for a buffer that std::free takes back, where a target has to know its device's memory.
extern "C" __attribute__((weak)) void* port_check_allocate(std::size_t bytes);

namespace port_check {
namespace driver {

void fail(const char* kind, const char* format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    std::fflush(stdout);
    const char* path = std::getenv("PORT_ORACLE_REPORT");
    if (std::FILE* report = path ? std::fopen(path, "a") : nullptr) {
        std::fprintf(report, "error\t%s\t%s\n", kind, message);
        std::fclose(report);
    } else {
        std::fprintf(stderr, "%s: %s\n", kind, message);
    }
    std::_Exit(70);
}

namespace {

#include "port_check_plan.inc"

// Memory that ends where the buffer ends, so that a sanitizer sees what reads or writes past it;
// aligned as cudaMalloc aligns. A target's own is as that target gives it.
class Buffer {
public:
    explicit Buffer(std::size_t bytes) : size_(bytes) {
        if (port_check_allocate) address_ = port_check_allocate(bytes);
        else if (posix_memalign(&address_, 256, bytes) != 0) address_ = nullptr;
        if (!address_) fail("memory-limit", "no memory");
    }
    Buffer(Buffer&& other) noexcept : address_(other.address_), size_(other.size_) {
        other.address_ = nullptr;
    }
    Buffer& operator=(Buffer&&) = delete;
    ~Buffer() { std::free(address_); }
    char* data() const { return static_cast<char*>(address_); }
    std::size_t size() const { return size_; }

private:
    void* address_ = nullptr;
    std::size_t size_;
};

class Driver {
public:
    Driver(const Entry* entries, const Symbol* symbols) : entries(entries), symbols(symbols) {}

    void run(const char* path) {
        Plan plan(path);
        std::string item;
        while (plan.word(item)) {
            if (item == "data") {
                data = std::fopen(plan.need_word().c_str(), "rb");
            } else if (item == "results") {
                results = std::fopen(plan.need_word().c_str(), "wb");
            } else if (item == "buffer") {
                plan.need_word();
                buffers.emplace_back(plan.natural());
                read(plan.natural(), buffers.back().data(), buffers.back().size());
            } else if (item == "symbol") {
                const Symbol& symbol = find(plan.need_word());
                std::size_t bytes = plan.natural();
                if (bytes > symbol.bytes) fail("argument", "symbol %s is smaller", symbol.name);
                read(plan.natural(), symbol.address, bytes);
            } else if (item == "launch") {
                launch(plan);
            } else if (item == "out") {
                write(plan);
            } else {
                fail("plan", "unknown item %s", item.c_str());
            }
        }
        if (data) std::fclose(data);
        if (results && std::fclose(results) != 0) fail("plan", "cannot write the results");
        std::fflush(stdout);
    }

private:
    void read(unsigned long long offset, void* to, std::size_t bytes) {
        if (bytes == 0) return;
        if (!data || std::fseek(data, long(offset), SEEK_SET) != 0 ||
            std::fread(to, 1, bytes, data) != bytes) {
            fail("plan", "cannot read the data");
        }
    }

    const Symbol& find(const std::string& name) const {
        const Symbol* symbol = symbols;
        while (symbol->name && symbol->name != name) ++symbol;
        if (!symbol->name) fail("plan", "no symbol %s", name.c_str());
        return *symbol;
    }

    const Buffer& buffer(std::size_t index) const {
        if (index >= buffers.size()) fail("plan", "no such buffer");
        return buffers[index];
    }

    Argument argument(Plan& plan) {
        Argument argument{Argument::pointer, nullptr, 0, 0, nullptr};
        std::string kind = plan.need_word();
        if (kind == "p") {
            std::size_t index = plan.natural();
            argument.address = buffer(index).data() + plan.natural();
        } else if (kind == "i") {
            argument.kind = Argument::integer;
            argument.whole = plan.number();
        } else if (kind == "r") {
            argument.kind = Argument::real;
            unsigned long long bits = plan.natural();
            std::memcpy(&argument.fraction, &bits, sizeof bits);
        } else if (kind == "s") {
            argument.kind = Argument::structure;
            std::size_t count = plan.natural();
            auto fields = std::make_unique<std::vector<Argument>>();
            for (std::size_t i = 0; i < count; ++i) fields->push_back(this->argument(plan));
            argument.fields = fields->data();
            kept.push_back(std::move(fields));
        }
        return argument;
    }

    void launch(Plan& plan) {
        const Entry& entry = entries[plan.natural()];
        Launch launch{};
        for (unsigned& extent : launch.grid) extent = unsigned(plan.natural());
        for (unsigned& extent : launch.block) extent = unsigned(plan.natural());
        launch.shared = plan.natural();
        std::size_t count = plan.natural();
        std::vector<Argument> arguments;
        for (std::size_t i = 0; i < count; ++i) arguments.push_back(argument(plan));
        launch.arguments = arguments.data();
        if (int code = entry.run(launch)) {
            fail("invalid-launch", "the launch of %s is refused with error %d", entry.kernel, code);
        }
    }

    void write(Plan& plan) {
        std::string kind = plan.need_word();
        const void* from = nullptr;
        std::size_t bytes = 0;
        if (kind == "b") {
            const Buffer& whole = buffer(plan.natural());
            from = whole.data();
            bytes = whole.size();
        } else {
            const Symbol& symbol = find(plan.need_word());
            bytes = plan.natural();
            if (bytes > symbol.bytes) fail("argument", "symbol %s is smaller", symbol.name);
            from = symbol.address;
        }
        if (!results || (bytes > 0 && std::fwrite(from, 1, bytes, results) != bytes)) {
            fail("plan", "cannot write the results");
        }
    }

    const Entry* entries;
    const Symbol* symbols;
    std::vector<Buffer> buffers;
    std::vector<std::unique_ptr<std::vector<Argument>>> kept;
    std::FILE* data = nullptr;
    std::FILE* results = nullptr;
};

void limit(const char* variable, int resource) {
    const char* text = std::getenv(variable);
    if (!text) return;
    rlim_t value = std::strtoull(text, nullptr, 10);
    // A hard limit above the soft one: the signal then says that it was the processor time.
    rlimit limits{value, resource == RLIMIT_CPU ? value + 1 : value};
    setrlimit(decltype(RLIMIT_CPU)(resource), &limits);
}

}  // namespace

int main(int argc, char** argv, const Entry* entries, const Symbol* symbols) {
    if (argc != 2) fail("plan", "usage: driver PLAN");
#ifndef PORT_CHECK_SANITIZED   // whose shadow memory takes terabytes of address space
    limit("PORT_ORACLE_BYTES", RLIMIT_AS);
#endif
    limit("PORT_ORACLE_SECONDS", RLIMIT_CPU);
    rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    Driver(entries, symbols).run(argv[1]);
    return 0;
}

}  // namespace driver
}  // namespace port_check
