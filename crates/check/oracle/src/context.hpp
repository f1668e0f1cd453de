// Switching between stacks: in assembly on x86-64 and aarch64 (some nanoseconds), by ucontext
// elsewhere (half a microsecond, as it changes the signal mask) or with PORT_ORACLE_UCONTEXT.
#pragma once

#include <cstddef>
#include <cstdint>

#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(PORT_ORACLE_UCONTEXT)
#define PORT_ORACLE_ASSEMBLY 1
#else
#include <ucontext.h>
#endif

namespace port_oracle {

#ifdef PORT_ORACLE_ASSEMBLY

// A stopped stack: its stack pointer. The callee-saved registers lie on the stack itself.
struct Context {
    void* stack_pointer = nullptr;
};

extern "C" void port_oracle_switch(void** save, void* load);

inline void switch_context(Context& save, Context& load) {
    port_oracle_switch(&save.stack_pointer, load.stack_pointer);
}

// Prepares a stack so that the first switch to it calls `entry`, which must not return. The frame
// pointer starts at zero: walks of the frame chain end there.
inline void prepare(Context& context, char* stack, std::size_t size, void (*entry)()) {
    auto top = reinterpret_cast<std::uintptr_t>(stack + size) & ~std::uintptr_t{15};
    auto* words = reinterpret_cast<std::uintptr_t*>(top);
#if defined(__x86_64__)
    *--words = 0;                                            // the entry's return address
    *--words = reinterpret_cast<std::uintptr_t>(entry);
    for (int i = 0; i < 6; ++i) *--words = 0;                // rbp rbx r12 r13 r14 r15
#else
    words -= 20;                                             // x19-x30, d8-d15
    for (int i = 0; i < 20; ++i) words[i] = 0;
    words[11] = reinterpret_cast<std::uintptr_t>(entry);     // x30
#endif
    context.stack_pointer = words;
}

#if defined(__x86_64__)
asm(R"(
    .text
    .globl port_oracle_switch
    .type port_oracle_switch, @function
port_oracle_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size port_oracle_switch, . - port_oracle_switch
)");
#else
asm(R"(
    .text
    .globl port_oracle_switch
    .type port_oracle_switch, %function
port_oracle_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size port_oracle_switch, . - port_oracle_switch
)");
#endif

#else

struct Context {
    ucontext_t state;
};

inline void switch_context(Context& save, Context& load) { swapcontext(&save.state, &load.state); }

inline void prepare(Context& context, char* stack, std::size_t size, void (*entry)()) {
    getcontext(&context.state);
    context.state.uc_stack.ss_sp = stack;
    context.state.uc_stack.ss_size = size;
    context.state.uc_link = nullptr;
    makecontext(&context.state, entry, 0);
}

#endif

}  // namespace port_oracle
