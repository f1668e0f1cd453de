namespace port_cpu {

// What a compiled form is told of its launch.
struct Launch {
    std::uint32_t grid[3];
    std::uint32_t block[3];
    std::uint32_t shared_bytes;
};

}  // namespace port_cpu
