// The part of the C++ standard library that device code uses, in namespace std. What is only
// declared here is an operation of its own; what has a body is lowered as it stands.

namespace std {

// Answered by the lowering itself.
template <typename T> struct __port_decay;
template <typename T> struct __port_make_unsigned;
template <typename T> struct __port_make_signed;
template <typename T> struct __port_underlying_type;
template <typename T> T &&declval();

template <typename T, T v>
struct integral_constant {
  static constexpr T value = v;
  using value_type = T;
  using type = integral_constant<T, v>;
  __host__ __device__ constexpr operator T() const { return v; }
  __host__ __device__ constexpr T operator()() const { return v; }
};
template <bool b>
using bool_constant = integral_constant<bool, b>;
using true_type = integral_constant<bool, true>;
using false_type = integral_constant<bool, false>;

template <typename T, typename U> struct is_same : false_type {};
template <typename T> struct is_same<T, T> : true_type {};
template <typename T, typename U> constexpr bool is_same_v = is_same<T, U>::value;

template <bool b, typename T, typename F> struct conditional { using type = T; };
template <typename T, typename F> struct conditional<false, T, F> { using type = F; };
template <bool b, typename T, typename F> using conditional_t = typename conditional<b, T, F>::type;

template <bool b, typename T = void> struct enable_if {};
template <typename T> struct enable_if<true, T> { using type = T; };
template <bool b, typename T = void> using enable_if_t = typename enable_if<b, T>::type;

template <typename... T> using void_t = void;

template <typename T> struct remove_const { using type = T; };
template <typename T> struct remove_const<const T> { using type = T; };
template <typename T> using remove_const_t = typename remove_const<T>::type;
template <typename T> struct remove_volatile { using type = T; };
template <typename T> struct remove_volatile<volatile T> { using type = T; };
template <typename T> using remove_volatile_t = typename remove_volatile<T>::type;
template <typename T> struct remove_cv { using type = remove_volatile_t<remove_const_t<T>>; };
template <typename T> using remove_cv_t = typename remove_cv<T>::type;
template <typename T> struct remove_reference { using type = T; };
template <typename T> struct remove_reference<T &> { using type = T; };
template <typename T> struct remove_reference<T &&> { using type = T; };
template <typename T> using remove_reference_t = typename remove_reference<T>::type;
template <typename T> struct remove_cvref { using type = remove_cv_t<remove_reference_t<T>>; };
template <typename T> using remove_cvref_t = typename remove_cvref<T>::type;
template <typename T> struct remove_pointer { using type = T; };
template <typename T> struct remove_pointer<T *> { using type = T; };
template <typename T> struct remove_pointer<T *const> { using type = T; };
template <typename T> using remove_pointer_t = typename remove_pointer<T>::type;
template <typename T> struct remove_extent { using type = T; };
template <typename T, unsigned long n> struct remove_extent<T[n]> { using type = T; };
template <typename T> using remove_extent_t = typename remove_extent<T>::type;
template <typename T> struct add_const { using type = const T; };
template <typename T> using add_const_t = typename add_const<T>::type;
template <typename T> struct add_pointer { using type = remove_reference_t<T> *; };
template <typename T> using add_pointer_t = typename add_pointer<T>::type;
template <typename T> struct add_lvalue_reference { using type = T &; };
template <typename T> using add_lvalue_reference_t = typename add_lvalue_reference<T>::type;
template <typename T> struct add_rvalue_reference { using type = T &&; };
template <typename T> using add_rvalue_reference_t = typename add_rvalue_reference<T>::type;
template <typename T> struct decay { using type = __port_decay<T>; };
template <typename T> using decay_t = typename decay<T>::type;
template <typename T> struct type_identity { using type = T; };
template <typename T> using type_identity_t = typename type_identity<T>::type;
template <typename T> struct make_unsigned { using type = __port_make_unsigned<T>; };
template <typename T> using make_unsigned_t = typename make_unsigned<T>::type;
template <typename T> struct make_signed { using type = __port_make_signed<T>; };
template <typename T> using make_signed_t = typename make_signed<T>::type;
template <typename T> struct underlying_type { using type = __port_underlying_type<T>; };
template <typename T> using underlying_type_t = typename underlying_type<T>::type;

template <typename T> struct is_void : bool_constant<__is_same(remove_cv_t<T>, void)> {};
template <typename T> constexpr bool is_void_v = is_void<T>::value;
template <typename T> struct is_integral : bool_constant<__is_integral(T)> {};
template <typename T> constexpr bool is_integral_v = is_integral<T>::value;
template <typename T> struct is_floating_point : bool_constant<__is_floating_point(T)> {};
template <typename T> constexpr bool is_floating_point_v = is_floating_point<T>::value;
template <typename T> struct is_arithmetic : bool_constant<__is_arithmetic(T)> {};
template <typename T> constexpr bool is_arithmetic_v = is_arithmetic<T>::value;
template <typename T> struct is_signed : bool_constant<__is_signed(T)> {};
template <typename T> constexpr bool is_signed_v = is_signed<T>::value;
template <typename T> struct is_unsigned : bool_constant<__is_unsigned(T)> {};
template <typename T> constexpr bool is_unsigned_v = is_unsigned<T>::value;
template <typename T> struct is_scalar : bool_constant<__is_scalar(T)> {};
template <typename T> constexpr bool is_scalar_v = is_scalar<T>::value;
template <typename T> struct is_enum : bool_constant<__is_enum(T)> {};
template <typename T> constexpr bool is_enum_v = is_enum<T>::value;
template <typename T> struct is_class : bool_constant<__is_class(T)> {};
template <typename T> constexpr bool is_class_v = is_class<T>::value;
template <typename T> struct is_pointer : bool_constant<__is_pointer(T)> {};
template <typename T> constexpr bool is_pointer_v = is_pointer<T>::value;
template <typename T> struct is_array : bool_constant<__is_array(T)> {};
template <typename T> constexpr bool is_array_v = is_array<T>::value;
template <typename T> struct is_reference : bool_constant<__is_reference(T)> {};
template <typename T> constexpr bool is_reference_v = is_reference<T>::value;
template <typename T> struct is_lvalue_reference : bool_constant<__is_lvalue_reference(T)> {};
template <typename T> constexpr bool is_lvalue_reference_v = is_lvalue_reference<T>::value;
template <typename T> struct is_rvalue_reference : bool_constant<__is_rvalue_reference(T)> {};
template <typename T> constexpr bool is_rvalue_reference_v = is_rvalue_reference<T>::value;
template <typename T> struct is_const : bool_constant<__is_const(T)> {};
template <typename T> constexpr bool is_const_v = is_const<T>::value;
template <typename T> struct is_volatile : bool_constant<__is_volatile(T)> {};
template <typename T> constexpr bool is_volatile_v = is_volatile<T>::value;
template <typename T> struct is_trivially_copyable : bool_constant<__is_trivially_copyable(T)> {};
template <typename T> constexpr bool is_trivially_copyable_v = is_trivially_copyable<T>::value;
template <typename T> struct is_empty : bool_constant<__is_empty(T)> {};
template <typename T> constexpr bool is_empty_v = is_empty<T>::value;
template <typename B, typename D> struct is_base_of : bool_constant<__is_base_of(B, D)> {};
template <typename B, typename D> constexpr bool is_base_of_v = is_base_of<B, D>::value;
template <typename F, typename T> struct is_convertible : bool_constant<__is_convertible(F, T)> {};
template <typename F, typename T> constexpr bool is_convertible_v = is_convertible<F, T>::value;
template <typename T> struct alignment_of : integral_constant<unsigned long, alignof(T)> {};
template <typename T> constexpr unsigned long alignment_of_v = alignof(T);

template <bool... b> struct __port_all : bool_constant<(b && ...)> {};
template <bool... b> struct __port_any : bool_constant<(b || ...)> {};
template <typename... T> struct conjunction : __port_all<bool(T::value)...> {};
template <typename... T> constexpr bool conjunction_v = conjunction<T...>::value;
template <typename... T> struct disjunction : __port_any<bool(T::value)...> {};
template <typename... T> constexpr bool disjunction_v = disjunction<T...>::value;
template <typename T> struct negation : bool_constant<!bool(T::value)> {};
template <typename T> constexpr bool negation_v = negation<T>::value;

template <typename F, typename... A> struct invoke_result {
  using type = decltype(declval<F>()(declval<A>()...));
};
template <typename F, typename... A> using invoke_result_t = typename invoke_result<F, A...>::type;
template <typename S> struct result_of;
template <typename F, typename... A> struct result_of<F(A...)> {
  using type = decltype(declval<F>()(declval<A>()...));
};
template <typename S> using result_of_t = typename result_of<S>::type;
template <typename... T> struct common_type;
template <typename T> struct common_type<T> { using type = T; };
template <typename T, typename U> struct common_type<T, U> {
  using type = decltype(true ? declval<T>() : declval<U>());
};
template <typename... T> using common_type_t = typename common_type<T...>::type;

template <typename T, T... v> struct integer_sequence {
  using value_type = T;
  __host__ __device__ static constexpr unsigned long size() { return sizeof...(v); }
};
template <unsigned long... v> using index_sequence = integer_sequence<unsigned long, v...>;
template <typename T, unsigned long n, T... v> struct __port_sequence
    : __port_sequence<T, n - 1, n - 1, v...> {};
template <typename T, T... v> struct __port_sequence<T, 0, v...> {
  using type = integer_sequence<T, v...>;
};
template <typename T, T n> using make_integer_sequence = typename __port_sequence<T, n>::type;
template <unsigned long n> using make_index_sequence = typename __port_sequence<unsigned long, n>::type;
template <typename... T> using index_sequence_for = make_index_sequence<sizeof...(T)>;

template <typename T>
__host__ __device__ constexpr T max(T a, T b);
template <typename T>
__host__ __device__ constexpr T min(T a, T b);
template <typename T>
__host__ __device__ constexpr T clamp(T v, T lo, T hi) {
  return v < lo ? lo : hi < v ? hi : v;
}
template <typename T>
__host__ __device__ constexpr void swap(T &a, T &b) {
  T t = a;
  a = b;
  b = t;
}
template <typename T, typename U = T>
__host__ __device__ constexpr T exchange(T &a, U b) {
  T t = a;
  a = b;
  return t;
}

template <typename A, typename B>
struct pair {
  using first_type = A;
  using second_type = B;
  A first;
  B second;
  __host__ __device__ constexpr pair() : first(), second() {}
  __host__ __device__ constexpr pair(const A &a, const B &b) : first(a), second(b) {}
  template <typename C, typename D>
  __host__ __device__ constexpr pair(const pair<C, D> &p) : first(p.first), second(p.second) {}
};
template <typename A, typename B>
__host__ __device__ constexpr pair<A, B> make_pair(A a, B b) { return pair<A, B>(a, b); }

template <typename T, unsigned long n>
struct array {
  using value_type = T;
  T elements[n];
  __host__ __device__ constexpr T &operator[](unsigned long i) { return elements[i]; }
  __host__ __device__ constexpr const T &operator[](unsigned long i) const { return elements[i]; }
  __host__ __device__ constexpr T *data() { return elements; }
  __host__ __device__ constexpr const T *data() const { return elements; }
  __host__ __device__ constexpr T *begin() { return elements; }
  __host__ __device__ constexpr const T *begin() const { return elements; }
  __host__ __device__ constexpr T *end() { return elements + n; }
  __host__ __device__ constexpr const T *end() const { return elements + n; }
  __host__ __device__ constexpr T &front() { return elements[0]; }
  __host__ __device__ constexpr T &back() { return elements[n - 1]; }
  __host__ __device__ static constexpr unsigned long size() { return n; }
  __host__ __device__ constexpr void fill(const T &v) {
    for (unsigned long i = 0; i < n; ++i) elements[i] = v;
  }
};

template <typename T = void> struct plus {
  __host__ __device__ constexpr T operator()(const T &a, const T &b) const { return a + b; }
};
template <> struct plus<void> {
  template <typename T, typename U>
  __host__ __device__ constexpr auto operator()(const T &a, const U &b) const { return a + b; }
};
template <typename T = void> struct minus {
  __host__ __device__ constexpr T operator()(const T &a, const T &b) const { return a - b; }
};
template <typename T = void> struct multiplies {
  __host__ __device__ constexpr T operator()(const T &a, const T &b) const { return a * b; }
};
template <typename T = void> struct divides {
  __host__ __device__ constexpr T operator()(const T &a, const T &b) const { return a / b; }
};
template <typename T = void> struct less {
  __host__ __device__ constexpr bool operator()(const T &a, const T &b) const { return a < b; }
};
template <typename T = void> struct greater {
  __host__ __device__ constexpr bool operator()(const T &a, const T &b) const { return a > b; }
};
template <typename T = void> struct equal_to {
  __host__ __device__ constexpr bool operator()(const T &a, const T &b) const { return a == b; }
};
template <typename T = void> struct maximum {
  __host__ __device__ constexpr T operator()(const T &a, const T &b) const { return a < b ? b : a; }
};
template <typename T = void> struct minimum {
  __host__ __device__ constexpr T operator()(const T &a, const T &b) const { return b < a ? b : a; }
};

// A value of type T is in [lowest, max]; integers by their width, floats by their format.
template <typename T> struct numeric_limits {
  static constexpr bool is_specialized = __is_arithmetic(T);
  static constexpr bool is_signed = __is_signed(T);
  static constexpr bool is_integer = __is_integral(T);
  static constexpr int digits = int(sizeof(T)) * 8 - (__is_signed(T) ? 1 : 0);
  __host__ __device__ static constexpr T max() {
    return __is_signed(T) ? T((1ull << (sizeof(T) * 8 - 1)) - 1) : T(~0ull);
  }
  __host__ __device__ static constexpr T min() {
    return __is_signed(T) ? T(1ull << (sizeof(T) * 8 - 1)) : T(0);
  }
  __host__ __device__ static constexpr T lowest() { return min(); }
};
template <typename T> struct numeric_limits<const T> : numeric_limits<T> {};
template <> struct numeric_limits<bool> {
  static constexpr bool is_specialized = true, is_signed = false, is_integer = true;
  static constexpr int digits = 1;
  __host__ __device__ static constexpr bool max() { return true; }
  __host__ __device__ static constexpr bool min() { return false; }
  __host__ __device__ static constexpr bool lowest() { return false; }
};
template <> struct numeric_limits<float> {
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false;
  static constexpr bool has_infinity = true, has_quiet_NaN = true;
  static constexpr int digits = 24;
  __host__ __device__ static constexpr float max() { return 3.402823466e+38f; }
  __host__ __device__ static constexpr float min() { return 1.175494351e-38f; }
  __host__ __device__ static constexpr float lowest() { return -3.402823466e+38f; }
  __host__ __device__ static constexpr float epsilon() { return 1.1920928955078125e-07f; }
  __host__ __device__ static constexpr float infinity() { return INFINITY; }
  __host__ __device__ static constexpr float quiet_NaN() { return NAN; }
  __host__ __device__ static constexpr float denorm_min() { return 1.401298464324817e-45f; }
};
template <> struct numeric_limits<double> {
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false;
  static constexpr bool has_infinity = true, has_quiet_NaN = true;
  static constexpr int digits = 53;
  __host__ __device__ static constexpr double max() { return 1.7976931348623157e+308; }
  __host__ __device__ static constexpr double min() { return 2.2250738585072014e-308; }
  __host__ __device__ static constexpr double lowest() { return -1.7976931348623157e+308; }
  __host__ __device__ static constexpr double epsilon() { return 2.220446049250313e-16; }
  __host__ __device__ static constexpr double infinity() { return HUGE_VAL; }
  __host__ __device__ static constexpr double quiet_NaN() { return NAN; }
  __host__ __device__ static constexpr double denorm_min() { return 4.9406564584124654e-324; }
};
template <> struct numeric_limits<__half> {
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false;
  static constexpr int digits = 11;
  __host__ __device__ static constexpr __half max() { return __half(65504.0f); }
  __host__ __device__ static constexpr __half min() { return __half(6.103515625e-05f); }
  __host__ __device__ static constexpr __half lowest() { return __half(-65504.0f); }
  __host__ __device__ static constexpr __half epsilon() { return __half(0.0009765625f); }
  __host__ __device__ static constexpr __half infinity() { return __half(INFINITY); }
  __host__ __device__ static constexpr __half quiet_NaN() { return __half(NAN); }
};
template <> struct numeric_limits<__nv_bfloat16> {
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false;
  static constexpr int digits = 8;
  __host__ __device__ static constexpr __nv_bfloat16 max() {
    return __nv_bfloat16(3.3895313892515355e+38f);
  }
  __host__ __device__ static constexpr __nv_bfloat16 min() {
    return __nv_bfloat16(1.175494351e-38f);
  }
  __host__ __device__ static constexpr __nv_bfloat16 lowest() {
    return __nv_bfloat16(-3.3895313892515355e+38f);
  }
  __host__ __device__ static constexpr __nv_bfloat16 epsilon() { return __nv_bfloat16(0.0078125f); }
  __host__ __device__ static constexpr __nv_bfloat16 infinity() { return __nv_bfloat16(INFINITY); }
  __host__ __device__ static constexpr __nv_bfloat16 quiet_NaN() { return __nv_bfloat16(NAN); }
};

}  // namespace std
