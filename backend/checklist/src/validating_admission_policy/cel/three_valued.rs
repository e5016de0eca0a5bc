//! Logic with a third outcome. The interpreter knows values and errors; where both operands of `&&` or `||` fail it
//! keeps one error and drops the other, which may be one that only it has. So the connectives are evaluated here, down
//! to expressions without any, and "not supported" wins over an error.

use super::super::library::REJECTED;
use super::rewrite::VARIABLE;
use super::{Failure, Variable};
use ::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators};
use ::cel::common::types::CelBool;
use ::cel::common::value::{CowVal, Val};
use ::cel::{Context, ExecutionError, Value};
use std::collections::BTreeMap;

type Failures = BTreeMap<String, Failure>;

/// Evaluates an expression; `failures` are the policy's variables that have no value.
pub(super) fn evaluate(node: &IdedExpr, context: &Context<'_, 'static>, failures: &Failures) -> Variable {
    match &node.expr {
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => {
                connective([left, right].into_iter().map(|operand| truth(operand, context, failures)), false)
            }
            (operators::LOGICAL_OR, [left, right]) => {
                connective([left, right].into_iter().map(|operand| truth(operand, context, failures)), true)
            }
            (operators::LOGICAL_NOT, [operand]) => Ok(boolean(!truth(operand, context, failures)?)),
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                let branch = if truth(condition, context, failures)? { then } else { otherwise };
                evaluate(branch, context, failures)
            }
            _ => leaf(node, context, failures),
        },
        Expr::Comprehension(comprehension) => match quantifier(comprehension) {
            Some((decisive, condition)) => quantified(comprehension, decisive, condition, context, failures),
            None => leaf(node, context, failures),
        },
        _ => leaf(node, context, failures),
    }
}

fn truth(node: &IdedExpr, context: &Context<'_, 'static>, failures: &Failures) -> Result<bool, Failure> {
    let value = evaluate(node, context, failures)?;
    value
        .downcast_ref::<CelBool>()
        .map(|truth| *truth.inner())
        .ok_or_else(|| Failure::Unsupported("logic on a value that is not a boolean".to_owned()))
}

/// `decisive` as soon as one operand is; else what is not supported, else the last error, else the opposite.
fn connective(operands: impl Iterator<Item = Result<bool, Failure>>, decisive: bool) -> Variable {
    let mut worst: Option<Failure> = None;
    for operand in operands {
        match operand {
            Ok(truth) if truth == decisive => return Ok(boolean(decisive)),
            Ok(_) => {}
            Err(Failure::Error(error)) => {
                if !matches!(worst, Some(Failure::Unsupported(_))) {
                    worst = Some(Failure::Error(error));
                }
            }
            Err(unsupported) => worst = Some(unsupported),
        }
    }
    worst.map_or_else(|| Ok(boolean(!decisive)), Err)
}

/// For `all` and `exists` what decides them, and the condition on each element.
fn quantifier(comprehension: &ComprehensionExpr) -> Option<(bool, &IdedExpr)> {
    let Expr::Call(step) = &comprehension.loop_step.expr else { return None };
    let plain = matches!(&comprehension.result.expr, Expr::Ident(name) if *name == comprehension.accu_var);
    let decisive = match step.func_name.as_str() {
        operators::LOGICAL_AND if plain => false,
        operators::LOGICAL_OR if plain => true,
        _ => return None,
    };
    match step.args.as_slice() {
        [IdedExpr { expr: Expr::Ident(name), .. }, condition] if *name == comprehension.accu_var => {
            Some((decisive, condition))
        }
        _ => None,
    }
}

fn quantified(
    comprehension: &ComprehensionExpr,
    decisive: bool,
    condition: &IdedExpr,
    context: &Context<'_, 'static>,
    failures: &Failures,
) -> Variable {
    let range = leaf(&comprehension.iter_range, context, failures)?;
    let Some(elements) = range.as_iterable() else {
        return Err(Failure::Unsupported(
            "a comprehension over something that is neither list nor map".to_owned(),
        ));
    };
    let mut elements = elements.iter();
    let mut inner = context.new_inner_scope();
    let operands = std::iter::from_fn(|| {
        let element = elements.next()?;
        inner.add_variable_as_val(&comprehension.iter_var, element.clone_as_boxed());
        Some(truth(condition, &inner, failures))
    });
    connective(operands, decisive)
}

/// What the interpreter makes of an expression. An error counts only if no other can hide behind it.
fn leaf(node: &IdedExpr, context: &Context<'_, 'static>, failures: &Failures) -> Variable {
    match Value::resolve_val(node, context).map(CowVal::into_owned) {
        Ok(value) => Ok(value),
        Err(error) => match classify(error, failures) {
            Failure::Error(error) if has_logic(node) => Err(Failure::Unsupported(format!(
                "an error ({error}) within logic that is a part of a larger value"
            ))),
            failure => Err(failure),
        },
    }
}

/// The errors that the API server has too; everything else is the interpreter's.
fn classify(error: ExecutionError, failures: &Failures) -> Failure {
    match error {
        ExecutionError::NoSuchKey(key) => Failure::Error(format!("no such key: {key}")),
        ExecutionError::IndexOutOfBounds(_) => Failure::Error("index out of bounds".to_owned()),
        ExecutionError::DivisionByZero(_) => Failure::Error("division by zero".to_owned()),
        ExecutionError::RemainderByZero(_) => Failure::Error("modulus by zero".to_owned()),
        ExecutionError::FunctionError { function, message } if function == REJECTED => {
            Failure::Error(message)
        }
        ExecutionError::FunctionError { function, message } if function == VARIABLE => {
            let unknown =
                || Failure::Unsupported(format!("the variable `{message}` is not defined before its use"));
            failures.get(&message).cloned().unwrap_or_else(unknown)
        }
        ExecutionError::NoSuchOverload(overload) if selects_from_null_or_scalar(&overload) => Failure::Error(
            format!("no such key on a {}", overload.argument_types().first().map_or("value", String::as_str)),
        ),
        ExecutionError::UndeclaredReference(name) => {
            Failure::Unsupported(format!("`{name}` is not known here"))
        }
        other => Failure::Unsupported(other.to_string()),
    }
}

/// A field of null, of a string, of a number: nothing that has fields.
fn selects_from_null_or_scalar(overload: &::cel::OverloadError) -> bool {
    const WITHOUT_FIELDS: [&str; 5] = ["null_type", "string", "int", "bool", "double"];
    overload.function() == "_._"
        && overload.argument_types().first().is_some_and(|operand| WITHOUT_FIELDS.contains(&operand.as_str()))
}

/// Whether anything in it could drop an error.
fn has_logic(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => false,
        Expr::Select(select) => has_logic(&select.operand),
        Expr::Call(call) => {
            matches!(
                call.func_name.as_str(),
                operators::LOGICAL_AND | operators::LOGICAL_OR | operators::NOT_STRICTLY_FALSE
            ) || call.target.as_deref().into_iter().chain(&call.args).any(has_logic)
        }
        Expr::List(list) => list.elements.iter().any(has_logic),
        Expr::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => has_logic(&entry.key) || has_logic(&entry.value),
            EntryExpr::StructField(field) => has_logic(&field.value),
        }),
        Expr::Struct(_) => true,
        Expr::Comprehension(comprehension) => [
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ]
        .into_iter()
        .any(has_logic),
    }
}

fn boolean(truth: bool) -> Box<dyn Val> {
    Box::new(CelBool::from(truth))
}
