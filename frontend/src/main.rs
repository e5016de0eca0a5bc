//! The dashboard's WebAssembly module.

fn main() {
    rampart_frontend::start();
}
