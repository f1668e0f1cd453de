// Settings come from the environment, so that whole programs take them too:
//   PORT_ORACLE_WARP    32 (default) or 64
//   PORT_ORACLE_ORDER   ascending (default), descending, or shuffled:<seed>: the order in which the
//                       warps of a block and the lanes of a warp run
//   PORT_ORACLE_BLOCKS  the same for the blocks of a grid
//   PORT_ORACLE_REPORT  file for errors and notes; standard error without it
//   PORT_ORACLE_MILLISECONDS, PORT_ORACLE_SECONDS, PORT_ORACLE_BYTES
//                       limits of time, CPU time and address space

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "memory.hpp"
#include "process.hpp"

// The CUDA dialect's variable; HIP's is the same or a constant.
int warpSize = 32;

namespace port_oracle {

unsigned warp_width = 32;

namespace {

Settings current_settings;

struct Note {
    std::string kind, message;
    std::uint64_t count;
};

std::vector<Note>& notes() {
    static auto* all = new std::vector<Note>;   // outlives the program's static objects
    return *all;
}

void write_all(int file, const char* text, std::size_t length) {
    while (length > 0) {
        ssize_t written = ::write(file, text, length);
        if (written <= 0) return;
        text += written;
        length -= std::size_t(written);
    }
}

// One line of the report: fields separated by tabs, none of which may hold tabs or newlines.
void report(const std::string& line) {
    std::string clean = line;
    for (char& c : clean) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    if (current_settings.report == 2) {
        for (char& c : clean) {
            if (c == '\t') c = ' ';
        }
        clean = "port oracle: " + clean;
    }
    clean += '\n';
    write_all(current_settings.report, clean.data(), clean.size());
}

void report_notes() {
    for (const Note& one : notes()) {
        report("note\t" + one.kind + "\t" + std::to_string(one.count) + "\t" + one.message);
    }
    notes().clear();
}

std::string format_arguments(const char* format, va_list arguments) {
    char text[2048];
    vsnprintf(text, sizeof text, format, arguments);
    return text;
}

void read_order(const char* variable, Order& order, std::uint64_t& seed) {
    const char* text = std::getenv(variable);
    if (!text) return;
    if (!std::strcmp(text, "descending")) order = Order::descending;
    if (!std::strncmp(text, "shuffled:", 9)) {
        order = Order::shuffled;
        seed = mix(std::strtoull(text + 9, nullptr, 10) + 1);
    }
}

void limit(const char* variable, int resource) {
    const char* text = std::getenv(variable);
    if (!text) return;
    rlim_t value = std::strtoull(text, nullptr, 10);
    // One more second of CPU time than the soft limit, after which the system ends the process.
    rlimit limits{value, resource == RLIMIT_CPU ? value + 1 : value};
    setrlimit(__rlimit_resource(resource), &limits);
}

// Ends the run in time to say where it was, before the runner ends the process.
void start_timer() {
    const char* text = std::getenv("PORT_ORACLE_MILLISECONDS");
    if (!text) return;
    long milliseconds = std::strtol(text, nullptr, 10);
    itimerval timer{};
    timer.it_value.tv_sec = milliseconds / 1000;
    timer.it_value.tv_usec = milliseconds % 1000 * 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
}

// Not async-signal-safe in general, but faults are synchronous and in the text, not in here.
void on_signal(int signal, siginfo_t* info, void*) {
    if (signal == SIGXCPU || signal == SIGALRM) {
        fail_text("time-limit",
                  "the time is used up; a loop that waits for another thread by plain or volatile "
                  "reads cannot be run");
    }
    if (signal == SIGABRT) fail_text("abort", "the program called abort (a failed assert does)");
    if (signal == SIGFPE) fail_text("arithmetic", "integer division by zero or overflow");
    if (signal == SIGILL || signal == SIGTRAP) fail_text("trap", "the kernel executed a trap");
    auto* address = static_cast<const char*>(info->si_addr);
    if (is_below_stack(address)) {
        fail_text("stack-overflow", "a thread used more than 256 KiB of stack");
    }
    fail_text("illegal-address", describe_address(address));
}

void catch_signals() {
    static char signal_stack[64 * 1024];
    stack_t stack{};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | int(SA_RESETHAND);
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGXCPU, SIGALRM}) {
        sigaction(signal, &action, nullptr);
    }
}

}  // namespace

const Settings& settings() {
    static bool started = false;
    if (started) return current_settings;
    started = true;
    if (const char* text = std::getenv("PORT_ORACLE_WARP")) {
        warp_width = std::strtoul(text, nullptr, 10) == 64 ? 64 : 32;
        warpSize = int(warp_width);
    }
    read_order("PORT_ORACLE_ORDER", current_settings.threads, current_settings.thread_seed);
    read_order("PORT_ORACLE_BLOCKS", current_settings.blocks, current_settings.block_seed);
    limit("PORT_ORACLE_SECONDS", RLIMIT_CPU);
    limit("PORT_ORACLE_BYTES", RLIMIT_AS);
    rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (const char* path = std::getenv("PORT_ORACLE_REPORT")) {
        int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file >= 0) current_settings.report = file;
    }
    catch_signals();
    std::atexit(report_notes);
    start_timer();
    return current_settings;
}

namespace {
const Settings& at_start = settings();
}

std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void fill_order(std::vector<unsigned>& order, unsigned count, Order kind, std::uint64_t seed) {
    order.resize(count);
    for (unsigned i = 0; i < count; ++i) {
        order[i] = kind == Order::descending ? count - 1 - i : i;
    }
    if (kind != Order::shuffled) return;
    for (unsigned i = count; i > 1; --i) {
        seed += 0x9E3779B97F4A7C15u;
        std::swap(order[i - 1], order[mix(seed) % i]);
    }
}

void fail_text(const char* kind, const std::string& message) {
    std::fflush(stdout);
    report_notes();
    std::string place = in_kernel() ? std::string(" [") + where() + "]" : std::string();
    report(std::string("error\t") + kind + "\t" + message + place);
    _exit(70);
}

void fail(const char* kind, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_text(kind, format_arguments(format, arguments));
}

void note(const char* kind, const char* format, ...) {
    for (Note& one : notes()) {
        if (one.kind == kind) {
            ++one.count;
            return;
        }
    }
    va_list arguments;
    va_start(arguments, format);
    notes().push_back(Note{kind, format_arguments(format, arguments), 1});
    va_end(arguments);
}

}  // namespace port_oracle
