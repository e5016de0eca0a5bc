//! Functions over lists and sets, and what loops need of maps.

use super::super::cel::{INSERT, MERGE, ORDERED, POSITIONS};
use super::{list, overload, rejected, unsupported};
use ::cel::common::types::{DYN_TYPE, LIST_TYPE};
use ::cel::common::value::CowVal;
use ::cel::objects::{Key, Map};
use ::cel::{DeclarationError, Env, ExecutionError, Value};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

/// How many pairs of elements sets may have.
const MOST_PAIRS: usize = 1_000_000;

type Answer = Result<Value, ExecutionError>;

pub(super) fn register(environment: &mut Env) -> Result<(), DeclarationError> {
    let none = Vec::new;
    environment.add_member_overload("isSorted", "list_is_sorted", LIST_TYPE, none(), overload!(is_sorted))?;
    environment.add_member_overload("sum", "list_sum", LIST_TYPE, none(), overload!(sum))?;
    environment.add_member_overload("min", "list_min", LIST_TYPE, none(), overload!(minimum))?;
    environment.add_member_overload("max", "list_max", LIST_TYPE, none(), overload!(maximum))?;
    environment.add_member_overload(
        "indexOf",
        "list_index_of",
        LIST_TYPE,
        vec![DYN_TYPE],
        overload!(index_of),
    )?;
    environment.add_member_overload(
        "lastIndexOf",
        "list_last_index_of",
        LIST_TYPE,
        vec![DYN_TYPE],
        overload!(last_index_of),
    )?;
    let two = || vec![LIST_TYPE, LIST_TYPE];
    environment.add_overload("sets.contains", "list_sets_contains", two(), overload!(contains))?;
    environment.add_overload("sets.equivalent", "list_sets_equivalent", two(), overload!(equivalent))?;
    environment.add_overload("sets.intersects", "list_sets_intersects", two(), overload!(intersects))?;
    environment.add_overload(ORDERED, ORDERED, vec![DYN_TYPE], ordered)?;
    environment.add_overload(POSITIONS, POSITIONS, vec![DYN_TYPE], overload!(positions))?;
    environment.add_overload(INSERT, INSERT, vec![DYN_TYPE, DYN_TYPE, DYN_TYPE], overload!(insert))?;
    environment.add_overload(MERGE, MERGE, vec![DYN_TYPE, DYN_TYPE], overload!(merge))
}

fn is_sorted(arguments: &[Value]) -> Answer {
    let items = list(arguments.first())?;
    for (one, next) in items.iter().zip(items.iter().skip(1)) {
        if compare(one, next)? == Ordering::Greater {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

fn sum(arguments: &[Value]) -> Answer {
    let mut items = list(arguments.first())?.iter();
    let first = items.next().ok_or_else(|| unsupported("the sum of an empty list has a type of its own"))?;
    let overflow = || unsupported("a sum as large as this");
    items.try_fold(first.clone(), |sum, item| match (sum, item) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or_else(overflow),
        (Value::UInt(a), Value::UInt(b)) => a.checked_add(*b).map(Value::UInt).ok_or_else(overflow),
        (Value::Float(a), Value::Float(b)) => Ok(Value::Float(a + b)),
        _ => Err(unsupported("the sum of such a list")),
    })
}

fn minimum(arguments: &[Value]) -> Answer {
    extreme(arguments, Ordering::Less, "min")
}

fn maximum(arguments: &[Value]) -> Answer {
    extreme(arguments, Ordering::Greater, "max")
}

fn extreme(arguments: &[Value], wanted: Ordering, name: &str) -> Answer {
    let mut items = list(arguments.first())?.iter();
    let mut found = items.next().ok_or_else(|| rejected(format!("{name} called on empty list")))?;
    for item in items {
        if compare(item, found)? == wanted {
            found = item;
        }
    }
    Ok(found.clone())
}

fn index_of(arguments: &[Value]) -> Answer {
    let wanted = arguments.get(1);
    position(list(arguments.first())?.iter().position(|item| Some(item) == wanted))
}

fn last_index_of(arguments: &[Value]) -> Answer {
    let wanted = arguments.get(1);
    position(list(arguments.first())?.iter().rposition(|item| Some(item) == wanted))
}

fn position(position: Option<usize>) -> Answer {
    Ok(Value::Int(position.and_then(|position| i64::try_from(position).ok()).unwrap_or(-1)))
}

fn contains(arguments: &[Value]) -> Answer {
    let (set, subset) = pair(arguments)?;
    Ok(subset.iter().all(|item| set.contains(item)).into())
}

fn equivalent(arguments: &[Value]) -> Answer {
    let (a, b) = pair(arguments)?;
    Ok((a.iter().all(|item| b.contains(item)) && b.iter().all(|item| a.contains(item))).into())
}

fn intersects(arguments: &[Value]) -> Answer {
    let (a, b) = pair(arguments)?;
    Ok(a.iter().any(|item| b.contains(item)).into())
}

fn pair(arguments: &[Value]) -> Result<(&[Value], &[Value]), ExecutionError> {
    let (a, b) = (list(arguments.first())?, list(arguments.get(1))?);
    if a.len().saturating_mul(b.len()) > MOST_PAIRS {
        return Err(unsupported("sets as large as these"));
    }
    Ok((a, b))
}

/// Only values of one type that has an order.
fn compare(a: &Value, b: &Value) -> Result<Ordering, ExecutionError> {
    match (a, b) {
        (Value::Int(_), Value::Int(_))
        | (Value::UInt(_), Value::UInt(_))
        | (Value::Float(_), Value::Float(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => {
            a.partial_cmp(b).ok_or_else(|| unsupported("an order of such numbers"))
        }
        _ => Err(unsupported("an order of such values")),
    }
}

/// A list as it is; of a map its keys in order, so that every run does the same.
fn ordered<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let range = arguments.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
    match Value::try_from(range.as_ref()) {
        Ok(Value::Map(map)) => super::owned(keys(&map)),
        _ => Ok(range),
    }
}

fn positions(arguments: &[Value]) -> Answer {
    match arguments.first() {
        Some(Value::List(items)) => {
            Ok(Value::List(Arc::new((0_i64..).zip(items.iter()).map(|(i, _)| i.into()).collect())))
        }
        Some(Value::Map(map)) => Ok(keys(map)),
        _ => Err(unsupported("a comprehension over something that is neither list nor map")),
    }
}

fn keys(map: &Map) -> Value {
    let mut keys: Vec<&Key> = map.map.keys().collect();
    keys.sort();
    Value::List(Arc::new(keys.into_iter().map(Value::from).collect()))
}

fn insert(arguments: &[Value]) -> Answer {
    let [Value::Map(map), key, value] = arguments else { return Err(unsupported("a map was expected")) };
    let key: Key = key.clone().try_into().map_err(|_| unsupported("such a key"))?;
    let mut entries: HashMap<Key, Value> = (*map.map).clone();
    match entries.insert(key, value.clone()) {
        None => Ok(Value::Map(Map { map: Arc::new(entries) })),
        Some(_) => Err(unsupported("two entries with one key")),
    }
}

fn merge(arguments: &[Value]) -> Answer {
    let [map, Value::Map(more)] = arguments else { return Err(unsupported("a map was expected")) };
    let mut merged = map.clone();
    for (key, value) in more.map.iter() {
        merged = insert(&[merged, Value::from(key), value.clone()])?;
    }
    Ok(merged)
}
