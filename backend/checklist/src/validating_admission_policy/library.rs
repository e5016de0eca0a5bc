//! The functions that Kubernetes adds to CEL, as far as policies use them. `authorizer`, `url`, `semver` and `format.*`
//! are missing, so that what uses them is not supported.
//!
//! See <https://kubernetes.io/docs/reference/using-api/cel/>.

mod addresses;
mod collections;
mod quantities;
mod regular_expressions;

use super::cel::Budget;
use ::cel::common::value::CowVal;
use ::cel::{Context, DeclarationError, Env, ExecutionError, FunctionContext, Value, extensions};

/// The name under which an error of a function here is one that the API server has too.
pub(super) const REJECTED: &str = "@rejected";

/// A function with state.
pub(super) type Stateful = Box<
    dyn for<'context, 'call> Fn(
            &mut FunctionContext<'context, 'call>,
        ) -> Result<CowVal<'context, 'call>, ExecutionError>
        + Send
        + Sync,
>;

/// Registers everything that is a plain function.
pub(super) fn register(environment: &mut Env) -> Result<(), DeclarationError> {
    environment.add_extension(extensions::strings)?;
    environment.add_extension(extensions::lists)?;
    collections::register(environment)?;
    quantities::register(environment)?;
    addresses::register(environment)
}

/// Registers what has a cache or costs more than a step.
pub(super) fn register_stateful(
    context: &mut Context<'static, 'static>,
    budget: &Budget,
) -> Result<(), String> {
    regular_expressions::register(context, budget)
}

/// An error that the API server has too.
fn rejected(message: impl Into<String>) -> ExecutionError {
    ExecutionError::function_error(REJECTED, message.into())
}

/// Something that is not understood here.
fn unsupported(message: impl Into<String>) -> ExecutionError {
    ExecutionError::InternalError(message.into())
}

/// An overload of a function over [`Value`]s, as the interpreter wants it.
macro_rules! overload {
    ($function:path) => {{
        fn overload<'b, 'v>(
            arguments: Vec<::cel::common::value::CowVal<'b, 'v>>,
        ) -> Result<::cel::common::value::CowVal<'b, 'v>, ::cel::ExecutionError> {
            let values: Vec<::cel::Value> = arguments
                .iter()
                .map(|value| ::cel::Value::try_from(value.as_ref()))
                .collect::<Result<_, _>>()?;
            $crate::validating_admission_policy::library::owned($function(&values)?)
        }
        overload
    }};
}
use overload;

fn owned<'b, 'v>(value: Value) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(CowVal::Owned(value.try_into()?))
}

fn text(value: Option<&Value>) -> Result<&str, ExecutionError> {
    match value {
        Some(Value::String(text)) => Ok(text),
        _ => Err(unsupported("a text was expected")),
    }
}

fn list(value: Option<&Value>) -> Result<&[Value], ExecutionError> {
    match value {
        Some(Value::List(items)) => Ok(items),
        _ => Err(unsupported("a list was expected")),
    }
}
