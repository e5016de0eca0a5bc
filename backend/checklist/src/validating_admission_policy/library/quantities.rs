//! `quantity()` and what it can do.

use super::super::quantity::{Quantity, QuantityError};
use super::{overload, rejected, text, unsupported};
use ::cel::common::types::{INT_TYPE, STRING_TYPE, Type};
use ::cel::objects::Opaque;
use ::cel::{DeclarationError, Env, ExecutionError, Value};
use std::sync::Arc;

const TYPE: &str = "kubernetes.Quantity";

type Answer = Result<Value, ExecutionError>;

impl Opaque for Quantity {
    fn runtime_type_name(&self) -> &str {
        TYPE
    }
}

pub(super) fn register(environment: &mut Env) -> Result<(), DeclarationError> {
    let quantity = || Type::new_opaque_type(TYPE);
    environment.add_type(quantity())?;
    environment.add_overload("quantity", "string_to_quantity", vec![STRING_TYPE], overload!(parse))?;
    environment.add_overload(
        "isQuantity",
        "is_quantity_string",
        vec![STRING_TYPE],
        overload!(is_quantity),
    )?;
    environment.add_overload("sign", "quantity_sign", vec![quantity()], overload!(sign))?;
    let mut member = |name, id, arguments, function| {
        environment.add_member_overload(name, id, quantity(), arguments, function)
    };
    member("isInteger", "quantity_is_integer", vec![], overload!(is_integer))?;
    member("asInteger", "quantity_get_int", vec![], overload!(as_integer))?;
    member("asApproximateFloat", "quantity_get_float", vec![], overload!(as_float))?;
    member("isGreaterThan", "quantity_is_greater_than", vec![quantity()], overload!(is_greater))?;
    member("isLessThan", "quantity_is_less_than", vec![quantity()], overload!(is_less))?;
    member("compareTo", "quantity_compare_to", vec![quantity()], overload!(compare))?;
    member("add", "quantity_add", vec![quantity()], overload!(add))?;
    member("add", "quantity_add_int", vec![INT_TYPE], overload!(add))?;
    member("sub", "quantity_sub", vec![quantity()], overload!(subtract))?;
    member("sub", "quantity_sub_int", vec![INT_TYPE], overload!(subtract))
}

fn parse(arguments: &[Value]) -> Answer {
    match Quantity::parse(text(arguments.first())?) {
        Ok(quantity) => Ok(Value::Opaque(Arc::new(quantity))),
        Err(QuantityError::Invalid) => Err(rejected(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )),
        Err(error) => Err(unsupported(error.to_string())),
    }
}

fn is_quantity(arguments: &[Value]) -> Answer {
    match Quantity::parse(text(arguments.first())?) {
        Ok(_) => Ok(true.into()),
        Err(QuantityError::Invalid) => Ok(false.into()),
        Err(error) => Err(unsupported(error.to_string())),
    }
}

fn sign(arguments: &[Value]) -> Answer {
    Ok(this(arguments)?.sign().into())
}

fn is_integer(arguments: &[Value]) -> Answer {
    Ok(this(arguments)?.as_integer().is_some().into())
}

fn as_integer(arguments: &[Value]) -> Answer {
    this(arguments)?.as_integer().map(Value::Int).ok_or_else(|| rejected("cannot convert value to integer"))
}

fn as_float(arguments: &[Value]) -> Answer {
    Ok(this(arguments)?.as_approximate_float().into())
}

fn is_greater(arguments: &[Value]) -> Answer {
    Ok((this(arguments)? > other(arguments)?).into())
}

fn is_less(arguments: &[Value]) -> Answer {
    Ok((this(arguments)? < other(arguments)?).into())
}

fn compare(arguments: &[Value]) -> Answer {
    Ok(Value::Int(this(arguments)?.cmp(&other(arguments)?) as i64))
}

fn add(arguments: &[Value]) -> Answer {
    calculated(this(arguments)?.add(&other(arguments)?))
}

fn subtract(arguments: &[Value]) -> Answer {
    calculated(this(arguments)?.subtract(&other(arguments)?))
}

fn calculated(quantity: Option<Quantity>) -> Answer {
    quantity
        .map(|quantity| Value::Opaque(Arc::new(quantity)))
        .ok_or_else(|| unsupported("a quantity as large as this"))
}

fn this(arguments: &[Value]) -> Result<Quantity, ExecutionError> {
    quantity(arguments.first())
}

fn other(arguments: &[Value]) -> Result<Quantity, ExecutionError> {
    quantity(arguments.get(1))
}

fn quantity(value: Option<&Value>) -> Result<Quantity, ExecutionError> {
    match value {
        Some(Value::Int(number)) => Ok(Quantity::from_integer(*number)),
        Some(Value::Opaque(opaque)) => {
            opaque.downcast_ref::<Quantity>().copied().ok_or_else(|| unsupported("a quantity was expected"))
        }
        _ => Err(unsupported("a quantity was expected")),
    }
}
