//! The live source against an HTTP server on loopback that answers as API servers do, and as they should not. The real
//! API server is in the end-to-end tests.

mod connections;
mod kubelets;
mod lists;
mod secrets;
mod server;
mod unreachable;
