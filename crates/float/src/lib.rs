//! Float profiles: how each chip and its compiler round, as data and as passes over the IR.
