//! The stream of events: open while somebody looks, opened again when it breaks.

use super::{Connection, Live};
use crate::{api, clock::Clock};
use leptos::{leptos_dom::helpers, prelude::*};
use rampart_shared::api::Event;
use std::time::Duration;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent, VisibilityState};

/// How long to wait before opening a stream again that the browser gave up.
const PAUSE: Duration = Duration::from_secs(3);

/// The names of the events.
const NAMES: [&str; 4] = ["run_started", "run_progress", "run_finished", "run_failed"];

/// An open stream. The closures live as long as it does.
struct Stream {
    source: EventSource,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _open: Closure<dyn FnMut()>,
    _error: Closure<dyn FnMut()>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}

type Held = StoredValue<Option<Stream>, LocalStorage>;

/// Opens the stream now or when the page is first seen, and closes it while the page is hidden: a browser
/// allows few connections to a host, and many tabs may be open.
pub(super) fn follow(live: Live) {
    let held: Held = StoredValue::new_local(None);
    if is_visible() {
        open(live, held);
    } else {
        live.connection.set(Connection::Paused);
    }
    let clock = Clock::get();
    // The event is the document's and bubbles to the window.
    let _listener = helpers::window_event_listener_untyped("visibilitychange", move |_| {
        if is_visible() {
            clock.tick();
            if live.connection.get_untracked() == Connection::Paused {
                open(live, held);
                live.catch_up();
            }
        } else {
            held.set_value(None);
            live.connection.set(Connection::Paused);
        }
    });
}

fn open(live: Live, held: Held) {
    if live.connection.get_untracked() == Connection::Paused {
        live.connection.set(Connection::Connecting);
    }
    let Ok(source) = EventSource::new(api::EVENTS) else {
        lose(live, held);
        return;
    };
    let message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
        match message.data().as_string().and_then(|data| serde_json::from_str::<Event>(&data).ok()) {
            Some(event) => live.receive(event),
            // A newer server may say what this page does not understand.
            None => leptos::logging::warn!("an event cannot be read"),
        }
    });
    for name in NAMES {
        // Adding a listener to an event target cannot fail.
        let _ = source.add_event_listener_with_callback(name, message.as_ref().unchecked_ref());
    }
    let opened = Closure::<dyn FnMut()>::new(move || {
        let was_lost = live.connection.get_untracked() == Connection::Lost;
        live.connection.set(Connection::Open);
        if was_lost {
            live.catch_up();
        }
    });
    source.set_onopen(Some(opened.as_ref().unchecked_ref()));
    let failed = Closure::<dyn FnMut()>::new(move || {
        let given_up = held.with_value(|stream| {
            stream.as_ref().is_none_or(|stream| stream.source.ready_state() == EventSource::CLOSED)
        });
        if given_up {
            lose(live, held);
        } else {
            live.connection.set(Connection::Lost);
        }
    });
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    held.set_value(Some(Stream { source, _message: message, _open: opened, _error: failed }));
}

/// Tries again after a while, unless the page was hidden or another stream opened meanwhile.
fn lose(live: Live, held: Held) {
    live.connection.set(Connection::Lost);
    set_timeout(
        move || {
            if live.connection.get_untracked() == Connection::Lost {
                open(live, held);
            }
        },
        PAUSE,
    );
}

fn is_visible() -> bool {
    document().visibility_state() != VisibilityState::Hidden
}
