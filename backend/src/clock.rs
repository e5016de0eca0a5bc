//! Where time comes from.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use std::time::Duration;
use uuid::{NoContext, Timestamp, Uuid};

/// Tells the time, and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> DateTime<Utc>;

    /// Waits until then; not at all if it is past.
    fn sleep_until(&self, at: DateTime<Utc>) -> BoxFuture<'_, ()>;
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Timers stand still while a computer sleeps, so they are compared with the clock at least this often.
const LONGEST_NAP: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the computer")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            while let Ok(left) = (at - self.now()).to_std() {
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_NAP)).await;
            }
        })
    }
}

/// A UUIDv7 for something that begins at this time.
pub fn uuid_at(at: DateTime<Utc>) -> Uuid {
    // Times before 1970 do not occur; they would only lose the order of identifiers.
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.timestamp_subsec_nanos()))
}
