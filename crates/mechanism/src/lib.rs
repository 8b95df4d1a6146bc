//! What the network does.
