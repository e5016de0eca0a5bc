//! What a page shows of the API: loaded when the page opens, again when its address changes or the server has news.

use crate::api::{self, Address, Answer, ApiError};
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use std::{any::Any, marker::PhantomData, sync::Arc};

/// Something that is loaded and kept up to date.
pub(crate) struct Fetch<T> {
    held: Held,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Fetch<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Fetch<T> {}

impl<T: DeserializeOwned + Send + Sync + 'static> Fetch<T> {
    /// Loads what the address leads to. Another address drops what was shown; news keep it until the answer
    /// is there.
    pub(crate) fn new(news: Memo<u64>, address: impl Fn() -> Address<T> + Send + Sync + 'static) -> Self {
        let held = Held::new();
        let address = Memo::new(move |_| address().into_string());
        held.follow(address, news, |answer| Ok(Arc::new(answer.read::<T>()?)));
        Fetch { held, holds: PhantomData }
    }
}

impl<T: Send + Sync + 'static> Fetch<T> {
    /// What was loaded last.
    pub(crate) fn value(self) -> Option<Arc<T>> {
        self.held.value.get().and_then(|value| value.downcast().ok())
    }

    /// Why the last request brought nothing.
    pub(crate) fn error(self) -> Option<ApiError> {
        self.held.error.get()
    }

    /// Whether there is no such thing; then what belongs to it need not say so too.
    pub(crate) fn is_missing(self) -> Memo<bool> {
        self.held.is_missing()
    }

    /// Asks again.
    pub(crate) fn retry(self) {
        self.held.retry.notify();
    }
}

/// An answer that was read, whatever it is.
type Value = Arc<dyn Any + Send + Sync>;

/// What is the same for all that is loaded. Not by its type: this would be compiled for each.
#[derive(Clone, Copy)]
struct Held {
    value: RwSignal<Option<Value>>,
    error: RwSignal<Option<ApiError>>,
    retry: Trigger,
}

impl Held {
    fn new() -> Self {
        Held { value: RwSignal::new(None), error: RwSignal::new(None), retry: Trigger::new() }
    }

    fn is_missing(self) -> Memo<bool> {
        Memo::new(move |_| self.error.with(|error| error.as_ref().is_some_and(ApiError::is_not_found)))
    }

    /// Asks again and again, and reads the answers.
    fn follow(self, address: Memo<String>, news: Memo<u64>, read: fn(Answer) -> Result<Value, ApiError>) {
        // Answers may overtake one another: only the last request's counts.
        let last_request = StoredValue::new(0_u64);
        Effect::new(move |previous: Option<String>| {
            // Tracking alone does not compute a memo, and one that was never computed has no sources to hear from.
            let _ = news.get();
            self.retry.track();
            let address = address.get();
            if previous.is_some_and(|previous| previous != address) {
                self.value.set(None);
                self.error.set(None);
            }
            let request = last_request.get_value() + 1;
            last_request.set_value(request);
            let asked = api::ask("GET", address.clone());
            spawn_local(async move {
                let answer = asked.await;
                // The page may be gone by now, and its signals with it.
                if last_request.try_get_value() == Some(request) {
                    self.receive(answer.and_then(read));
                }
            });
            address
        });
    }

    fn receive(self, answer: Result<Value, ApiError>) {
        match answer {
            Ok(value) => {
                self.error.set(None);
                self.value.set(Some(value));
            }
            Err(error) => self.error.set(Some(error)),
        }
    }
}
