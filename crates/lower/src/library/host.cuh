// What host code keeps its data in, of the C++ library and of Thrust, in namespace std: only what
// types follow from, so that templates which are called with them can be deduced. Nothing of it is
// lowered. Constructors take anything: whether a call is valid is another compiler's concern.

namespace std {

template <typename T> struct __port_sequence_of {
  using value_type = T;
  using size_type = unsigned long;
  using difference_type = long;
  using reference = T &;
  using const_reference = const T &;
  using pointer = T *;
  using iterator = T *;
  using const_iterator = const T *;
  unsigned long size() const;
  unsigned long capacity() const;
  bool empty() const;
  T &operator[](unsigned long);
  const T &operator[](unsigned long) const;
  T &at(unsigned long);
  const T &at(unsigned long) const;
  T &front();
  const T &front() const;
  T &back();
  const T &back() const;
  T *begin();
  const T *begin() const;
  T *end();
  const T *end() const;
  const T *cbegin() const;
  const T *cend() const;
  template <typename... A> void resize(A...);
  template <typename... A> void assign(A...);
  template <typename... A> T &emplace_back(A...);
  template <typename... A> T *insert(A...);
  void reserve(unsigned long);
  void push_back(const T &);
  void pop_back();
  void clear();
  T *held_[3];
};

template <typename T, typename A = void> struct vector : __port_sequence_of<T> {
  template <typename... V> vector(V...);
  T *data();
  const T *data() const;
};
template <typename T, typename A = void> struct deque : __port_sequence_of<T> {
  template <typename... V> deque(V...);
};
template <typename T, unsigned long n = 0> struct span : __port_sequence_of<T> {
  template <typename... V> span(V...);
  T *data() const;
};

template <typename T> struct __port_handle_of {
  using element_type = T;
  T *get() const;
  T &operator*() const;
  T *operator->() const;
  T &operator[](long) const;
  template <typename... V> void reset(V...);
  explicit operator bool() const;
  T *held_;
};
template <typename T, typename D = void> struct unique_ptr : __port_handle_of<T> {
  template <typename... V> unique_ptr(V...);
  T *release();
};
template <typename T, typename D> struct unique_ptr<T[], D> : __port_handle_of<T> {
  template <typename... V> unique_ptr(V...);
  T *release();
};
template <typename T> struct shared_ptr : __port_handle_of<T> {
  template <typename... V> shared_ptr(V...);
};
template <typename T> struct shared_ptr<T[]> : __port_handle_of<T> {
  template <typename... V> shared_ptr(V...);
};
template <typename T, typename... V> unique_ptr<T> make_unique(V...);
template <typename T, typename... V> shared_ptr<T> make_shared(V...);

// Of Thrust, whose names are kept under std, too.
template <typename T> struct device_ptr : __port_handle_of<T> {
  template <typename... V> device_ptr(V...);
};
template <typename T, typename A = void> struct device_vector : __port_sequence_of<T> {
  template <typename... V> device_vector(V...);
  device_ptr<T> data();
  device_ptr<const T> data() const;
};
template <typename T, typename A = void> struct host_vector : __port_sequence_of<T> {
  template <typename... V> host_vector(V...);
  T *data();
  const T *data() const;
};
template <typename T> T *raw_pointer_cast(T *);
template <typename T> T *raw_pointer_cast(const device_ptr<T> &);
template <typename T> device_ptr<T> device_pointer_cast(T *);

}  // namespace std
