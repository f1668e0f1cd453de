// The part of libcu++ that programs use most: `cuda::std` is the C++ library, atomics are the
// compiler's. Scopes mean nothing here: there is one memory.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cfloat>
#include <climits>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cuda {

namespace std = ::std;

enum thread_scope {
    thread_scope_system,
    thread_scope_device,
    thread_scope_block,
    thread_scope_thread,
};
using ::std::memory_order;
using ::std::memory_order_acq_rel;
using ::std::memory_order_acquire;
using ::std::memory_order_consume;
using ::std::memory_order_relaxed;
using ::std::memory_order_release;
using ::std::memory_order_seq_cst;

inline void atomic_thread_fence(memory_order order, thread_scope = thread_scope_system) {
    ::std::atomic_thread_fence(order);
}

namespace port_detail {
// What `atomic` and `atomic_ref` do at a place. Every change is a loop of compare and exchange.
template <class T> class AtOnce {
public:
    using value_type = T;
    T load(memory_order = memory_order_seq_cst) const {
        T value;
        __atomic_load(place(), &value, __ATOMIC_SEQ_CST);
        return value;
    }
    void store(T value, memory_order = memory_order_seq_cst) const {
        __atomic_store(place(), &value, __ATOMIC_SEQ_CST);
    }
    T exchange(T value, memory_order = memory_order_seq_cst) const {
        T before;
        __atomic_exchange(place(), &value, &before, __ATOMIC_SEQ_CST);
        return before;
    }
    bool compare_exchange_strong(T& expected, T value, memory_order = memory_order_seq_cst,
                                 memory_order = memory_order_seq_cst) const {
        return __atomic_compare_exchange(place(), &expected, &value, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
    }
    bool compare_exchange_weak(T& expected, T value, memory_order = memory_order_seq_cst,
                               memory_order = memory_order_seq_cst) const {
        return compare_exchange_strong(expected, value);
    }
    template <class U> T fetch_add(U by, memory_order = memory_order_seq_cst) const {
        return change([by](T old) { return T(old + by); });
    }
    template <class U> T fetch_sub(U by, memory_order = memory_order_seq_cst) const {
        return change([by](T old) { return T(old - by); });
    }
    T fetch_and(T with, memory_order = memory_order_seq_cst) const {
        return change([with](T old) { return T(old & with); });
    }
    T fetch_or(T with, memory_order = memory_order_seq_cst) const {
        return change([with](T old) { return T(old | with); });
    }
    T fetch_xor(T with, memory_order = memory_order_seq_cst) const {
        return change([with](T old) { return T(old ^ with); });
    }
    T fetch_min(T with, memory_order = memory_order_seq_cst) const {
        return change([with](T old) { return with < old ? with : old; });
    }
    T fetch_max(T with, memory_order = memory_order_seq_cst) const {
        return change([with](T old) { return old < with ? with : old; });
    }
    bool is_lock_free() const { return true; }
    operator T() const { return load(); }
    T operator++() const { return T(fetch_add(1) + 1); }
    T operator++(int) const { return fetch_add(1); }
    T operator--() const { return T(fetch_sub(1) - 1); }
    T operator--(int) const { return fetch_sub(1); }
    template <class U> T operator+=(U by) const { return T(fetch_add(by) + by); }
    template <class U> T operator-=(U by) const { return T(fetch_sub(by) - by); }
    T operator|=(T with) const { return fetch_or(with) | with; }
    T operator&=(T with) const { return fetch_and(with) & with; }
    T operator^=(T with) const { return fetch_xor(with) ^ with; }

protected:
    explicit AtOnce(T* at) : at(at) {}
    T* at;

private:
    T* place() const { return at; }
    template <class F> T change(F next) const {
        T old = load();
        while (!compare_exchange_strong(old, next(old))) {}
        return old;
    }
};
}  // namespace port_detail

template <class T, thread_scope = thread_scope_system>
class atomic_ref : public port_detail::AtOnce<T> {
public:
    explicit atomic_ref(T& object) : port_detail::AtOnce<T>(&object) {}
    T operator=(T value) const {
        this->store(value);
        return value;
    }
};
// It lies where it lies: each operation asks for its own address.
template <class T, thread_scope scope = thread_scope_system> class atomic {
    T value{};
    atomic_ref<T, scope> self() const { return atomic_ref<T, scope>(const_cast<T&>(value)); }

public:
    using value_type = T;
    atomic() = default;
    constexpr atomic(T value) : value(value) {}
    atomic(const atomic&) = delete;
    T operator=(T to) {
        store(to);
        return to;
    }
    template <class... A> T load(A... a) const { return self().load(a...); }
    template <class... A> void store(T to, A... a) { self().store(to, a...); }
    template <class... A> T exchange(T to, A... a) { return self().exchange(to, a...); }
    template <class... A> bool compare_exchange_strong(T& old, T to, A... a) {
        return self().compare_exchange_strong(old, to, a...);
    }
    template <class... A> bool compare_exchange_weak(T& old, T to, A... a) {
        return self().compare_exchange_strong(old, to, a...);
    }
    template <class U, class... A> T fetch_add(U by, A... a) { return self().fetch_add(by, a...); }
    template <class U, class... A> T fetch_sub(U by, A... a) { return self().fetch_sub(by, a...); }
    template <class... A> T fetch_and(T with, A... a) { return self().fetch_and(with, a...); }
    template <class... A> T fetch_or(T with, A... a) { return self().fetch_or(with, a...); }
    template <class... A> T fetch_xor(T with, A... a) { return self().fetch_xor(with, a...); }
    template <class... A> T fetch_min(T with, A... a) { return self().fetch_min(with, a...); }
    template <class... A> T fetch_max(T with, A... a) { return self().fetch_max(with, a...); }
    operator T() const { return load(); }
    T operator++() { return ++self(); }
    T operator++(int) { return self()++; }
    T operator--() { return --self(); }
    T operator--(int) { return self()--; }
    template <class U> T operator+=(U by) { return self() += by; }
    template <class U> T operator-=(U by) { return self() -= by; }
};

template <class T = void> struct maximum {
    T operator()(const T& a, const T& b) const { return a < b ? b : a; }
};
template <> struct maximum<void> {
    template <class A, class B> auto operator()(const A& a, const B& b) const { return a < b ? b : a; }
};
template <class T = void> struct minimum {
    T operator()(const T& a, const T& b) const { return b < a ? b : a; }
};
template <> struct minimum<void> {
    template <class A, class B> auto operator()(const A& a, const B& b) const { return b < a ? b : a; }
};
template <class A, class B> constexpr auto ceil_div(A a, B b) { return a / b + (a % b != 0); }

}  // namespace cuda
