// Errors and counters: kept while the program runs, written as JSON at its end. A program with errors ends with status
// 87 whatever it returns.

#include "machine.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace port_ascend {
namespace {

struct Error {
    std::string rule, call, file, kernel, message;
    int line, core;
    uint64_t times;
};

struct Record {
    std::string kernel;
    uint32_t blocks;
    size_t cores;
    Counters counters;
    double cycles, overlap, busy[pipe_count];
};

struct Report {
    std::vector<Error> errors;
    std::unordered_map<std::string, size_t> known;
    std::vector<Record> launches;
    std::string path;
    bool written;
};

Report& state() {
    static Report* report = new Report();  // lives to the very end: other parts report from their own ends
    return *report;
}

std::string quote(const std::string& text) {
    std::string out = "\"";
    for (unsigned char c : text) {
        char escape[8];
        if (c == '"' || c == '\\') { out += '\\'; out += char(c); }
        else if (c == '\n') out += "\\n";
        else if (c < 32) { std::snprintf(escape, sizeof escape, "\\u%04x", c); out += escape; }
        else out += char(c);
    }
    return out + "\"";
}

void write_report() {
    Report& all = state();
    if (all.path.empty() || all.written) return;
    all.written = true;
    std::FILE* file = std::fopen(all.path.c_str(), "w");
    if (!file) {
        std::fprintf(stderr, "port_ascend: cannot write the report %s\n", all.path.c_str());
        return;
    }
    std::fprintf(file, "{\"schema\":1,\"digest\":\"%016llx\",\"errors\":[", (unsigned long long)digest());
    const char* comma = "";
    for (const Error& error : all.errors) {
        std::fprintf(file, "%s\n{\"rule\":%s,\"call\":%s,\"file\":%s,\"line\":%d,\"core\":%d,\"kernel\":%s,\"times\":%llu,\"message\":%s}",
                     comma, quote(error.rule).c_str(), quote(error.call).c_str(), quote(error.file).c_str(), error.line,
                     error.core, quote(error.kernel).c_str(), (unsigned long long)error.times, quote(error.message).c_str());
        comma = ",";
    }
    std::fprintf(file, "],\n\"launches\":[");
    comma = "";
    for (const Record& record : all.launches) {
        const Counters& c = record.counters;
        std::fprintf(file, "%s\n{\"kernel\":%s,\"blocks\":%u,\"cores\":%zu,\"counters\":{", comma,
                     quote(record.kernel).c_str(), record.blocks, record.cores);
        const std::pair<const char*, uint64_t> counters[] = {
            {"gm_to_ub_bytes", c.gm_to_ub}, {"ub_to_gm_bytes", c.ub_to_gm}, {"gm_to_l1_bytes", c.gm_to_l1},
            {"l1_to_gm_bytes", c.l1_to_gm}, {"ub_to_ub_bytes", c.ub_to_ub}, {"ub_to_l1_bytes", c.ub_to_l1},
            {"l1_to_l0_bytes", c.l1_to_l0}, {"l0c_out_bytes", c.l0c_out},
            {"gm_distinct_read_bytes", c.gm_distinct_read}, {"gm_distinct_written_bytes", c.gm_distinct_written},
            {"gm_core_read_bytes", c.gm_core_read}, {"transfers", c.transfers},
            {"vector_instructions", c.vector_instructions}, {"vector_repeats", c.vector_repeats},
            {"vector_lanes", c.vector_lanes}, {"vector_lanes_possible", c.vector_lanes_possible},
            {"scalar_gm_accesses", c.scalar_gm}, {"scalar_ub_accesses", c.scalar_ub}, {"cube_macs", c.cube_macs},
            {"syncs", c.syncs}, {"auto_syncs", c.auto_syncs}, {"core_syncs", c.core_syncs},
            {"atomic_bytes", c.atomic_bytes}, {"ub_peak_bytes", c.ub_peak}, {"l1_peak_bytes", c.l1_peak}};
        const char* inner = "";
        for (auto& [name, value] : counters) {
            std::fprintf(file, "%s\"%s\":%llu", inner, name, (unsigned long long)value);
            inner = ",";
        }
        static const char* pipes[] = {"s", "v", "m", "mte1", "mte2", "mte3", "fix"};
        for (int pipe = 0; pipe < pipe_count; ++pipe) std::fprintf(file, ",\"busy_%s\":%.0f", pipes[pipe], record.busy[pipe]);
        std::fprintf(file, ",\"overlap\":%.4f},\"cycles\":%.0f}", record.overlap, record.cycles);
        comma = ",";
    }
    std::fprintf(file, "]}\n");
    std::fclose(file);
}

void at_end() {
    write_report();
    std::fflush(nullptr);
    if (!state().errors.empty()) {
        if (state().errors.size() > 20) {
            std::fprintf(stderr, "port_ascend: %zu errors, the first 20 are shown\n", state().errors.size());
        }
        _exit(87);
    }
}

// The report's file is relative to the folder where the program starts.
struct AtStart {
    AtStart() {
        const char* path = std::getenv("PORT_ASCEND_REPORT");
        if (path && *path) {
            if (*path != '/') {
                char* folder = getcwd(nullptr, 0);
                if (folder) state().path = std::string(folder) + "/";
                std::free(folder);
            }
            state().path += path;
        }
        std::atexit(at_end);
    }
} at_start;

}  // namespace

void report(const char* rule, const char* call, Site site, const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    Report& all = state();
    std::string kernel = launch_now ? launch_now->kernel : thread_kernel ? thread_kernel : "";
    std::string key = std::string(rule) + '\n' + call + '\n' + (site.file ? site.file : "") + '\n' + std::to_string(site.line) + '\n' + kernel;
    auto [place, fresh] = all.known.emplace(key, all.errors.size());
    if (!fresh) {
        ++all.errors[place->second].times;
        return;
    }
    Error error{rule, call, site.file ? site.file : "", kernel, text, site.line, core ? core->index : -1, 1};
    if (all.errors.size() < 20) {
        std::fflush(stdout);
        std::fprintf(stderr, "%s:%d: error: %s: %s [%s", error.file.c_str(), error.line, call, text, rule);
        if (core) std::fprintf(stderr, ", core %d", core->index);
        if (!kernel.empty()) std::fprintf(stderr, ", kernel %s", kernel.c_str());
        std::fprintf(stderr, "]\n");
    }
    if (all.errors.size() < 10000) all.errors.push_back(std::move(error));
}

void stop_core() {
    std::fflush(stdout);
    if (launch_now) finish_launch(*launch_now);
    write_report();
    std::fflush(nullptr);
    _exit(87);
}

void count_thread_launch(const char* name, uint32_t blocks) {
    state().launches.push_back(Record{name ? name : "", blocks, blocks, Counters{}, 0, 0, {}});
}

void finish_core(Launch& launch, const Core& core) {
    Counters& to = launch.counters;
    uint64_t ub = std::max(to.ub_peak, core.counters.ub_peak), l1 = std::max(to.l1_peak, core.counters.l1_peak);
    uint64_t target[sizeof(Counters) / sizeof(uint64_t)], source[sizeof(Counters) / sizeof(uint64_t)];
    std::memcpy(target, &to, sizeof target);
    std::memcpy(source, &core.counters, sizeof source);
    for (size_t i = 0; i < sizeof target / sizeof *target; ++i) target[i] += source[i];
    std::memcpy(&to, target, sizeof target);
    to.ub_peak = ub;
    to.l1_peak = l1;
    for (int pipe = 0; pipe < pipe_count; ++pipe) {
        launch.cycles = std::max(launch.cycles, core.free_at[pipe]);
        launch.busy[pipe] += core.busy[pipe];
    }
    // How much of the time of transfers from and to global memory runs beside computation.
    struct Edge { double at; int kind, change; };
    std::vector<Edge> edges;
    auto take = [&](Pipe pipe, int kind) {
        for (const Interval& interval : core.hidden->busy[pipe]) {
            edges.push_back({interval.start, kind, 1});
            edges.push_back({interval.end, kind, -1});
        }
    };
    for (Pipe pipe : {pipe_mte2, pipe_mte3, pipe_fix}) take(pipe, 0);
    for (Pipe pipe : {pipe_v, pipe_m}) take(pipe, 1);
    std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at != b.at ? a.at < b.at : a.change < b.change; });
    int active[2] = {0, 0};
    double last = 0;
    for (const Edge& edge : edges) {
        double length = edge.at - last;
        if (active[0] > 0) {
            launch.moving += length;
            if (active[1] > 0) launch.overlapped += length;
        }
        active[edge.kind] += edge.change;
        last = edge.at;
    }
}

void finish_launch(Launch& launch) {
    for (Slot& slot : launch.slots) {
        if (slot.core) finish_core(launch, *slot.core);  // of a launch that stops early
    }
    Record record{launch.kernel, launch.blocks, launch.slots.size(), launch.counters, launch.cycles, 0, {}};
    std::memcpy(record.busy, launch.busy, sizeof record.busy);
    // Blocks beyond the chip's cores run one wave after another.
    bool cube = launch.kind == CoreKind::cube || launch.kind == CoreKind::mix_1_0;
    size_t at_once = cube ? 24 : launch.kind == CoreKind::mix_1_2 ? 72 : 48;
    record.cycles *= double(std::max<size_t>(1, (launch.slots.size() + at_once - 1) / at_once));
    record.overlap = launch.moving > 0 ? launch.overlapped / launch.moving : 0;
    state().launches.push_back(std::move(record));
}

}  // namespace port_ascend

// What the compiler calls before an array of a known length is indexed beyond it. Its data begin with the place.
struct PortAscendPlace { const char* file; uint32_t line, column; };
extern "C" void __ubsan_handle_out_of_bounds(const PortAscendPlace* place, uintptr_t index) {
    using namespace port_ascend;
    if (!core && !thread_kernel) return;
    report("array-bounds", "[]", Site{place->file, int(place->line)}, "an array of this kernel is indexed with %lld, beyond its end", (long long)index);
    stop_core();
}
