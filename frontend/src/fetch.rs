//! What a page shows of the API: loaded when the page opens, again when its address changes or the server has news.

use crate::api::{self, Address, Answer, ApiError};
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use std::{rc::Rc, sync::Arc};

/// Something that is loaded and kept up to date.
pub(crate) struct Fetch<T: Send + Sync + 'static> {
    value: RwSignal<Option<Arc<T>>>,
    error: RwSignal<Option<ApiError>>,
    retry: Trigger,
}

impl<T: Send + Sync + 'static> Clone for Fetch<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Fetch<T> {}

impl<T: DeserializeOwned + Send + Sync + 'static> Fetch<T> {
    /// Loads what the address leads to. Another address drops what was shown; news keep it until the answer
    /// is there.
    pub(crate) fn new(news: Memo<u64>, address: impl Fn() -> Address<T> + Send + Sync + 'static) -> Self {
        let fetch = Fetch { value: RwSignal::new(None), error: RwSignal::new(None), retry: Trigger::new() };
        follow(
            Memo::new(move |_| address().into_string()),
            news,
            fetch.retry,
            Box::new(move || {
                fetch.value.set(None);
                fetch.error.set(None);
            }),
            Rc::new(move |answer| match answer.and_then(Answer::read) {
                Ok(value) => {
                    fetch.error.set(None);
                    fetch.value.set(Some(Arc::new(value)));
                }
                Err(error) => fetch.error.set(Some(error)),
            }),
        );
        fetch
    }
}

impl<T: Send + Sync + 'static> Fetch<T> {
    /// What was loaded last.
    pub(crate) fn value(self) -> Option<Arc<T>> {
        self.value.get()
    }

    /// Why the last request brought nothing.
    pub(crate) fn error(self) -> Option<ApiError> {
        self.error.get()
    }

    /// Whether there is no such thing; then what belongs to it need not say so too.
    pub(crate) fn is_missing(self) -> Memo<bool> {
        Memo::new(move |_| self.error.with(|error| error.as_ref().is_some_and(ApiError::is_not_found)))
    }

    /// Asks again.
    pub(crate) fn retry(self) {
        self.retry.notify();
    }
}

/// Asks again and again, whatever it is that is loaded: compiled once for all of them.
fn follow(
    address: Memo<String>,
    news: Memo<u64>,
    retry: Trigger,
    forget: Box<dyn Fn()>,
    receive: Rc<dyn Fn(Result<Answer, ApiError>)>,
) {
    // Answers may overtake one another: only the last request's counts.
    let last_request = StoredValue::new(0_u64);
    Effect::new(move |previous: Option<String>| {
        // Tracking alone does not compute a memo, and one that was never computed has no sources to hear from.
        let _ = news.get();
        retry.track();
        let address = address.get();
        if previous.is_some_and(|previous| previous != address) {
            forget();
        }
        let request = last_request.get_value() + 1;
        last_request.set_value(request);
        let asked = api::ask("GET", address.clone());
        let receive = Rc::clone(&receive);
        spawn_local(async move {
            let answer = asked.await;
            // The page may be gone by now, and its signals with it.
            if last_request.try_get_value() == Some(request) {
                receive(answer);
            }
        });
        address
    });
}
