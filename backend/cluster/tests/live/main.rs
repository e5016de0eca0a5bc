//! The live source against an HTTP server on loopback that answers as API servers do, and as they should not. The real
//! API server is in the end-to-end tests.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod admission_probe;
mod archive;
mod connections;
mod direct;
mod dry_run;
mod kubelets;
mod lists;
mod secrets;
mod server;
mod unreachable;
