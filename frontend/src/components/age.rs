//! How long ago something was.

use crate::{
    clock::{self, Clock},
    format,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

/// A time as its age, kept fresh, with the exact time for those who point at it.
#[component]
pub(crate) fn Age(
    /// The time.
    at: DateTime<Utc>,
) -> impl IntoView {
    let clock = Clock::get();
    view! {
        <time datetime=at.to_rfc3339() title=clock::local_time(at)>
            {move || format::age(clock.now(), at)}
        </time>
    }
}
