//! Threads of the 950.
