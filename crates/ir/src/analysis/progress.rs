//! Loops that wait for another thread.
