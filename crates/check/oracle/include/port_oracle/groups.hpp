// Cooperative groups. Under CUDA's names the operations of tiles and coalesced groups name their
// lanes; under HIP's they meet the lanes that execute the same call, as HIP 5.2's do.
#pragma once

#include "warp.hpp"

#define PORT_GROUP_SITE port_oracle::Site site = port_oracle::Site::here()

namespace cooperative_groups {

namespace detail {

inline unsigned thread_number() {
    return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
}
inline unsigned block_threads() { return blockDim.x * blockDim.y * blockDim.z; }

template <class T>
inline T shuffle(std::uint64_t lanes, T value, unsigned source, const char* what,
                 port_oracle::Site site) {
#ifdef PORT_ORACLE_HIP
    (void)lanes;
    return port_oracle::shuffle_converged(value, source, what, site);
#else
    return port_oracle::shuffle_named(lanes, value, source, what, site);
#endif
}
inline std::uint64_t ballot(std::uint64_t lanes, bool predicate, const char* what,
                            port_oracle::Site site) {
#ifdef PORT_ORACLE_HIP
    return port_oracle::vote_converged(predicate, what, site).ballot & lanes;
#else
    return port_oracle::vote_named(lanes, predicate, what, site).ballot;
#endif
}
inline void synchronise(std::uint64_t lanes, const char* what, port_oracle::Site site) {
#ifdef PORT_ORACLE_HIP
    (void)lanes;
    port_oracle::active_lanes(what, site);
#else
    port_oracle::synchronise_named(lanes, what, site);
#endif
}

// Some of the lanes of a warp. `rank` counts the members below the running lane.
class LaneSet {
public:
    explicit LaneSet(std::uint64_t lanes) : lanes(lanes) {}
    unsigned size() const { return unsigned(__builtin_popcountll(lanes)); }
    unsigned num_threads() const { return size(); }
    unsigned thread_rank() const {
        return unsigned(__builtin_popcountll(
            lanes & ((std::uint64_t{1} << port_oracle::lane_index) - 1)));
    }
    void sync(PORT_GROUP_SITE) const { synchronise(lanes, "a group's sync", site); }
    template <class T> T shfl(T value, int rank, PORT_GROUP_SITE) const {
        return shuffle(lanes, value, lane_of(unsigned(rank) % size()), "a group's shfl", site);
    }
    template <class T> T shfl_up(T value, unsigned delta, PORT_GROUP_SITE) const {
        unsigned rank = thread_rank();
        return shuffle(lanes, value, lane_of(rank >= delta ? rank - delta : rank),
                       "a group's shfl_up", site);
    }
    template <class T> T shfl_down(T value, unsigned delta, PORT_GROUP_SITE) const {
        unsigned rank = thread_rank();
        return shuffle(lanes, value, lane_of(rank + delta < size() ? rank + delta : rank),
                       "a group's shfl_down", site);
    }
    template <class T> T shfl_xor(T value, unsigned bits, PORT_GROUP_SITE) const {
        unsigned rank = thread_rank() ^ bits;
        return shuffle(lanes, value, lane_of(rank < size() ? rank : thread_rank()),
                       "a group's shfl_xor", site);
    }
    int any(int predicate, PORT_GROUP_SITE) const {
        return detail::ballot(lanes, predicate != 0, "a group's any", site) != 0;
    }
    int all(int predicate, PORT_GROUP_SITE) const {
        return detail::ballot(lanes, predicate == 0, "a group's all", site) == 0;
    }
    // The members' predicates, one bit for each rank.
    unsigned long long ballot(int predicate, PORT_GROUP_SITE) const {
        return by_rank(detail::ballot(lanes, predicate != 0, "a group's ballot", site));
    }
    template <class T> unsigned long long match_any(T value, PORT_GROUP_SITE) const {
        return by_rank(port_oracle::match_named(lanes, value, "a group's match_any", site).same);
    }
    template <class T> unsigned long long match_all(T value, int& all, PORT_GROUP_SITE) const {
        auto match = port_oracle::match_named(lanes, value, "a group's match_all", site);
        all = match.all;
        return match.all ? by_rank(match.same) : 0;
    }
    std::uint64_t members() const { return lanes; }

protected:
    unsigned lane_of(unsigned rank) const {
        std::uint64_t left = lanes;
        while (rank-- > 0) left &= left - 1;
        return left ? unsigned(__builtin_ctzll(left)) : port_oracle::lane_index;
    }
    unsigned long long by_rank(std::uint64_t bits) const {
        unsigned long long result = 0;
        unsigned rank = 0;
        for (std::uint64_t left = lanes; left; left &= left - 1, ++rank) {
            if (bits & left & -left) result |= 1ull << rank;
        }
        return result;
    }

private:
    std::uint64_t lanes;
};

inline std::uint64_t tile_lanes(unsigned size) {
    std::uint64_t all = size >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
    std::uint64_t lanes = all << (port_oracle::lane_index & ~(size - 1));
    // A block that ends within the tile leaves lanes that never existed.
    unsigned first = thread_number() & ~(port_oracle::warp_width - 1);
    unsigned left = block_threads() - first;
    return left >= 64 ? lanes : lanes & ((std::uint64_t{1} << left) - 1);
}

}  // namespace detail

class thread_block {
public:
    static void sync(PORT_GROUP_SITE) { port_oracle::barrier(0, site); }
    static unsigned thread_rank() { return detail::thread_number(); }
    static unsigned size() { return detail::block_threads(); }
    static unsigned num_threads() { return detail::block_threads(); }
    static dim3 group_index() { return blockIdx; }
    static dim3 thread_index() { return threadIdx; }
    static dim3 group_dim() { return blockDim; }
    static dim3 dim_threads() { return blockDim; }
    struct arrival_token {};
    static arrival_token barrier_arrive() { return {}; }
    static void barrier_wait(arrival_token&&, PORT_GROUP_SITE) { port_oracle::barrier(0, site); }
};

class grid_group {
public:
    static bool is_valid() { return true; }
    static void sync(PORT_GROUP_SITE) { port_oracle::grid_barrier(site); }
    static unsigned long long num_blocks() {
        return (unsigned long long)gridDim.x * gridDim.y * gridDim.z;
    }
    static unsigned long long block_rank() {
        return ((unsigned long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    }
    static unsigned long long thread_rank() {
        return block_rank() * detail::block_threads() + detail::thread_number();
    }
    static unsigned long long num_threads() { return num_blocks() * detail::block_threads(); }
    static unsigned long long size() { return num_threads(); }
    static dim3 group_dim() { return gridDim; }
    static dim3 dim_blocks() { return gridDim; }
    static dim3 block_index() { return blockIdx; }
};

class coalesced_group : public detail::LaneSet {
public:
    using detail::LaneSet::LaneSet;
    unsigned long long meta_group_rank() const { return 0; }
    unsigned long long meta_group_size() const { return 1; }
};

template <unsigned tile, class Parent = void>
class thread_block_tile : public detail::LaneSet {
public:
    thread_block_tile() : detail::LaneSet(detail::tile_lanes(tile)) {
        static_assert(tile > 0 && (tile & (tile - 1)) == 0 && tile <= 64,
                      "tiles have 1 to 64 threads, a power of two");
        if (tile > port_oracle::warp_width) {
            port_oracle::fail("unsupported", "a tile of %u threads in a warp of %u", tile,
                              port_oracle::warp_width);
        }
    }
    // A tile is what its threads are, whatever it was cut from.
    template <class Other>
    thread_block_tile(const thread_block_tile<tile, Other>&) : thread_block_tile() {}
    static constexpr unsigned size() { return tile; }
    static constexpr unsigned num_threads() { return tile; }
    static unsigned thread_rank() { return detail::thread_number() % tile; }
    static unsigned meta_group_rank() { return detail::thread_number() / tile; }
    static unsigned meta_group_size() { return (detail::block_threads() + tile - 1) / tile; }
};

// Any group, by what it synchronises.
class thread_group {
public:
    thread_group(const thread_block&) : block(true), lanes(0) {}
    template <unsigned tile, class Parent>
    thread_group(const thread_block_tile<tile, Parent>& group)
        : block(false), lanes(group.members()) {}
    thread_group(const coalesced_group& group) : block(false), lanes(group.members()) {}
    explicit thread_group(std::uint64_t lanes) : block(false), lanes(lanes) {}
    void sync(PORT_GROUP_SITE) const {
        if (block) port_oracle::barrier(0, site);
        else detail::synchronise(lanes, "a group's sync", site);
    }
    unsigned size() const {
        return block ? detail::block_threads() : coalesced_group(lanes).size();
    }
    unsigned num_threads() const { return size(); }
    unsigned thread_rank() const {
        return block ? detail::thread_number() : coalesced_group(lanes).thread_rank();
    }

private:
    bool block;
    std::uint64_t lanes;
};

inline thread_block this_thread_block() { return {}; }
inline grid_group this_grid() { return {}; }
inline coalesced_group coalesced_threads(PORT_GROUP_SITE) {
    return coalesced_group(port_oracle::active_lanes("coalesced_threads", site));
}
template <unsigned tile, class Parent>
inline thread_block_tile<tile, Parent> tiled_partition(const Parent&) {
    return {};
}
inline thread_group tiled_partition(const thread_group&, unsigned tile) {
    return thread_group(detail::tile_lanes(tile));
}
// The members of a group that give the same label or predicate.
template <class Group, class Label>
inline coalesced_group labeled_partition(const Group& group, Label label, PORT_GROUP_SITE) {
    return coalesced_group(
        port_oracle::match_named(group.members(), label, "labeled_partition", site).same);
}
template <class Group>
inline coalesced_group binary_partition(const Group& group, bool predicate, PORT_GROUP_SITE) {
    std::uint64_t yes = detail::ballot(group.members(), predicate, "binary_partition", site);
    return coalesced_group(predicate ? yes : group.members() & ~yes);
}
template <class Group> inline void sync(const Group& group, PORT_GROUP_SITE) { group.sync(site); }
template <class Group> inline unsigned thread_rank(const Group& group) { return group.thread_rank(); }
template <class Group> inline unsigned group_size(const Group& group) { return group.size(); }

// ---- reductions and scans ----------------------------------------------------------------------
template <class T = void> struct plus {
    template <class V> V operator()(V a, V b) const { return a + b; }
};
template <class T = void> struct less {
    template <class V> V operator()(V a, V b) const { return b < a ? b : a; }
};
template <class T = void> struct greater {
    template <class V> V operator()(V a, V b) const { return a < b ? b : a; }
};
template <class T = void> struct bit_and {
    template <class V> V operator()(V a, V b) const { return a & b; }
};
template <class T = void> struct bit_or {
    template <class V> V operator()(V a, V b) const { return a | b; }
};
template <class T = void> struct bit_xor {
    template <class V> V operator()(V a, V b) const { return a ^ b; }
};

// log2(size) steps, each adding the value of the lane 1, 2, 4 … ranks below.
template <class Group, class T, class Operation>
inline T inclusive_scan(const Group& group, T value, Operation operation, PORT_GROUP_SITE) {
    for (unsigned delta = 1; delta < group.size(); delta *= 2) {
        T other = group.shfl_up(value, delta, site);
        if (group.thread_rank() >= delta) value = operation(other, value);
    }
    return value;
}
template <class Group, class T>
inline T inclusive_scan(const Group& group, T value, PORT_GROUP_SITE) {
    return inclusive_scan(group, value, plus<T>(), site);
}
template <class Group, class T, class Operation>
inline T exclusive_scan(const Group& group, T value, Operation operation, PORT_GROUP_SITE) {
    T other = group.shfl_up(inclusive_scan(group, value, operation, site), 1, site);
    return group.thread_rank() == 0 ? T() : other;
}
template <class Group, class T>
inline T exclusive_scan(const Group& group, T value, PORT_GROUP_SITE) {
    return exclusive_scan(group, value, plus<T>(), site);
}

// Tiles exchange with the rank that differs in one bit, from the highest bit down; other groups scan
// and take the last value. Both as CUDA's headers do.
template <unsigned tile, class Parent, class T, class Operation>
inline T reduce(const thread_block_tile<tile, Parent>& group, T value, Operation operation,
                PORT_GROUP_SITE) {
    for (unsigned bit = tile / 2; bit > 0; bit /= 2) {
        value = operation(value, group.shfl_xor(value, bit, site));
    }
    return value;
}
template <class T, class Operation>
inline T reduce(const coalesced_group& group, T value, Operation operation, PORT_GROUP_SITE) {
    if (group.size() == 32 && port_oracle::warp_width == 32) {
        return reduce(thread_block_tile<32>(), value, operation, site);
    }
    return group.shfl(inclusive_scan(group, value, operation, site), int(group.size()) - 1, site);
}

template <class Group, class T>
inline void memcpy_async(const Group& group, T* to, const T* from, std::size_t bytes) {
    for (std::size_t i = group.thread_rank(); i < bytes; i += group.size()) {
        reinterpret_cast<char*>(to)[i] = reinterpret_cast<const char*>(from)[i];
    }
}
template <class Group> inline void wait(const Group& group, PORT_GROUP_SITE) { group.sync(site); }
template <unsigned stages, class Group> inline void wait_prior(const Group& group, PORT_GROUP_SITE) {
    group.sync(site);
}

}  // namespace cooperative_groups

#undef PORT_GROUP_SITE
