// Shuffles of any type, for the libraries that are made of them.

// Lanes exchange objects of any class word by word.
#define PORT_SHUFFLE(NAME, FUNCTION, BY)                                                     \
  template <typename T> __device__ T NAME(unsigned int mask, T v, BY by, int width = 32) {   \
    if constexpr (std::is_class<T>::value) {                                                 \
      T result = v;                                                                          \
      unsigned int *words = (unsigned int *)&result;                                         \
      for (int i = 0; i < (int)(sizeof(T) / 4); ++i) {                                       \
        words[i] = FUNCTION(mask, words[i], by, width);                                      \
      }                                                                                      \
      unsigned char *bytes = (unsigned char *)&result;                                       \
      for (int i = (int)(sizeof(T) / 4 * 4); i < (int)sizeof(T); ++i) {                      \
        bytes[i] = (unsigned char)FUNCTION(mask, (unsigned int)bytes[i], by, width);         \
      }                                                                                      \
      return result;                                                                         \
    } else {                                                                                 \
      return FUNCTION(mask, v, by, width);                                                   \
    }                                                                                        \
  }
PORT_SHUFFLE(__port_shuffle, __shfl_sync, int)
PORT_SHUFFLE(__port_shuffle_up, __shfl_up_sync, unsigned int)
PORT_SHUFFLE(__port_shuffle_down, __shfl_down_sync, unsigned int)
PORT_SHUFFLE(__port_shuffle_xor, __shfl_xor_sync, int)

