//! Which clicks on links the dashboard follows itself.

use super::Router;
use leptos::{ev::MouseEvent, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement};

/// Goes where a clicked link leads, if that is a page of the dashboard. Everything else is the browser's: other
/// tabs, downloads, other places, and parts of the page that is shown.
pub(super) fn follow(router: Router, click: &MouseEvent) {
    let modified = click.meta_key() || click.alt_key() || click.ctrl_key() || click.shift_key();
    if click.default_prevented() || click.button() != 0 || modified {
        return;
    }
    let target = click.target().and_then(|target| target.dyn_into::<Element>().ok());
    let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
    let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) else { return };
    let location = window().location();
    let elsewhere = !link.target().is_empty()
        || link.has_attribute("download")
        || location.origin().is_ok_and(|origin| origin != link.origin());
    let address = format!("{}{}", link.pathname(), link.search());
    let shown =
        format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    if elsewhere || (address == shown && !link.hash().is_empty()) {
        return;
    }
    click.prevent_default();
    // As browsers do, where a link leads to what is shown already.
    if address == shown {
        router.replace(&address);
    } else {
        router.go(&format!("{address}{}", link.hash()));
    }
    if !link.has_attribute("data-noscroll") {
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}
