// Warp functions under CUDA's names.
#pragma once

#include <port_oracle/warp.hpp>

#define PORT_ORACLE_SITE port_oracle::Site site = port_oracle::Site::here()

// PTX `shfl` takes the lower bits of a lane or distance only.
#define PORT_ORACLE_SHUFFLE(name, kind, argument)                                                  \
    template <class T>                                                                             \
    inline T name(unsigned mask, T value, argument lane, int width = warpSize, PORT_ORACLE_SITE) { \
        unsigned segment = port_oracle::check_width(width, #name, site);                           \
        return port_oracle::shuffle_named(                                                         \
            mask, value,                                                                           \
            port_oracle::shuffle_source(port_oracle::Shuffle::kind, port_oracle::lane_index,       \
                                        static_cast<unsigned>(lane) &                              \
                                            (port_oracle::warp_width - 1),                         \
                                        segment),                                                  \
            #name, site);                                                                          \
    }
PORT_ORACLE_SHUFFLE(__shfl_sync, index, int)
PORT_ORACLE_SHUFFLE(__shfl_up_sync, up, unsigned)
PORT_ORACLE_SHUFFLE(__shfl_down_sync, down, unsigned)
PORT_ORACLE_SHUFFLE(__shfl_xor_sync, exclusive, int)
#undef PORT_ORACLE_SHUFFLE

inline unsigned __ballot_sync(unsigned mask, int predicate, PORT_ORACLE_SITE) {
    return unsigned(port_oracle::vote_named(mask, predicate != 0, "__ballot_sync", site).ballot);
}
inline int __any_sync(unsigned mask, int predicate, PORT_ORACLE_SITE) {
    return port_oracle::vote_named(mask, predicate != 0, "__any_sync", site).ballot != 0;
}
inline int __all_sync(unsigned mask, int predicate, PORT_ORACLE_SITE) {
    auto vote = port_oracle::vote_named(mask, predicate != 0, "__all_sync", site);
    return vote.ballot == vote.lanes;
}
inline int __uni_sync(unsigned mask, int predicate, PORT_ORACLE_SITE) {
    auto vote = port_oracle::vote_named(mask, predicate != 0, "__uni_sync", site);
    return vote.ballot == vote.lanes || vote.ballot == 0;
}
inline unsigned __activemask(PORT_ORACLE_SITE) {
    return unsigned(port_oracle::active_lanes("__activemask", site));
}
inline void __syncwarp(unsigned mask = 0xffffffffu, PORT_ORACLE_SITE) {
    port_oracle::synchronise_named(mask, "__syncwarp", site);
}

template <class T>
inline unsigned __match_any_sync(unsigned mask, T value, PORT_ORACLE_SITE) {
    return unsigned(port_oracle::match_named(mask, value, "__match_any_sync", site).same);
}
template <class T>
inline unsigned __match_all_sync(unsigned mask, T value, int* all, PORT_ORACLE_SITE) {
    auto match = port_oracle::match_named(mask, value, "__match_all_sync", site);
    *all = match.all;
    return match.all ? unsigned(match.same) : 0u;
}

#define PORT_ORACLE_REDUCE(name, T, expression)                                                    \
    inline T name(unsigned mask, T value, PORT_ORACLE_SITE) {                                      \
        return port_oracle::reduce_named<T>(                                                       \
            mask, value, [](T a, T b) -> T { return expression; }, #name, site);                   \
    }
PORT_ORACLE_REDUCE(__reduce_add_sync, unsigned, a + b)
PORT_ORACLE_REDUCE(__reduce_add_sync, int, int(unsigned(a) + unsigned(b)))
PORT_ORACLE_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
PORT_ORACLE_REDUCE(__reduce_min_sync, int, a < b ? a : b)
PORT_ORACLE_REDUCE(__reduce_max_sync, unsigned, a > b ? a : b)
PORT_ORACLE_REDUCE(__reduce_max_sync, int, a > b ? a : b)
PORT_ORACLE_REDUCE(__reduce_and_sync, unsigned, a & b)
PORT_ORACLE_REDUCE(__reduce_or_sync, unsigned, a | b)
PORT_ORACLE_REDUCE(__reduce_xor_sync, unsigned, a ^ b)
#undef PORT_ORACLE_REDUCE
