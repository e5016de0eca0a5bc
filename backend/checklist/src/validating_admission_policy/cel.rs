//! CEL expressions: compiled within limits, evaluated to true, false, an error that the API server has too, or
//! "not supported", which is never taken for one of the others.

mod budget;
mod macros;
mod nesting;
mod rewrite;
mod three_valued;

pub(super) use budget::Budget;
pub(super) use macros::{INSERT, MERGE, POSITIONS};
pub(super) use rewrite::{MATCHES, ORDERED};

use super::library;
use ::cel::common::ast::IdedExpr;
use ::cel::common::value::Val;
use ::cel::objects::{Key, Map};
use ::cel::{Context, Env, ExecutionError, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A whole expression that is longer is not evaluated. The API server has no limit of its own below a request's size.
const LONGEST_EXPRESSION: usize = 20_000;

static ENVIRONMENT: LazyLock<Result<Arc<Env>, String>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    library::register(&mut environment)
        .and_then(|()| macros::register(&mut environment))
        .map(|()| Arc::new(environment))
        .map_err(|error| error.to_string())
});

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// An error that the API server has as well, in about its words.
    Error(String),
    /// Something that is not understood here, so that nothing is known.
    Unsupported(String),
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) text: String,
    compiled: Result<Compiled, String>,
}

#[derive(Debug)]
struct Compiled {
    tree: IdedExpr,
    /// What it reads: `object`, `request.userInfo`, `namespaceObject`.
    reads: BTreeSet<String>,
}

impl Expression {
    pub(super) fn compile(text: &str) -> Expression {
        let compiled = if text.len() > LONGEST_EXPRESSION {
            Err(format!("an expression of more than {LONGEST_EXPRESSION} bytes is not evaluated"))
        } else {
            nesting::check(text).and_then(|()| guarded(|| compile(text)))
        };
        Expression { text: text.to_owned(), compiled }
    }
}

fn compile(text: &str) -> Result<Compiled, String> {
    let environment = ENVIRONMENT.as_ref().map_err(Clone::clone)?;
    let parser = environment.parser().enable_ident_escape_syntax(true).max_recursion_depth(nesting::DEEPEST);
    let mut tree = parser.parse(text).map_err(|errors| {
        let first = errors.errors.first().map_or_else(String::new, |error| format!(": {}", error.msg));
        format!("the expression is not understood{first}")
    })?;
    let reads = rewrite::rewrite(&mut tree)?;
    Ok(Compiled { tree, reads })
}

/// What expressions are evaluated over: named values, some of which may not be known.
pub(super) struct Scope {
    context: Context<'static, 'static>,
    unknown: BTreeMap<String, String>,
    budget: Budget,
    variables: Arc<Mutex<BTreeMap<String, Variable>>>,
}

type Variable = Result<Box<dyn Val>, Failure>;

impl Scope {
    /// A scope of these values; what is named in `unknown`, with why, must not be read.
    pub(super) fn new(
        values: &[(&str, &serde_json::Value)],
        unknown: BTreeMap<String, String>,
    ) -> Result<Scope, String> {
        let environment = ENVIRONMENT.as_ref().map_err(Clone::clone)?;
        let nodes = values.iter().map(|(_, value)| nodes(value)).sum();
        let budget = Budget::new(nodes);
        let variables = Arc::new(Mutex::new(BTreeMap::new()));
        let mut context = Context::with_env(Arc::clone(environment));
        budget.register(&mut context)?;
        library::register_stateful(&mut context, &budget)?;
        register_variables(&mut context, &variables)?;
        for (name, value) in values {
            context.add_variable_from_value(*name, from_json(value));
        }
        Ok(Scope { context, unknown, budget, variables })
    }

    /// Evaluates an expression and makes it known as `variables.NAME`.
    pub(super) fn define(&self, name: &str, expression: &Expression) {
        let value = self.resolve(expression).map_err(|failure| match failure {
            Failure::Error(error) => {
                Failure::Error(format!("composited variable \"{name}\" fails to evaluate: {error}"))
            }
            unsupported => unsupported,
        });
        self.variables.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    /// The truth of an expression.
    pub(super) fn truth(&self, expression: &Expression) -> Result<bool, Failure> {
        match self.value(expression)? {
            Value::Bool(truth) => Ok(truth),
            _ => Err(Failure::Unsupported("the expression's value is not a boolean".to_owned())),
        }
    }

    /// The value of an expression.
    pub(super) fn value(&self, expression: &Expression) -> Result<Value, Failure> {
        let value = self.resolve(expression)?;
        Value::try_from(value.as_ref()).map_err(|error| Failure::Unsupported(error.to_string()))
    }

    fn resolve(&self, expression: &Expression) -> Variable {
        let compiled = expression.compiled.as_ref().map_err(|why| Failure::Unsupported(why.clone()))?;
        if let Some((_, why)) = self.unknown.iter().find(|(name, _)| compiled.reads.contains(*name)) {
            return Err(Failure::Unsupported(why.clone()));
        }
        self.budget.refill();
        let result = guarded(|| Ok(three_valued::evaluate(&compiled.tree, &self.context, &self.failures())))
            .map_err(Failure::Unsupported)?;
        match self.budget.exceeded() {
            Some(why) => Err(Failure::Unsupported(why)),
            None => result,
        }
    }

    /// The variables that failed.
    fn failures(&self) -> BTreeMap<String, Failure> {
        let variables = self.variables.lock().unwrap_or_else(PoisonError::into_inner);
        variables
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_ref().err()?.clone())))
            .collect()
    }
}

/// Runs the interpreter, which is not ours; a panic in it is something that is not supported. The panic hook is the
/// program's and stays as it is.
fn guarded<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("the CEL interpreter failed".to_owned()))
}

/// `variables.NAME` has become a call of `@variable` with the name.
fn register_variables(
    context: &mut Context<'static, 'static>,
    variables: &Arc<Mutex<BTreeMap<String, Variable>>>,
) -> Result<(), String> {
    let variables = Arc::clone(variables);
    let lookup: library::Stateful = Box::new(move |call| {
        let name = call.args.first().map(|name| Value::try_from(name.as_ref())).transpose()?;
        let Some(Value::String(name)) = name else {
            return Err(ExecutionError::missing_argument_or_target());
        };
        let variables = variables.lock().unwrap_or_else(PoisonError::into_inner);
        match variables.get(name.as_str()) {
            Some(Ok(value)) => Ok(::cel::common::value::CowVal::Owned(value.clone_as_boxed())),
            _ => Err(ExecutionError::function_error(rewrite::VARIABLE, name)),
        }
    });
    context.add_function(rewrite::VARIABLE, lookup).map_err(|error| error.to_string())
}

/// JSON as CEL sees it: whole numbers are `int`, others `double`.
pub(super) fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::UInt(number),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(from_json).collect())),
        serde_json::Value::Object(fields) => {
            let map: HashMap<Key, Value> = fields
                .iter()
                .map(|(key, value)| (Key::String(Arc::new(key.clone())), from_json(value)))
                .collect();
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}

fn nodes(json: &serde_json::Value) -> usize {
    match json {
        serde_json::Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        serde_json::Value::Object(fields) => 1 + fields.values().map(nodes).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
