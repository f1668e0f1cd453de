// The main program of a driver: reads a plan, makes the buffers, runs the launches, writes results.
//
// A plan is text, one item a line, numbers in decimal:
//   data PATH                          the buffers' and symbols' contents, one after the other
//   results PATH                       where results go, in the order of the `out` lines
//   buffer NAME BYTES OFFSET           OFFSET into the data
//   symbol NAME BYTES OFFSET
//   launch ENTRY GX GY GZ BX BY BZ SHARED ARGUMENTS
//     p BUFFER BYTE | n | i VALUE | r BITS-OF-F64 | s FIELDS      one line for each argument; the
//                                                                fields of an `s` follow it
//   out b BUFFER | out s SYMBOL        write its final contents

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <port_oracle/driver.hpp>

namespace {

using port_oracle::fail;
using port_oracle::driver::Argument;

struct Buffer {
    char* address;
    std::size_t bytes;
};

#include <port_oracle/plan.inc>

// The fields of nested arguments live as long as the program.
std::vector<std::unique_ptr<std::vector<Argument>>> kept;

Argument read_argument(Plan& plan, const std::vector<Buffer>& buffers) {
    Argument argument{Argument::pointer, nullptr, 0, 0, nullptr};
    std::string kind = plan.need_word();
    if (kind == "p") {
        std::size_t index = plan.natural(), offset = plan.natural();
        if (index >= buffers.size()) fail("plan", "no such buffer");
        argument.address = buffers[index].address + offset;
    } else if (kind == "i") {
        argument.kind = Argument::integer;
        argument.whole = plan.number();
    } else if (kind == "r") {
        argument.kind = Argument::real;
        argument.fraction = port_oracle::bit_cast<double>(plan.natural());
    } else if (kind == "s") {
        argument.kind = Argument::structure;
        std::size_t count = plan.natural();
        auto fields = std::make_unique<std::vector<Argument>>();
        for (std::size_t i = 0; i < count; ++i) fields->push_back(read_argument(plan, buffers));
        argument.fields = fields->data();
        kept.push_back(std::move(fields));
    }
    return argument;
}

void read_data(std::FILE* data, unsigned long long offset, void* to, std::size_t bytes) {
    if (bytes == 0) return;
    if (!data || std::fseek(data, long(offset), SEEK_SET) != 0 ||
        std::fread(to, 1, bytes, data) != bytes) {
        fail("plan", "cannot read the data");
    }
}

const port_oracle::driver::Symbol& find_symbol(const std::string& name) {
    const auto* symbol = port_oracle_symbols;
    while (symbol->name && symbol->name != name) ++symbol;
    if (!symbol->name) fail("plan", "no symbol %s", name.c_str());
    return *symbol;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) fail("plan", "usage: driver PLAN");
    Plan plan(argv[1]);
    std::vector<Buffer> buffers;
    std::FILE* data = nullptr;
    std::FILE* results = nullptr;
    std::string item;
    while (plan.word(item)) {
        if (item == "data") {
            data = std::fopen(plan.need_word().c_str(), "rb");
        } else if (item == "results") {
            results = std::fopen(plan.need_word().c_str(), "wb");
        } else if (item == "buffer") {
            std::string name = plan.need_word();
            std::size_t bytes = plan.natural();
            auto* address = static_cast<char*>(port_oracle::allocate(bytes, name.c_str()));
            if (!address) fail("memory-limit", "no memory for buffer %s", name.c_str());
            read_data(data, plan.natural(), address, bytes);
            buffers.push_back(Buffer{address, bytes});
        } else if (item == "symbol") {
            const auto& symbol = find_symbol(plan.need_word());
            std::size_t bytes = plan.natural();
            if (bytes > symbol.bytes) {
                fail("argument", "symbol %s has %zu bytes, the spec gives %zu", symbol.name,
                     symbol.bytes, bytes);
            }
            read_data(data, plan.natural(), symbol.address, bytes);
        } else if (item == "launch") {
            std::size_t index = plan.natural();
            const auto& entry = port_oracle_entries[index];
            unsigned long long n[7];
            for (auto& value : n) value = plan.natural();
            port_oracle::driver::Launch launch;
            launch.config = port_oracle::LaunchConfig{
                dim3(unsigned(n[0]), unsigned(n[1]), unsigned(n[2])),
                dim3(unsigned(n[3]), unsigned(n[4]), unsigned(n[5])), std::size_t(n[6]), entry.kernel};
            std::size_t count = plan.natural();
            std::vector<Argument> arguments;
            for (std::size_t i = 0; i < count; ++i) {
                arguments.push_back(read_argument(plan, buffers));
            }
            launch.arguments = arguments.data();
            if (int code = entry.run(launch)) {
                fail("invalid-launch", "the launch of %s is refused with error %d", entry.kernel,
                     code);
            }
        } else if (item == "out") {
            std::string kind = plan.need_word();
            const void* from = nullptr;
            std::size_t bytes = 0;
            if (kind == "b") {
                std::size_t index = plan.natural();
                if (index >= buffers.size()) fail("plan", "no such buffer");
                from = buffers[index].address;
                bytes = buffers[index].bytes;
            } else {
                const auto& symbol = find_symbol(plan.need_word());
                bytes = plan.natural();
                if (bytes > symbol.bytes) fail("argument", "symbol %s is smaller", symbol.name);
                from = symbol.address;
            }
            if (!results || std::fwrite(from, 1, bytes, results) != bytes) {
                fail("plan", "cannot write the results");
            }
        } else {
            fail("plan", "unknown item %s", item.c_str());
        }
    }
    if (results && std::fclose(results) != 0) fail("plan", "cannot write the results");
    std::fflush(stdout);
    return 0;
}
