//! What happens, told to everybody who listens.

use rampart_shared::api::Event;
use std::sync::Arc;
use tokio::sync::broadcast;

/// An event, with the sequence of the run that it ends. Only finished runs have one: they are in the history,
/// so that a reader who missed some can ask for those after the last that it saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The run's sequence.
    pub sequence: Option<i64>,
    /// What happened.
    pub event: Event,
}

impl From<Event> for Published {
    fn from(event: Event) -> Self {
        let sequence = match &event {
            Event::RunFinished { run } => Some(run.sequence),
            _ => None,
        };
        Published { sequence, event }
    }
}

/// Everybody's events. A reader who is too slow loses the oldest and is told so; the sender never waits.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Arc<Published>>,
}

/// How many events a reader may be behind.
const CAPACITY: usize = 1024;

impl Default for Events {
    fn default() -> Self {
        Events { sender: broadcast::Sender::new(CAPACITY) }
    }
}

impl Events {
    /// Tells everybody; nobody may be listening.
    pub fn publish(&self, event: Event) {
        let _nobody_listens = self.sender.send(Arc::new(event.into()));
    }

    /// Every event from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Published>> {
        self.sender.subscribe()
    }
}
