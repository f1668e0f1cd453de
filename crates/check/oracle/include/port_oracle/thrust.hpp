// The part of Thrust that programs use most: one memory, one thread. Reductions and scans combine
// from left to right; sorts are stable. Where Thrust leaves an order open, this is one of those that
// it allows.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <random>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace thrust {

// ---- where algorithms run: one place ------------------------------------------------------------
namespace port_detail {
struct Policy {
    template <class Anything> const Policy& on(Anything&&) const { return *this; }
    template <class Anything> const Policy& operator()(Anything&&) const { return *this; }
};
template <class T> constexpr bool is_policy = std::is_base_of_v<Policy, std::decay_t<T>>;
template <class I> using Value = typename std::iterator_traits<I>::value_type;
template <class I> using Difference = typename std::iterator_traits<I>::difference_type;
// `std::vector<bool>` has no elements to point at.
template <class T> struct Cell {
    T value;
};
}  // namespace port_detail

using host_t = port_detail::Policy;
using device_t = port_detail::Policy;
inline constexpr port_detail::Policy host{}, device{}, seq{};
namespace cuda {
inline constexpr port_detail::Policy par{}, par_nosync{};
}
namespace hip {
inline constexpr port_detail::Policy par{}, par_nosync{};
}
namespace system {
namespace cuda {
using thrust::cuda::par;
using thrust::cuda::par_nosync;
}
}  // namespace system

// ---- functions ----------------------------------------------------------------------------------
template <class A, class R> struct unary_function {
    using argument_type = A;
    using result_type = R;
};
template <class A, class B, class R> struct binary_function {
    using first_argument_type = A;
    using second_argument_type = B;
    using result_type = R;
};
using std::bit_and;
using std::bit_or;
using std::bit_xor;
using std::divides;
using std::equal_to;
using std::greater;
using std::greater_equal;
using std::less;
using std::less_equal;
using std::logical_and;
using std::logical_not;
using std::logical_or;
using std::minus;
using std::modulus;
using std::multiplies;
using std::negate;
using std::not_equal_to;
using std::plus;
template <class T = void> struct identity {
    const T& operator()(const T& x) const { return x; }
};
template <> struct identity<void> {
    template <class T> T&& operator()(T&& x) const { return std::forward<T>(x); }
};
template <class T = void> struct square {
    T operator()(const T& x) const { return x * x; }
};
template <> struct square<void> {
    template <class T> auto operator()(const T& x) const { return x * x; }
};
template <class T = void> struct maximum {
    T operator()(const T& a, const T& b) const { return a < b ? b : a; }
};
template <> struct maximum<void> {
    template <class A, class B> auto operator()(const A& a, const B& b) const { return a < b ? b : a; }
};
template <class T = void> struct minimum {
    T operator()(const T& a, const T& b) const { return a < b ? a : b; }
};
template <> struct minimum<void> {
    template <class A, class B> auto operator()(const A& a, const B& b) const { return a < b ? a : b; }
};
template <class A, class B = A> struct project1st {
    const A& operator()(const A& a, const B&) const { return a; }
};
template <class A, class B = A> struct project2nd {
    const B& operator()(const A&, const B& b) const { return b; }
};
template <class F> auto not_fn(F f) { return std::not_fn(f); }

// `_1 * 2 + _2`: an expression is a function of its arguments.
namespace port_detail {
template <class F> struct Actor {
    F function;
    template <class... A> auto operator()(const A&... arguments) const {
        return function(std::forward_as_tuple(arguments...));
    }
};
template <class F> Actor<F> actor(F f) { return {f}; }
template <class T> struct IsActor : std::false_type {};
template <class F> struct IsActor<Actor<F>> : std::true_type {};
template <class X, class Arguments> auto evaluate(const X& x, const Arguments& arguments) {
    if constexpr (IsActor<X>::value) return x.function(arguments);
    else return x;
}
template <int n> struct Argument {
    template <class Arguments> auto operator()(const Arguments& arguments) const {
        return std::get<n>(arguments);
    }
};
#define PORT_BINARY(op)                                                                           \
    template <class A, class B,                                                                   \
              class = std::enable_if_t<IsActor<A>::value || IsActor<B>::value>>                   \
    auto operator op(const A& a, const B& b) {                                                    \
        return actor([a, b](const auto& args) { return evaluate(a, args) op evaluate(b, args); }); \
    }
PORT_BINARY(+)
PORT_BINARY(-)
PORT_BINARY(*)
PORT_BINARY(/)
PORT_BINARY(%)
PORT_BINARY(<)
PORT_BINARY(>)
PORT_BINARY(<=)
PORT_BINARY(>=)
PORT_BINARY(==)
PORT_BINARY(!=)
PORT_BINARY(&&)
PORT_BINARY(||)
PORT_BINARY(&)
PORT_BINARY(|)
PORT_BINARY(^)
#undef PORT_BINARY
template <class F> auto operator-(const Actor<F>& a) {
    return actor([a](const auto& args) { return -a.function(args); });
}
template <class F> auto operator!(const Actor<F>& a) {
    return actor([a](const auto& args) { return !a.function(args); });
}
}  // namespace port_detail
namespace placeholders {
inline constexpr port_detail::Actor<port_detail::Argument<0>> _1{};
inline constexpr port_detail::Actor<port_detail::Argument<1>> _2{};
inline constexpr port_detail::Actor<port_detail::Argument<2>> _3{};
}  // namespace placeholders

// ---- tuples, numbers ----------------------------------------------------------------------------
using std::get;
using std::make_pair;
using std::make_tuple;
using std::pair;
using std::swap;
using std::tie;
using std::tuple;
using std::tuple_element;
using std::tuple_size;
using std::complex;
using std::distance;
using std::advance;
using std::abs;
using std::arg;
using std::conj;
using std::norm;
using std::polar;
using std::exp;
using std::sqrt;

// ---- iterators ----------------------------------------------------------------------------------
template <class T> using device_reference = T&;
template <class I> struct iterator_value {
    using type = typename std::iterator_traits<I>::value_type;
};
template <class I> using iterator_value_t = typename std::iterator_traits<I>::value_type;
template <class I> struct iterator_difference {
    using type = typename std::iterator_traits<I>::difference_type;
};
template <class I> struct iterator_traits : std::iterator_traits<I> {};

namespace port_detail {
// What an iterator with a place and `at(n)`, the element `n` behind it, has besides.
template <class Self, class V, class R, class P = void> class Iterator {
    Self& self() { return static_cast<Self&>(*this); }
    const Self& self() const { return static_cast<const Self&>(*this); }

public:
    using value_type = V;
    using reference = R;
    using pointer = P;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::random_access_iterator_tag;
    R operator*() const { return self().at(0); }
    R operator[](difference_type n) const { return self().at(n); }
    Self& operator++() { return *this += 1; }
    Self& operator--() { return *this += -1; }
    Self operator++(int) {
        Self before = self();
        *this += 1;
        return before;
    }
    Self operator--(int) {
        Self before = self();
        *this += -1;
        return before;
    }
    Self& operator+=(difference_type n) {
        self().move(n);
        return self();
    }
    Self& operator-=(difference_type n) { return *this += -n; }
    friend Self operator+(Self it, difference_type n) { return it += n; }
    friend Self operator+(difference_type n, Self it) { return it += n; }
    friend Self operator-(Self it, difference_type n) { return it += -n; }
    friend difference_type operator-(const Self& a, const Self& b) { return b.distance_to(a); }
    friend bool operator==(const Self& a, const Self& b) { return b.distance_to(a) == 0; }
    friend bool operator!=(const Self& a, const Self& b) { return b.distance_to(a) != 0; }
    friend bool operator<(const Self& a, const Self& b) { return b.distance_to(a) < 0; }
    friend bool operator>(const Self& a, const Self& b) { return b.distance_to(a) > 0; }
    friend bool operator<=(const Self& a, const Self& b) { return b.distance_to(a) <= 0; }
    friend bool operator>=(const Self& a, const Self& b) { return b.distance_to(a) >= 0; }
};
}  // namespace port_detail

template <class T>
class device_ptr : public port_detail::Iterator<device_ptr<T>, std::remove_cv_t<T>, T&, T*> {
    T* place = nullptr;

public:
    device_ptr() = default;
    device_ptr(std::nullptr_t) {}
    template <class U, class = std::enable_if_t<std::is_convertible_v<U*, T*>>>
    explicit device_ptr(U* place) : place(place) {}
    template <class U, class = std::enable_if_t<std::is_convertible_v<U*, T*>>>
    device_ptr(const device_ptr<U>& other) : place(other.get()) {}
    T* get() const { return place; }
    T* operator->() const { return place; }
    explicit operator bool() const { return place != nullptr; }
    device_ptr base() const { return *this; }
    T& at(std::ptrdiff_t n) const { return place[n]; }
    void move(std::ptrdiff_t n) { place += n; }
    std::ptrdiff_t distance_to(const device_ptr& other) const { return other.place - place; }
};
template <class T> device_ptr<T> device_pointer_cast(T* place) { return device_ptr<T>(place); }
template <class T> device_ptr<T> device_pointer_cast(const device_ptr<T>& place) { return place; }
template <class T> T* raw_pointer_cast(T* place) { return place; }
template <class T> T* raw_pointer_cast(const device_ptr<T>& place) { return place.get(); }
template <class T> T& raw_reference_cast(T& place) { return place; }
template <class T> device_ptr<T> device_malloc(std::size_t count) {
    return device_ptr<T>(static_cast<T*>(std::malloc(count * sizeof(T))));
}
template <class T> void device_free(const device_ptr<T>& place) {
    std::free(const_cast<std::remove_cv_t<T>*>(place.get()));
}

template <class T, class System = void, class Traversal = void, class Distance = void>
class counting_iterator
    : public port_detail::Iterator<counting_iterator<T, System, Traversal, Distance>, T, T> {
    T number{};

public:
    counting_iterator() = default;
    explicit counting_iterator(T number) : number(number) {}
    T at(std::ptrdiff_t n) const { return T(number + n); }
    void move(std::ptrdiff_t n) { number = T(number + n); }
    std::ptrdiff_t distance_to(const counting_iterator& other) const {
        return std::ptrdiff_t(other.number) - std::ptrdiff_t(number);
    }
};
template <class T> counting_iterator<T> make_counting_iterator(T number) {
    return counting_iterator<T>(number);
}

template <class T, class System = void, class Other = void>
class constant_iterator
    : public port_detail::Iterator<constant_iterator<T, System, Other>, T, const T&> {
    T value{};
    std::ptrdiff_t place = 0;

public:
    constant_iterator() = default;
    explicit constant_iterator(const T& value, std::ptrdiff_t place = 0)
        : value(value), place(place) {}
    const T& at(std::ptrdiff_t) const { return value; }
    void move(std::ptrdiff_t n) { place += n; }
    std::ptrdiff_t distance_to(const constant_iterator& other) const { return other.place - place; }
};
template <class T> constant_iterator<T> make_constant_iterator(T value, std::ptrdiff_t place = 0) {
    return constant_iterator<T>(value, place);
}

namespace port_detail {
struct Nowhere {
    template <class T> const Nowhere& operator=(const T&) const { return *this; }
};
}  // namespace port_detail
template <class System = void>
class discard_iterator : public port_detail::Iterator<discard_iterator<System>, port_detail::Nowhere,
                                                      port_detail::Nowhere> {
    std::ptrdiff_t place = 0;

public:
    explicit discard_iterator(std::ptrdiff_t place = 0) : place(place) {}
    port_detail::Nowhere at(std::ptrdiff_t) const { return {}; }
    void move(std::ptrdiff_t n) { place += n; }
    std::ptrdiff_t distance_to(const discard_iterator& other) const { return other.place - place; }
};
inline discard_iterator<> make_discard_iterator(std::ptrdiff_t place = 0) {
    return discard_iterator<>(place);
}

namespace port_detail {
template <class F, class I, class Reference>
using Result = std::conditional_t<
    std::is_void_v<Reference>,
    std::decay_t<std::invoke_result_t<const F&, decltype(*std::declval<const I&>())>>, Reference>;
}
// A function of the elements, read only.
template <class F, class I, class Reference = void, class V = void>
class transform_iterator
    : public port_detail::Iterator<transform_iterator<F, I, Reference, V>,
                                   std::decay_t<port_detail::Result<F, I, Reference>>,
                                   port_detail::Result<F, I, Reference>> {
    I from{};
    // Closures cannot be assigned; iterators are.
    std::vector<F> function;

public:
    transform_iterator(I from, F function) : from(from), function{function} {}
    explicit transform_iterator(I from) : from(from), function{F()} {}
    transform_iterator(const transform_iterator&) = default;
    transform_iterator& operator=(const transform_iterator& other) {
        from = other.from;
        return *this;
    }
    port_detail::Result<F, I, Reference> at(std::ptrdiff_t n) const { return function[0](from[n]); }
    void move(std::ptrdiff_t n) { from += n; }
    std::ptrdiff_t distance_to(const transform_iterator& other) const { return other.from - from; }
    I base() const { return from; }
    F functor() const { return function[0]; }
};
template <class F, class I> transform_iterator<F, I> make_transform_iterator(I from, F function) {
    return transform_iterator<F, I>(from, function);
}

template <class E, class I>
class permutation_iterator
    : public port_detail::Iterator<permutation_iterator<E, I>, port_detail::Value<E>,
                                   decltype(*std::declval<const E&>())> {
    E elements{};
    I index{};

public:
    permutation_iterator() = default;
    permutation_iterator(E elements, I index) : elements(elements), index(index) {}
    decltype(*std::declval<const E&>()) at(std::ptrdiff_t n) const { return elements[index[n]]; }
    void move(std::ptrdiff_t n) { index += n; }
    std::ptrdiff_t distance_to(const permutation_iterator& other) const { return other.index - index; }
};
template <class E, class I> permutation_iterator<E, I> make_permutation_iterator(E elements, I index) {
    return permutation_iterator<E, I>(elements, index);
}

template <class Tuple> class zip_iterator;
template <class... I>
class zip_iterator<std::tuple<I...>>
    : public port_detail::Iterator<zip_iterator<std::tuple<I...>>,
                                   std::tuple<port_detail::Value<I>...>,
                                   std::tuple<decltype(*std::declval<const I&>())...>> {
    std::tuple<I...> parts;

public:
    zip_iterator() = default;
    zip_iterator(const std::tuple<I...>& parts) : parts(parts) {}
    std::tuple<decltype(*std::declval<const I&>())...> at(std::ptrdiff_t n) const {
        return std::apply(
            [n](const I&... part) {
                return std::tuple<decltype(*std::declval<const I&>())...>(part[n]...);
            },
            parts);
    }
    void move(std::ptrdiff_t n) {
        std::apply([n](I&... part) { (void(part += n), ...); }, parts);
    }
    std::ptrdiff_t distance_to(const zip_iterator& other) const {
        return std::get<0>(other.parts) - std::get<0>(parts);
    }
    const std::tuple<I...>& get_iterator_tuple() const { return parts; }
};
template <class... I> zip_iterator<std::tuple<I...>> make_zip_iterator(const std::tuple<I...>& parts) {
    return zip_iterator<std::tuple<I...>>(parts);
}
template <class A, class B, class... I>
zip_iterator<std::tuple<A, B, I...>> make_zip_iterator(A a, B b, I... more) {
    return zip_iterator<std::tuple<A, B, I...>>(std::make_tuple(a, b, more...));
}
template <class F> struct port_zip_function {
    F function;
    template <class Tuple> decltype(auto) operator()(Tuple&& arguments) const {
        return std::apply(function, std::forward<Tuple>(arguments));
    }
};
template <class F> port_zip_function<F> make_zip_function(F function) { return {function}; }
using std::make_reverse_iterator;
using std::reverse_iterator;

// ---- containers ---------------------------------------------------------------------------------
namespace port_detail {
template <class T> T* as_iterator(T* place, const T*) { return place; }
template <class T> device_ptr<T> as_iterator(T* place, const device_ptr<const T>&) {
    return device_ptr<T>(place);
}

template <class T, class I, class C> class Vector {
    std::vector<Cell<T>> cells;

    T* place() { return cells.empty() ? nullptr : &cells.data()->value; }
    const T* place() const { return cells.empty() ? nullptr : &cells.data()->value; }

public:
    using value_type = T;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using const_reference = const T&;
    using pointer = I;
    using const_pointer = C;
    using iterator = I;
    using const_iterator = C;
    using reverse_iterator = std::reverse_iterator<I>;

    Vector() = default;
    explicit Vector(std::size_t count) : cells(count) {}
    Vector(std::size_t count, const T& value) : cells(count, Cell<T>{value}) {}
    Vector(std::initializer_list<T> values) { assign(values.begin(), values.end()); }
    template <class From, class = typename std::iterator_traits<From>::iterator_category>
    Vector(From first, From last) {
        assign(first, last);
    }
    template <class J, class D> Vector(const Vector<T, J, D>& other) {
        assign(other.begin(), other.end());
    }
    template <class U, class J, class D, class = std::enable_if_t<!std::is_same_v<U, T>>>
    Vector(const Vector<U, J, D>& other) {
        assign(other.begin(), other.end());
    }
    template <class U, class A> Vector(const std::vector<U, A>& other) {
        assign(other.begin(), other.end());
    }
    template <class U, class A> Vector& operator=(const std::vector<U, A>& other) {
        assign(other.begin(), other.end());
        return *this;
    }
    template <class U, class J, class D> Vector& operator=(const Vector<U, J, D>& other) {
        assign(other.begin(), other.end());
        return *this;
    }
    Vector& operator=(std::initializer_list<T> values) {
        assign(values.begin(), values.end());
        return *this;
    }

    std::size_t size() const { return cells.size(); }
    std::size_t max_size() const { return cells.max_size(); }
    std::size_t capacity() const { return cells.capacity(); }
    bool empty() const { return cells.empty(); }
    void clear() { cells.clear(); }
    void reserve(std::size_t count) { cells.reserve(count); }
    void resize(std::size_t count) { cells.resize(count); }
    void resize(std::size_t count, const T& value) { cells.resize(count, Cell<T>{value}); }
    void shrink_to_fit() { cells.shrink_to_fit(); }
    void push_back(const T& value) { cells.push_back(Cell<T>{value}); }
    void pop_back() { cells.pop_back(); }
    void swap(Vector& other) { cells.swap(other.cells); }
    void assign(std::size_t count, const T& value) { cells.assign(count, Cell<T>{value}); }
    template <class From, class = typename std::iterator_traits<From>::iterator_category>
    void assign(From first, From last) {
        std::vector<Cell<T>> fresh;
        for (; first != last; ++first) fresh.push_back(Cell<T>{T(*first)});
        cells.swap(fresh);
    }
    I begin() { return as_iterator(place(), C()); }
    I end() { return begin() + difference_type(size()); }
    C begin() const { return C(place()); }
    C end() const { return begin() + difference_type(size()); }
    C cbegin() const { return begin(); }
    C cend() const { return end(); }
    std::reverse_iterator<I> rbegin() { return std::reverse_iterator<I>(end()); }
    std::reverse_iterator<I> rend() { return std::reverse_iterator<I>(begin()); }
    I data() { return begin(); }
    C data() const { return begin(); }
    T& operator[](std::size_t i) { return cells[i].value; }
    const T& operator[](std::size_t i) const { return cells[i].value; }
    T& front() { return cells.front().value; }
    const T& front() const { return cells.front().value; }
    T& back() { return cells.back().value; }
    const T& back() const { return cells.back().value; }
    I erase(C first, C last) {
        const auto from = first - cbegin(), to = last - cbegin();
        cells.erase(cells.begin() + from, cells.begin() + to);
        return begin() + from;
    }
    I erase(C at) { return erase(at, at + 1); }
    I insert(C at, const T& value) { return insert(at, 1, value); }
    I insert(C at, std::size_t count, const T& value) {
        const auto from = at - cbegin();
        cells.insert(cells.begin() + from, count, Cell<T>{value});
        return begin() + from;
    }
    template <class From, class = typename std::iterator_traits<From>::iterator_category>
    I insert(C at, From first, From last) {
        const auto from = at - cbegin();
        std::vector<Cell<T>> fresh;
        for (; first != last; ++first) fresh.push_back(Cell<T>{T(*first)});
        cells.insert(cells.begin() + from, fresh.begin(), fresh.end());
        return begin() + from;
    }
};
template <class T, class I, class C, class J, class D>
bool operator==(const Vector<T, I, C>& a, const Vector<T, J, D>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}
template <class T, class I, class C, class J, class D>
bool operator!=(const Vector<T, I, C>& a, const Vector<T, J, D>& b) {
    return !(a == b);
}
template <class T, class I, class C> bool operator==(const Vector<T, I, C>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}
}  // namespace port_detail

template <class T, class Allocator = void>
class device_vector : public port_detail::Vector<T, device_ptr<T>, device_ptr<const T>> {
public:
    using port_detail::Vector<T, device_ptr<T>, device_ptr<const T>>::Vector;
    using port_detail::Vector<T, device_ptr<T>, device_ptr<const T>>::operator=;
    device_vector() = default;
};
template <class T, class Allocator = void>
class host_vector : public port_detail::Vector<T, T*, const T*> {
public:
    using port_detail::Vector<T, T*, const T*>::Vector;
    using port_detail::Vector<T, T*, const T*>::operator=;
    host_vector() = default;
};
template <class T, class Allocator = void> using universal_vector = device_vector<T, Allocator>;

// ---- random numbers -----------------------------------------------------------------------------
using std::minstd_rand;
using std::minstd_rand0;
using default_random_engine = std::minstd_rand;
template <class T = double> class uniform_real_distribution {
    T a, b;

public:
    using result_type = T;
    explicit uniform_real_distribution(T a = 0, T b = 1) : a(a), b(b) {}
    template <class Engine> T operator()(Engine& engine) const {
        T number = T(engine() - Engine::min());
        number /= T(1) + T(Engine::max() - Engine::min());
        return number * (b - a) + a;
    }
};
template <class T = int> class uniform_int_distribution {
    T a, b;

public:
    using result_type = T;
    explicit uniform_int_distribution(T a = 0, T b = std::numeric_limits<T>::max()) : a(a), b(b) {}
    template <class Engine> T operator()(Engine& engine) const {
        uniform_real_distribution<double> real(double(a), double(b) + 1);
        return T(std::floor(real(engine)));
    }
};
namespace random {
using thrust::default_random_engine;
using thrust::uniform_int_distribution;
using thrust::uniform_real_distribution;
}

// ---- algorithms ---------------------------------------------------------------------------------
// Without an execution policy; the names that users call drop it.
namespace port_detail {
template <class T> using Held = std::vector<Cell<T>>;
template <class I> Held<Value<I>> read(I first, I last) {
    Held<Value<I>> held;
    for (; first != last; ++first) held.push_back({Value<I>(*first)});
    return held;
}
template <class V, class O> O write(const Held<V>& held, O out) {
    for (const Cell<V>& cell : held) {
        *out = cell.value;
        ++out;
    }
    return out;
}

struct Algorithms {
    template <class I, class F> static I for_each(I first, I last, F f) {
        for (; first != last; ++first) f(*first);
        return first;
    }
    template <class I, class N, class F> static I for_each_n(I first, N count, F f) {
        for (N i = 0; i < count; ++i, ++first) f(*first);
        return first;
    }
    template <class I, class O, class F> static O transform(I first, I last, O out, F f) {
        for (; first != last; ++first, ++out) *out = f(*first);
        return out;
    }
    template <class I, class J, class O, class F>
    static O transform(I first, I last, J second, O out, F f) {
        for (; first != last; ++first, ++second, ++out) *out = f(*first, *second);
        return out;
    }
    template <class I, class O, class F, class P>
    static O transform_if(I first, I last, O out, F f, P p) {
        for (; first != last; ++first, ++out) {
            if (p(*first)) *out = f(*first);
        }
        return out;
    }
    // The fifth argument is a stencil: one with a second range has one more.
    template <class I, class S, class O, class F, class P>
    static O transform_if(I first, I last, S stencil, O out, F f, P p) {
        for (; first != last; ++first, ++stencil, ++out) {
            if (p(*stencil)) *out = f(*first);
        }
        return out;
    }
    template <class I, class J, class S, class O, class F, class P>
    static O transform_if(I first, I last, J second, S stencil, O out, F f, P p) {
        for (; first != last; ++first, ++second, ++stencil, ++out) {
            if (p(*stencil)) *out = f(*first, *second);
        }
        return out;
    }
    template <class O, class F> static void generate(O first, O last, F f) {
        for (; first != last; ++first) *first = f();
    }
    template <class O, class T> static void sequence(O first, O last, T start) {
        for (; first != last; ++first, start = T(start + T(1))) *first = start;
    }
    template <class O> static void sequence(O first, O last) { sequence(first, last, Value<O>(0)); }
    template <class O, class T> static void sequence(O first, O last, T start, T step) {
        T number = 0;
        for (; first != last; ++first, number = T(number + T(1))) *first = T(start + step * number);
    }
    template <class O, class F> static void tabulate(O first, O last, F f) {
        for (Difference<O> i = 0; first != last; ++first, ++i) *first = f(i);
    }
    template <class O, class T> static void fill(O first, O last, const T& value) {
        for (; first != last; ++first) *first = value;
    }
    template <class O, class N, class T> static O fill_n(O first, N count, const T& value) {
        for (N i = 0; i < count; ++i, ++first) *first = value;
        return first;
    }
    template <class O, class T> static void uninitialized_fill(O first, O last, const T& value) {
        fill(first, last, value);
    }
    template <class I, class O> static O copy(I first, I last, O out) {
        for (; first != last; ++first, ++out) *out = *first;
        return out;
    }
    template <class I, class O> static O uninitialized_copy(I first, I last, O out) {
        return copy(first, last, out);
    }
    template <class I, class N, class O> static O copy_n(I first, N count, O out) {
        for (N i = 0; i < count; ++i, ++first, ++out) *out = *first;
        return out;
    }
    template <class I, class O, class P> static O copy_if(I first, I last, O out, P p) {
        return copy_if(first, last, first, out, p);
    }
    template <class I, class S, class O, class P>
    static O copy_if(I first, I last, S stencil, O out, P p) {
        for (; first != last; ++first, ++stencil) {
            if (p(*stencil)) {
                *out = *first;
                ++out;
            }
        }
        return out;
    }
    template <class I, class J> static J swap_ranges(I first, I last, J second) {
        for (; first != last; ++first, ++second) {
            Value<I> held = *first;
            *first = *second;
            *second = held;
        }
        return second;
    }
    template <class I, class M, class O> static O gather(I first, I last, M from, O out) {
        for (; first != last; ++first, ++out) *out = from[*first];
        return out;
    }
    template <class I, class S, class M, class O>
    static O gather_if(I first, I last, S stencil, M from, O out) {
        return gather_if(first, last, stencil, from, out, identity<>());
    }
    template <class I, class S, class M, class O, class P>
    static O gather_if(I first, I last, S stencil, M from, O out, P p) {
        for (; first != last; ++first, ++stencil, ++out) {
            if (p(*stencil)) *out = from[*first];
        }
        return out;
    }
    template <class I, class M, class O> static void scatter(I first, I last, M map, O out) {
        for (; first != last; ++first, ++map) out[*map] = *first;
    }
    template <class I, class M, class S, class O>
    static void scatter_if(I first, I last, M map, S stencil, O out) {
        scatter_if(first, last, map, stencil, out, identity<>());
    }
    template <class I, class M, class S, class O, class P>
    static void scatter_if(I first, I last, M map, S stencil, O out, P p) {
        for (; first != last; ++first, ++map, ++stencil) {
            if (p(*stencil)) out[*map] = *first;
        }
    }
    template <class I> static void reverse(I first, I last) {
        const auto held = read(first, last);
        for (auto cell = held.rbegin(); cell != held.rend(); ++cell, ++first) *first = cell->value;
    }
    template <class I, class T> static void replace(I first, I last, const T& old, const T& fresh) {
        for (; first != last; ++first) {
            if (*first == old) *first = fresh;
        }
    }
    template <class I, class P, class T>
    static void replace_if(I first, I last, P p, const T& fresh) {
        replace_if(first, last, first, p, fresh);
    }
    template <class I, class S, class P, class T>
    static void replace_if(I first, I last, S stencil, P p, const T& fresh) {
        for (; first != last; ++first, ++stencil) {
            if (p(*stencil)) *first = fresh;
        }
    }

    // Reductions and searches.
    template <class I, class T, class F> static T reduce(I first, I last, T total, F f) {
        for (; first != last; ++first) total = f(total, *first);
        return total;
    }
    template <class I, class T> static T reduce(I first, I last, T total) {
        return reduce(first, last, total, plus<>());
    }
    template <class I> static Value<I> reduce(I first, I last) {
        return reduce(first, last, Value<I>());
    }
    template <class I, class U, class T, class F>
    static T transform_reduce(I first, I last, U unary, T total, F f) {
        for (; first != last; ++first) total = f(total, unary(*first));
        return total;
    }
    template <class I, class J, class T> static T inner_product(I first, I last, J second, T total) {
        return inner_product(first, last, second, total, plus<>(), multiplies<>());
    }
    template <class I, class J, class T, class F, class G>
    static T inner_product(I first, I last, J second, T total, F f, G g) {
        for (; first != last; ++first, ++second) total = f(total, g(*first, *second));
        return total;
    }
    template <class I, class T> static Difference<I> count(I first, I last, const T& value) {
        Difference<I> found = 0;
        for (; first != last; ++first) found += *first == value;
        return found;
    }
    template <class I, class P> static Difference<I> count_if(I first, I last, P p) {
        Difference<I> found = 0;
        for (; first != last; ++first) found += p(*first) ? 1 : 0;
        return found;
    }
    template <class I, class T> static I find(I first, I last, const T& value) {
        while (first != last && !(*first == value)) ++first;
        return first;
    }
    template <class I, class P> static I find_if(I first, I last, P p) {
        while (first != last && !p(*first)) ++first;
        return first;
    }
    template <class I, class P> static I find_if_not(I first, I last, P p) {
        while (first != last && p(*first)) ++first;
        return first;
    }
    template <class I, class P> static bool all_of(I first, I last, P p) {
        return find_if_not(first, last, p) == last;
    }
    template <class I, class P> static bool any_of(I first, I last, P p) {
        return find_if(first, last, p) != last;
    }
    template <class I, class P> static bool none_of(I first, I last, P p) {
        return find_if(first, last, p) == last;
    }
    template <class I, class J> static pair<I, J> mismatch(I first, I last, J second) {
        while (first != last && *first == *second) ++first, ++second;
        return {first, second};
    }
    template <class I, class J> static bool equal(I first, I last, J second) {
        return mismatch(first, last, second).first == last;
    }
    template <class I, class J, class P> static bool equal(I first, I last, J second, P p) {
        while (first != last && p(*first, *second)) ++first, ++second;
        return first == last;
    }
    template <class I, class P = less<>> static I min_element(I first, I last, P p = P()) {
        I best = first;
        for (; first != last; ++first) {
            if (p(*first, *best)) best = first;
        }
        return best;
    }
    template <class I, class P = less<>> static I max_element(I first, I last, P p = P()) {
        I best = first;
        for (; first != last; ++first) {
            if (p(*best, *first)) best = first;
        }
        return best;
    }
    template <class I, class P = less<>> static pair<I, I> minmax_element(I first, I last, P p = P()) {
        return {min_element(first, last, p), max_element(first, last, p)};
    }
    template <class I, class P = less<>> static bool is_sorted(I first, I last, P p = P()) {
        if (first == last) return true;
        for (I next = first + 1; next != last; ++first, ++next) {
            if (p(*next, *first)) return false;
        }
        return true;
    }

    // Prefix sums. An element is read before its place is written.
    template <class I, class O, class F = plus<>>
    static O inclusive_scan(I first, I last, O out, F f = F()) {
        return transform_inclusive_scan(first, last, out, identity<>(), f);
    }
    template <class I, class O, class U, class F>
    static O transform_inclusive_scan(I first, I last, O out, U unary, F f) {
        if (first == last) return out;
        std::decay_t<decltype(unary(*first))> total = unary(*first);
        *out = total;
        for (++first, ++out; first != last; ++first, ++out) *out = total = f(total, unary(*first));
        return out;
    }
    template <class I, class O> static O exclusive_scan(I first, I last, O out) {
        return exclusive_scan(first, last, out, Value<I>(0));
    }
    template <class I, class O, class T, class F = plus<>>
    static O exclusive_scan(I first, I last, O out, T total, F f = F()) {
        return transform_exclusive_scan(first, last, out, identity<>(), total, f);
    }
    template <class I, class O, class U, class T, class F>
    static O transform_exclusive_scan(I first, I last, O out, U unary, T total, F f) {
        for (; first != last; ++first, ++out) {
            T next = f(total, unary(*first));
            *out = total;
            total = next;
        }
        return out;
    }
    template <class K, class I, class O, class E = equal_to<>, class F = plus<>>
    static O inclusive_scan_by_key(K first, K last, I values, O out, E same = E(), F f = F()) {
        if (first == last) return out;
        Value<K> key = *first;
        Value<I> total = *values;
        *out = total;
        for (++first, ++values, ++out; first != last; ++first, ++values, ++out) {
            Value<K> next = *first;
            total = same(key, next) ? Value<I>(f(total, *values)) : Value<I>(*values);
            *out = total;
            key = next;
        }
        return out;
    }
    template <class K, class I, class O>
    static O exclusive_scan_by_key(K first, K last, I values, O out) {
        return exclusive_scan_by_key(first, last, values, out, Value<I>(0));
    }
    template <class K, class I, class O, class T, class E = equal_to<>, class F = plus<>>
    static O exclusive_scan_by_key(K first, K last, I values, O out, T start, E same = E(),
                                   F f = F()) {
        if (first == last) return out;
        Value<K> key = *first;
        T total = start;
        for (; first != last; ++first, ++values, ++out) {
            Value<K> next = *first;
            if (!same(key, next)) total = start;
            T after = f(total, *values);
            *out = total;
            total = after;
            key = next;
        }
        return out;
    }
    template <class K, class I, class KO, class O, class E = equal_to<>, class F = plus<>>
    static pair<KO, O> reduce_by_key(K first, K last, I values, KO keys_out, O out, E same = E(),
                                     F f = F()) {
        while (first != last) {
            Value<K> key = *first;
            Value<I> total = *values;
            for (++first, ++values; first != last && same(key, *first); ++first, ++values) {
                total = f(total, *values);
            }
            *keys_out = key;
            *out = total;
            ++keys_out, ++out;
        }
        return {keys_out, out};
    }
    template <class I, class O, class F = minus<>>
    static O adjacent_difference(I first, I last, O out, F f = F()) {
        if (first == last) return out;
        Value<I> before = *first;
        *out = before;
        for (++first, ++out; first != last; ++first, ++out) {
            Value<I> own = *first;
            *out = f(own, before);
            before = own;
        }
        return out;
    }

    // Order.
    template <class I, class P = less<>> static void sort(I first, I last, P p = P()) {
        auto held = read(first, last);
        std::stable_sort(held.begin(), held.end(),
                         [&](const auto& a, const auto& b) { return p(a.value, b.value); });
        write(held, first);
    }
    template <class I, class P = less<>> static void stable_sort(I first, I last, P p = P()) {
        sort(first, last, p);
    }
    template <class K, class I, class P = less<>>
    static void sort_by_key(K first, K last, I values, P p = P()) {
        const auto keys = read(first, last);
        const auto moved = read(values, values + Difference<I>(keys.size()));
        std::vector<std::size_t> order(keys.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return p(keys[a].value, keys[b].value);
        });
        for (std::size_t i : order) {
            *first = keys[i].value;
            *values = moved[i].value;
            ++first, ++values;
        }
    }
    template <class K, class I, class P = less<>>
    static void stable_sort_by_key(K first, K last, I values, P p = P()) {
        sort_by_key(first, last, values, p);
    }
    template <class I, class J, class O, class P = less<>>
    static O merge(I first, I last, J second, J end, O out, P p = P()) {
        while (first != last || second != end) {
            const bool other = first == last || (second != end && p(*second, *first));
            if (other) *out = *second, ++second;
            else *out = *first, ++first;
            ++out;
        }
        return out;
    }
    template <class I, class J, class O, class P = less<>>
    static O set_intersection(I first, I last, J second, J end, O out, P p = P()) {
        while (first != last && second != end) {
            if (p(*first, *second)) {
                ++first;
            } else if (p(*second, *first)) {
                ++second;
            } else {
                *out = *first;
                ++first, ++second, ++out;
            }
        }
        return out;
    }
    template <class I, class J, class O, class P = less<>>
    static O set_difference(I first, I last, J second, J end, O out, P p = P()) {
        while (first != last) {
            if (second == end || p(*first, *second)) {
                *out = *first;
                ++first, ++out;
            } else if (p(*second, *first)) {
                ++second;
            } else {
                ++first, ++second;
            }
        }
        return out;
    }
    template <class I, class J, class O, class P = less<>>
    static O set_union(I first, I last, J second, J end, O out, P p = P()) {
        while (first != last || second != end) {
            if (second == end || (first != last && p(*first, *second))) {
                *out = *first, ++first;
            } else if (first == last || p(*second, *first)) {
                *out = *second, ++second;
            } else {
                *out = *first;
                ++first, ++second;
            }
            ++out;
        }
        return out;
    }
    // One value, or a range of them with a place for each answer.
    template <class I, class T, class P = less<>>
    static I lower_bound(I first, I last, const T& value, P p = P()) {
        return point(first, last, [&](const auto& x) { return p(x, value); });
    }
    template <class I, class T, class P = less<>>
    static I upper_bound(I first, I last, const T& value, P p = P()) {
        return point(first, last, [&](const auto& x) { return !p(value, x); });
    }
    template <class I, class T, class P = less<>>
    static bool binary_search(I first, I last, const T& value, P p = P()) {
        I at = lower_bound(first, last, value, p);
        return at != last && !p(value, *at);
    }
    template <class I, class T, class P = less<>>
    static pair<I, I> equal_range(I first, I last, const T& value, P p = P()) {
        return {lower_bound(first, last, value, p), upper_bound(first, last, value, p)};
    }
    template <class I, class J, class O, class P = less<>,
              class = typename std::iterator_traits<J>::iterator_category>
    static O lower_bound(I first, I last, J value, J end, O out, P p = P()) {
        for (; value != end; ++value, ++out) *out = lower_bound(first, last, *value, p) - first;
        return out;
    }
    template <class I, class J, class O, class P = less<>,
              class = typename std::iterator_traits<J>::iterator_category>
    static O upper_bound(I first, I last, J value, J end, O out, P p = P()) {
        for (; value != end; ++value, ++out) *out = upper_bound(first, last, *value, p) - first;
        return out;
    }
    template <class I, class J, class O, class P = less<>,
              class = typename std::iterator_traits<J>::iterator_category>
    static O binary_search(I first, I last, J value, J end, O out, P p = P()) {
        for (; value != end; ++value, ++out) *out = binary_search(first, last, *value, p);
        return out;
    }

    // What stays, in its order.
    template <class I, class P> static I remove_if(I first, I last, P p) {
        return remove_if(first, last, first, p);
    }
    template <class I, class S, class P> static I remove_if(I first, I last, S stencil, P p) {
        I out = first;
        // The stencil may be the range itself: it is read before the place is written.
        for (; first != last; ++first, ++stencil) {
            if (p(*stencil)) continue;
            Value<I> held = *first;
            *out = held;
            ++out;
        }
        return out;
    }
    template <class I, class T> static I remove(I first, I last, const T& value) {
        const T own = value;
        return remove_if(first, last, [&](const auto& x) { return x == own; });
    }
    template <class I, class O, class P> static O remove_copy_if(I first, I last, O out, P p) {
        return copy_if(first, last, out, [&](const auto& x) { return !p(x); });
    }
    template <class I, class S, class O, class P>
    static O remove_copy_if(I first, I last, S stencil, O out, P p) {
        return copy_if(first, last, stencil, out, [&](const auto& x) { return !p(x); });
    }
    template <class I, class O, class T>
    static O remove_copy(I first, I last, O out, const T& value) {
        return copy_if(first, last, out, [&](const auto& x) { return !(x == value); });
    }
    template <class I, class E = equal_to<>> static I unique(I first, I last, E same = E()) {
        return unique_copy(first, last, first, same);
    }
    template <class I, class O, class E = equal_to<>>
    static O unique_copy(I first, I last, O out, E same = E()) {
        if (first == last) return out;
        Value<I> kept = *first;
        *out = kept;
        for (++first, ++out; first != last; ++first) {
            if (same(kept, *first)) continue;
            *out = kept = *first;
            ++out;
        }
        return out;
    }
    template <class I, class E = equal_to<>>
    static Difference<I> unique_count(I first, I last, E same = E()) {
        return unique_copy(first, last, discard_iterator<>(), same) - discard_iterator<>();
    }
    template <class K, class I, class E = equal_to<>>
    static pair<K, I> unique_by_key(K first, K last, I values, E same = E()) {
        return unique_by_key_copy(first, last, values, first, values, same);
    }
    template <class K, class I, class KO, class O, class E = equal_to<>>
    static pair<KO, O> unique_by_key_copy(K first, K last, I values, KO keys_out, O out,
                                          E same = E()) {
        while (first != last) {
            Value<K> key = *first;
            Value<I> value = *values;
            for (++first, ++values; first != last && same(key, *first); ++first) ++values;
            *keys_out = key;
            *out = value;
            ++keys_out, ++out;
        }
        return {keys_out, out};
    }
    template <class I, class P> static I stable_partition(I first, I last, P p) {
        return stable_partition(first, last, first, p);
    }
    template <class I, class S, class P>
    static I stable_partition(I first, I last, S stencil, P p) {
        Held<Value<I>> yes, no;
        for (I at = first; at != last; ++at, ++stencil) (p(*stencil) ? yes : no).push_back({*at});
        I middle = write(yes, first);
        write(no, middle);
        return middle;
    }
    template <class I, class P> static I partition(I first, I last, P p) {
        return stable_partition(first, last, p);
    }
    template <class I, class S, class P> static I partition(I first, I last, S stencil, P p) {
        return stable_partition(first, last, stencil, p);
    }
    template <class I, class Y, class N, class P>
    static pair<Y, N> partition_copy(I first, I last, Y yes, N no, P p) {
        for (; first != last; ++first) {
            if (p(*first)) *yes = *first, ++yes;
            else *no = *first, ++no;
        }
        return {yes, no};
    }
    template <class I, class Y, class N, class P>
    static pair<Y, N> stable_partition_copy(I first, I last, Y yes, N no, P p) {
        return partition_copy(first, last, yes, no, p);
    }

private:
    // The first element for which `p` does not hold, of a range where it holds first.
    template <class I, class P> static I point(I first, I last, P p) {
        auto count = last - first;
        while (count > 0) {
            const auto half = count / 2;
            if (p(*(first + half))) {
                first += half + 1;
                count -= half + 1;
            } else {
                count = half;
            }
        }
        return first;
    }
};
}  // namespace port_detail

#define PORT_THRUST(name)                                                                        \
    template <class First, class... Rest> auto name(First&& first, Rest&&... rest) {             \
        if constexpr (port_detail::is_policy<First>) {                                           \
            return port_detail::Algorithms::name(std::forward<Rest>(rest)...);                   \
        } else {                                                                                 \
            return port_detail::Algorithms::name(std::forward<First>(first),                     \
                                                 std::forward<Rest>(rest)...);                   \
        }                                                                                        \
    }
PORT_THRUST(adjacent_difference)
PORT_THRUST(all_of)
PORT_THRUST(any_of)
PORT_THRUST(binary_search)
PORT_THRUST(copy)
PORT_THRUST(copy_if)
PORT_THRUST(copy_n)
PORT_THRUST(count)
PORT_THRUST(count_if)
PORT_THRUST(equal)
PORT_THRUST(equal_range)
PORT_THRUST(exclusive_scan)
PORT_THRUST(exclusive_scan_by_key)
PORT_THRUST(fill)
PORT_THRUST(fill_n)
PORT_THRUST(find)
PORT_THRUST(find_if)
PORT_THRUST(find_if_not)
PORT_THRUST(for_each)
PORT_THRUST(for_each_n)
PORT_THRUST(gather)
PORT_THRUST(gather_if)
PORT_THRUST(generate)
PORT_THRUST(inclusive_scan)
PORT_THRUST(inclusive_scan_by_key)
PORT_THRUST(inner_product)
PORT_THRUST(is_sorted)
PORT_THRUST(lower_bound)
PORT_THRUST(max_element)
PORT_THRUST(merge)
PORT_THRUST(min_element)
PORT_THRUST(minmax_element)
PORT_THRUST(mismatch)
PORT_THRUST(none_of)
PORT_THRUST(partition)
PORT_THRUST(partition_copy)
PORT_THRUST(reduce)
PORT_THRUST(reduce_by_key)
PORT_THRUST(remove)
PORT_THRUST(remove_copy)
PORT_THRUST(remove_copy_if)
PORT_THRUST(remove_if)
PORT_THRUST(replace)
PORT_THRUST(replace_if)
PORT_THRUST(reverse)
PORT_THRUST(scatter)
PORT_THRUST(scatter_if)
PORT_THRUST(sequence)
PORT_THRUST(set_difference)
PORT_THRUST(set_intersection)
PORT_THRUST(set_union)
PORT_THRUST(sort)
PORT_THRUST(sort_by_key)
PORT_THRUST(stable_partition)
PORT_THRUST(stable_partition_copy)
PORT_THRUST(stable_sort)
PORT_THRUST(stable_sort_by_key)
PORT_THRUST(swap_ranges)
PORT_THRUST(tabulate)
PORT_THRUST(transform)
PORT_THRUST(transform_exclusive_scan)
PORT_THRUST(transform_if)
PORT_THRUST(transform_inclusive_scan)
PORT_THRUST(transform_reduce)
PORT_THRUST(uninitialized_copy)
PORT_THRUST(uninitialized_fill)
PORT_THRUST(unique)
PORT_THRUST(unique_by_key)
PORT_THRUST(unique_by_key_copy)
PORT_THRUST(unique_copy)
PORT_THRUST(unique_count)
PORT_THRUST(upper_bound)
#undef PORT_THRUST
}  // namespace thrust
