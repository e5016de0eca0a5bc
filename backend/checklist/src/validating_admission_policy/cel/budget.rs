//! A bound on work that needs no clock: iterations are counted, and what an iteration can cost is bounded by the size
//! of the values that it can copy.

use super::super::library::Stateful;
use ::cel::{Context, ExecutionError, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Called with nothing before each iteration of a comprehension.
pub(super) const TICK: &str = "@tick";
/// Hands its argument on if it is not too large.
pub(super) const LIMITED: &str = "@limited";
/// Hands its argument on if it is small enough to be multiplied with another.
pub(super) const SHORT: &str = "@short";

/// Iterations times values: a few seconds' work at most in an unoptimised build.
const WORK: u64 = 10_000_000;
/// Characters and elements that one value may have.
const LARGEST: usize = 1 << 20;
const SHORTEST: usize = 1 << 12;

/// How much work the evaluation of one expression may still do.
#[derive(Debug, Clone)]
pub(in super::super) struct Budget {
    iterations: u64,
    left: Arc<AtomicU64>,
    exceeded: Arc<AtomicBool>,
}

impl Budget {
    /// A budget for values of so many nodes. Each iteration may copy all of them, so that more nodes mean fewer
    /// iterations.
    pub(super) fn new(nodes: usize) -> Budget {
        let iterations = WORK / u64::try_from(nodes).unwrap_or(u64::MAX).max(200);
        Budget { iterations, left: Arc::new(AtomicU64::new(iterations)), exceeded: Arc::default() }
    }

    pub(super) fn refill(&self) {
        self.left.store(self.iterations, Ordering::Relaxed);
        self.exceeded.store(false, Ordering::Relaxed);
    }

    pub(super) fn exceeded(&self) -> Option<String> {
        self.exceeded
            .load(Ordering::Relaxed)
            .then(|| "the expression does more work on this object than is evaluated here".to_owned())
    }

    /// Takes away so many iterations; an error if there are not as many left.
    pub(in super::super) fn spend(&self, iterations: u64) -> Result<(), ExecutionError> {
        let left = self.left.load(Ordering::Relaxed);
        if left < iterations {
            return self.exceed();
        }
        self.left.store(left - iterations, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn register(&self, context: &mut Context<'static, 'static>) -> Result<(), String> {
        let ticking = self.clone();
        context
            .add_function(TICK, move || ticking.spend(1).map(|()| true))
            .and_then(|()| context.add_function(LIMITED, self.at_most(LARGEST)))
            .and_then(|()| context.add_function(SHORT, self.at_most(SHORTEST)))
            .map_err(|error| error.to_string())
    }

    fn at_most(&self, limit: usize) -> Stateful {
        let budget = self.clone();
        Box::new(move |call| {
            let value = call.args.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
            if weight(&Value::try_from(value.as_ref())?) > limit {
                budget.exceed()?;
            }
            Ok(value)
        })
    }

    fn exceed(&self) -> Result<(), ExecutionError> {
        self.exceeded.store(true, Ordering::Relaxed);
        Err(ExecutionError::function_error(TICK, "too much work"))
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(|item| 1 + weight(item)).sum(),
        Value::Map(map) => map.map.values().map(|item| 2 + weight(item)).sum(),
        _ => 1,
    }
}
