//! The server's time, kept going between answers, and times as the reader's clock shows them.

use chrono::{DateTime, TimeDelta, Utc};
use js_sys::{Date, Object, Reflect};
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsValue;

/// How often ages are computed again.
const TICK: Duration = Duration::from_secs(10);

/// The time against which ages are computed.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    now: RwSignal<DateTime<Utc>>,
    /// How far the server is ahead of the browser.
    ahead: StoredValue<TimeDelta>,
}

impl Clock {
    /// Starts a clock for all components below.
    pub(crate) fn provide() {
        let clock = Clock { now: RwSignal::new(browser_time()), ahead: StoredValue::new(TimeDelta::zero()) };
        provide_context(clock);
        set_interval(move || clock.tick(), TICK);
    }

    /// The clock.
    pub(crate) fn get() -> Clock {
        expect_context()
    }

    /// The time; tracked.
    pub(crate) fn now(self) -> DateTime<Utc> {
        self.now.get()
    }

    /// The time; not tracked.
    pub(crate) fn now_untracked(self) -> DateTime<Utc> {
        self.now.get_untracked()
    }

    /// Sets the clock to the server's time.
    pub(crate) fn set(self, server: DateTime<Utc>) {
        self.ahead.set_value(server - browser_time());
        self.now.set(server);
    }

    /// Computes ages again, now.
    pub(crate) fn tick(self) {
        self.now.set(browser_time() + self.ahead.get_value());
    }
}

/// A time on the reader's clock, with its zone: `23 Nov 2026, 18:20:05 CET`.
pub(crate) fn local_time(at: DateTime<Utc>) -> String {
    let options = Object::new();
    for (name, value) in [("dateStyle", "medium"), ("timeStyle", "long")] {
        // Setting a property of an object just made cannot fail.
        let _ = Reflect::set(&options, &name.into(), &value.into());
    }
    // The page is in English, so its times are too; the zone and the hour are the reader's.
    date(at).to_locale_string("en-GB", &options).into()
}

fn date(at: DateTime<Utc>) -> Date {
    // Milliseconds since 1970 are far below 2^53.
    Date::new(&JsValue::from_f64(at.timestamp_millis() as f64))
}

fn browser_time() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(Date::now() as i64).unwrap_or_default()
}
