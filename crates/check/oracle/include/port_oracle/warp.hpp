// Warp operations over meetings, for values of any trivially copyable type: shuffles, votes,
// matches and reductions. Names of CUDA and HIP are in the dialects' headers.
#pragma once

#include <type_traits>

#include "core.hpp"

namespace port_oracle {

inline std::uint64_t warp_mask() {
    return warp_width == 64 ? ~std::uint64_t{0} : 0xffffffffu;
}

// A shuffle of one lane: what it offers, where the result goes, and whose value it wants.
struct ShuffleRecord {
    const void* value;
    void* result;
    std::size_t size;
    unsigned source;   // lane
};

inline void complete_shuffle(const Meeting& meeting) {
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        auto* mine = static_cast<ShuffleRecord*>(meeting.records[lane]);
        if (!mine) continue;
        auto* theirs = mine->source < meeting.width
                           ? static_cast<ShuffleRecord*>(meeting.records[mine->source]) : nullptr;
        if (theirs) {
            std::memcpy(mine->result, theirs->value, mine->size);
        } else {
            // Undefined on a GPU. Poison shows if it is used; many kernels drop it.
            std::memset(mine->result, 0xff, mine->size);
            note("undefined-shuffle", "%s of lane %u reads lane %u, which takes no part (%s:%d)",
                 meeting.what, lane, mine->source, meeting.site.file, meeting.site.line);
        }
    }
}

enum class Shuffle { index, up, down, exclusive };

// The lane that a shuffle reads, as PTX `shfl` defines it: `width` splits the warp into segments; a
// source outside the segment is the lane itself, except that `exclusive` (xor) may read earlier
// segments and `index` wraps within its own.
inline unsigned shuffle_source(Shuffle kind, unsigned lane, unsigned argument, unsigned width) {
    unsigned first = lane & ~(width - 1), within = lane & (width - 1);
    switch (kind) {
        case Shuffle::index: return first + (argument & (width - 1));
        case Shuffle::up: return argument <= within ? lane - argument : lane;
        case Shuffle::down: return std::uint64_t(within) + argument < width ? lane + argument : lane;
        case Shuffle::exclusive: {
            unsigned source = lane ^ argument;
            return source < first + width ? source : lane;
        }
    }
    return lane;
}

inline unsigned check_width(int width, const char* what, Site site) {
    auto value = static_cast<unsigned>(width);
    if (width <= 0 || value > warp_width || (value & (value - 1)) != 0) {
        fail("shuffle-width", "%s with width %d (%s:%d)", what, width, site.file, site.line);
    }
    return value;
}

template <class T>
T shuffle_named(std::uint64_t mask, T value, unsigned source, const char* what, Site site) {
    static_assert(std::is_trivially_copyable<T>::value, "a shuffle copies bytes");
    alignas(T) unsigned char result[sizeof(T)];
    ShuffleRecord record{&value, result, sizeof(T), source};
    meet_named(mask, &record, complete_shuffle, what, site);
    T copy;
    std::memcpy(&copy, result, sizeof(T));
    return copy;
}

template <class T>
T shuffle_converged(T value, unsigned source, const char* what, Site site) {
    static_assert(std::is_trivially_copyable<T>::value, "a shuffle copies bytes");
    alignas(T) unsigned char result[sizeof(T)];
    ShuffleRecord record{&value, result, sizeof(T), source};
    meet_converged(Need::some, &record, complete_shuffle, what, site);
    T copy;
    std::memcpy(&copy, result, sizeof(T));
    return copy;
}

// A vote: `ballot` is the lanes that take part and whose predicate holds.
struct VoteRecord {
    bool predicate;
    std::uint64_t ballot;
    std::uint64_t lanes;
};

inline void complete_vote(const Meeting& meeting) {
    std::uint64_t ballot = 0;
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        auto* record = static_cast<VoteRecord*>(meeting.records[lane]);
        if (record && record->predicate) ballot |= std::uint64_t{1} << lane;
    }
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        if (auto* record = static_cast<VoteRecord*>(meeting.records[lane])) {
            record->ballot = ballot;
            record->lanes = meeting.lanes;
        }
    }
}

inline VoteRecord vote_named(std::uint64_t mask, bool predicate, const char* what, Site site) {
    VoteRecord record{predicate, 0, 0};
    meet_named(mask, &record, complete_vote, what, site);
    return record;
}

inline VoteRecord vote_converged(bool predicate, const char* what, Site site) {
    VoteRecord record{predicate, 0, 0};
    meet_converged(Need::all, &record, complete_vote, what, site);
    return record;
}

// Lanes whose values are equal bit for bit.
struct MatchRecord {
    std::uint64_t value;
    std::uint64_t same;
    bool all;
};

inline void complete_match(const Meeting& meeting) {
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        auto* mine = static_cast<MatchRecord*>(meeting.records[lane]);
        if (!mine) continue;
        mine->same = 0;
        for (unsigned other = 0; other < meeting.width; ++other) {
            auto* theirs = static_cast<MatchRecord*>(meeting.records[other]);
            if (theirs && theirs->value == mine->value) mine->same |= std::uint64_t{1} << other;
        }
        mine->all = mine->same == meeting.lanes;
    }
}

template <class T>
MatchRecord match_named(std::uint64_t mask, T value, const char* what, Site site) {
    static_assert(sizeof(T) <= 8, "matches compare up to 64 bits");
    MatchRecord record{0, 0, false};
    std::memcpy(&record.value, &value, sizeof(T));
    meet_named(mask, &record, complete_match, what, site);
    return record;
}

inline void synchronise_named(std::uint64_t mask, const char* what, Site site) {
    meet_named(mask, nullptr, nullptr, what, site);
}

inline std::uint64_t active_lanes(const char* what, Site site) {
    return meet_converged(Need::all, nullptr, nullptr, what, site);
}

// Reductions of 32-bit integers over the lanes of a mask.
template <class T>
struct ReduceRecord {
    T value;
    T (*combine)(T, T);
};

template <class T>
void complete_reduce(const Meeting& meeting) {
    bool first = true;
    T total{};
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        auto* record = static_cast<ReduceRecord<T>*>(meeting.records[lane]);
        if (!record) continue;
        total = first ? record->value : record->combine(total, record->value);
        first = false;
    }
    for (unsigned lane = 0; lane < meeting.width; ++lane) {
        if (auto* record = static_cast<ReduceRecord<T>*>(meeting.records[lane])) {
            record->value = total;
        }
    }
}

template <class T>
T reduce_named(std::uint64_t mask, T value, T (*combine)(T, T), const char* what, Site site) {
    ReduceRecord<T> record{value, combine};
    meet_named(mask, &record, complete_reduce<T>, what, site);
    return record.value;
}

}  // namespace port_oracle
