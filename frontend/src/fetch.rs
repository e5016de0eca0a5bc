//! What a page shows of the API: loaded when the page opens, again when its key changes or the server has news.

use crate::api::ApiError;
use leptos::{prelude::*, task::spawn_local};
use std::{future::Future, sync::Arc};

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

impl<T: Send + Sync + 'static> Fetch<T> {
    /// Loads for the key. Another key drops what was shown; news keep it until the answer is there.
    pub(crate) fn new<K, Loading>(
        key: impl Fn() -> K + Send + Sync + 'static,
        news: Memo<u64>,
        load: impl Fn(K) -> Loading + 'static,
    ) -> Self
    where
        K: PartialEq + Clone + Send + Sync + 'static,
        Loading: Future<Output = Result<T, ApiError>> + 'static,
    {
        let fetch = Fetch { value: RwSignal::new(None), error: RwSignal::new(None), retry: Trigger::new() };
        let key = Memo::new(move |_| key());
        // Answers may overtake one another: only the last request's counts.
        let last_request = StoredValue::new(0_u64);
        Effect::new(move |previous: Option<K>| {
            // Tracking alone does not compute a memo, and one that was never computed has no sources to hear from.
            let _ = news.get();
            fetch.retry.track();
            let key = key.get();
            if previous.is_some_and(|previous| previous != key) {
                fetch.value.set(None);
                fetch.error.set(None);
            }
            let request = last_request.get_value() + 1;
            last_request.set_value(request);
            let loading = load(key.clone());
            spawn_local(async move {
                let answer = loading.await;
                // The page may be gone by now, and its signals with it.
                if last_request.try_get_value() != Some(request) {
                    return;
                }
                match answer {
                    Ok(value) => {
                        fetch.error.set(None);
                        fetch.value.set(Some(Arc::new(value)));
                    }
                    Err(error) => fetch.error.set(Some(error)),
                }
            });
            key
        });
        fetch
    }

    /// What was loaded last.
    pub(crate) fn value(self) -> Option<Arc<T>> {
        self.value.get()
    }

    /// Why the last request brought nothing.
    pub(crate) fn error(self) -> Option<ApiError> {
        self.error.get()
    }

    /// Asks again.
    pub(crate) fn retry(self) {
        self.retry.notify();
    }
}
