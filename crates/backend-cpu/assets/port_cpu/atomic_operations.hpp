// What the atomic functions and clocks are made of: the machine's own atomic operations, as blocks
// run in parallel. What looks like a failed attempt at a lock lets others run.

namespace port_fibers {

template <std::size_t bytes> struct WordOf;
template <> struct WordOf<1> { using type = std::uint8_t; };
template <> struct WordOf<2> { using type = std::uint16_t; };
template <> struct WordOf<4> { using type = std::uint32_t; };
template <> struct WordOf<8> { using type = std::uint64_t; };
template <class T> using Word = typename WordOf<sizeof(T)>::type;

template <class T, class Operation>
inline T atomic_update(T* address, Operation operation) {
    auto* word = reinterpret_cast<Word<T>*>(address);
    Word<T> old = __atomic_load_n(word, __ATOMIC_RELAXED);
    for (;;) {
        const Word<T> desired = bit_cast<Word<T>>(operation(bit_cast<T>(old)));
        if (__atomic_compare_exchange_n(word, &old, desired, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
            return bit_cast<T>(old);
        }
    }
}

template <class T>
inline T atomic_exchange(T* address, T value) {
    auto* word = reinterpret_cast<Word<T>*>(address);
    const auto desired = bit_cast<Word<T>>(value);
    const Word<T> old = __atomic_exchange_n(word, desired, __ATOMIC_SEQ_CST);
    // Taking a lock that is taken already: let its owner run.
    if (old == desired) spin_hint();
    return bit_cast<T>(old);
}

template <class T>
inline T atomic_compare_exchange(T* address, T expected, T desired) {
    auto* word = reinterpret_cast<Word<T>*>(address);
    Word<T> old = bit_cast<Word<T>>(expected);
    if (!__atomic_compare_exchange_n(word, &old, bit_cast<Word<T>>(desired), false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        yield();
    }
    return bit_cast<T>(old);
}

template <class T>
inline T atomic_add(T* address, T value) {
    if constexpr (std::is_integral<T>::value) {
        if (value == 0) spin_hint();   // an atomic load
        return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);
    } else {
        return atomic_update(address, [=](T old) { return old + value; });
    }
}

// Nanoseconds; what waits by the clock lets others run.
inline long long tick() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    spin_hint();
    return static_cast<long long>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

}  // namespace port_fibers
