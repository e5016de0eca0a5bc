//! Where the reader is, and how they get elsewhere without the browser loading the page anew.
//!
//! Links are plain `<a>` elements. The browser keeps the history and restores the scroll positions.

mod links;
mod route;

pub(crate) use route::Route;

use leptos::{ev, prelude::*};
use wasm_bindgen::JsValue;

/// The address that is shown, for all components.
#[derive(Clone, Copy)]
pub(crate) struct Router {
    place: RwSignal<Place>,
    route: Memo<Route>,
}

/// The parts of an address that say what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: String,
    /// Without `?`.
    query: String,
}

impl Place {
    /// What the browser's address bar shows.
    fn current() -> Place {
        let location = window().location();
        // A document that is shown has an address.
        let query = location.search().unwrap_or_default();
        Place {
            path: location.pathname().unwrap_or_default(),
            query: query.strip_prefix('?').map(str::to_owned).unwrap_or_default(),
        }
    }
}

impl Router {
    /// Follows the address bar, and the links on the page, for all components below.
    pub(crate) fn provide() {
        let place = RwSignal::new(Place::current());
        let route = Memo::new(move |_| place.with(|place| Route::of(&place.path)));
        let router = Router { place, route };
        provide_context(router);
        let _clicks = window_event_listener(ev::click, move |event| links::follow(router, &event));
        let _steps = window_event_listener(ev::popstate, move |_| place.set(Place::current()));
    }

    /// The address that is shown.
    pub(crate) fn get() -> Router {
        expect_context()
    }

    /// The page that is shown; tracked.
    pub(crate) fn route(self) -> Route {
        self.route.get()
    }

    /// The path that is shown; not tracked.
    pub(crate) fn path(self) -> String {
        self.place.with_untracked(|place| place.path.clone())
    }

    /// The value of a parameter of the address that is shown, if there is one; not tracked.
    pub(crate) fn parameter(self, name: &str) -> Option<String> {
        self.place.with_untracked(|place| route::parameter(&place.query, name))
    }

    /// What the address of the page says after `?`. It stays what it was when another page is gone to: the
    /// one that is left must not load what belongs to the next.
    pub(crate) fn query(self) -> Query {
        let path = self.path();
        Query(Memo::new(move |before: Option<&String>| {
            self.place.with(|place| match before {
                Some(before) if place.path != path => before.clone(),
                _ => place.query.clone(),
            })
        }))
    }

    /// Goes to an address; steps back lead to where the reader was.
    fn go(self, address: &str) {
        // It refuses only an address of another origin.
        let history = window().history();
        let _ =
            history.and_then(|history| history.push_state_with_url(&JsValue::UNDEFINED, "", Some(address)));
        self.place.set(Place::current());
    }

    /// Goes to an address in place of the one that is shown, which is left out of the history.
    pub(crate) fn replace(self, address: &str) {
        let history = window().history();
        let _ = history
            .and_then(|history| history.replace_state_with_url(&JsValue::UNDEFINED, "", Some(address)));
        self.place.set(Place::current());
    }
}

/// The parameters of a page's address.
#[derive(Clone, Copy)]
pub(crate) struct Query(Memo<String>);

impl Query {
    /// The value of a parameter, if there is one; tracked.
    pub(crate) fn parameter(self, name: &str) -> Option<String> {
        self.0.with(|query| route::parameter(query, name))
    }
}
