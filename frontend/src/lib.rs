//! The dashboard: what Rampart knows about a fleet, in a browser.
//!
//! Everything on a page comes from `/api/v1` in the types of `rampart-shared`. What can be computed without a
//! browser (words, formats, addresses, chart paths, highlighting) stands in modules that call none, and is
//! tested natively.
#![allow(clippy::needless_pass_by_value, reason = "components own their properties")]
#![allow(unreachable_pub, reason = "`#[component]` writes `pub` functions")]

mod address;
mod api;
mod app;
mod chart;
mod clock;
mod components;
mod fetch;
mod format;
mod live;
mod navigation;
mod pages;
mod rbac_rule;
mod router;
mod words;
mod yaml_highlight;

/// Puts the dashboard into the page's body.
pub fn start() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
