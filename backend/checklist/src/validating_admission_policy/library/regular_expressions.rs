//! `matches`, `find` and `findAll`. The API server has RE2, whose classes are ASCII; where that could make a
//! difference, nothing is known.

use super::super::cel::{Budget, MATCHES};
use super::{Stateful, owned, unsupported};
use ::cel::{Context, ExecutionError, FunctionContext, Value};
use regex::{Regex, RegexBuilder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What compiling one costs, in iterations.
const COMPILING: u64 = 100;
const LARGEST_PROGRAM: usize = 1 << 20;

type Cache = Arc<Mutex<HashMap<String, Regex>>>;

pub(super) fn register(context: &mut Context<'static, 'static>, budget: &Budget) -> Result<(), String> {
    let cache = Cache::default();
    for (name, function) in
        [(MATCHES, matches as fn(&str, &Regex, Option<i64>) -> Value), ("find", find), ("findAll", find_all)]
    {
        let (cache, budget) = (Arc::clone(&cache), budget.clone());
        let call: Stateful = Box::new(move |call| {
            let (subject, pattern, limit) = arguments(call)?;
            let unicode = !subject.is_ascii()
                && (pattern.contains('\\') || pattern.contains("(?") || pattern.contains("[["));
            if unicode {
                return Err(unsupported("a regular expression with classes on a text that is not ASCII"));
            }
            owned(function(&subject, &compiled(&cache, &budget, &pattern)?, limit))
        });
        context.add_function(name, call).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn matches(subject: &str, pattern: &Regex, _: Option<i64>) -> Value {
    pattern.is_match(subject).into()
}

fn find(subject: &str, pattern: &Regex, _: Option<i64>) -> Value {
    pattern.find(subject).map_or("", |found| found.as_str()).into()
}

fn find_all(subject: &str, pattern: &Regex, limit: Option<i64>) -> Value {
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let found: Vec<Value> =
        pattern.find_iter(subject).take(most).map(|found| found.as_str().into()).collect();
    Value::List(Arc::new(found))
}

/// The text, the pattern and the limit, whether called on the text or with it.
fn arguments(call: &FunctionContext<'_, '_>) -> Result<(String, String, Option<i64>), ExecutionError> {
    let values: Vec<Value> = call
        .this
        .iter()
        .chain(&call.args)
        .map(|value| Value::try_from(value.as_ref()))
        .collect::<Result<_, _>>()?;
    match values.as_slice() {
        [Value::String(subject), Value::String(pattern)] => {
            Ok((subject.to_string(), pattern.to_string(), None))
        }
        [Value::String(subject), Value::String(pattern), Value::Int(limit)] => {
            Ok((subject.to_string(), pattern.to_string(), Some(*limit)))
        }
        _ => Err(unsupported("a regular expression on something that is not a text")),
    }
}

fn compiled(cache: &Cache, budget: &Budget, pattern: &str) -> Result<Regex, ExecutionError> {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = cache.get(pattern) {
        return Ok(regex.clone());
    }
    budget.spend(COMPILING)?;
    let regex = RegexBuilder::new(pattern)
        .size_limit(LARGEST_PROGRAM)
        .build()
        .map_err(|_| unsupported("a regular expression that is not understood"))?;
    cache.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}
