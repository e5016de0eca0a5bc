//! Fills an inventory from an API server.
