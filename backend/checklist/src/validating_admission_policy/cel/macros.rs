//! The comprehensions with two variables, which the interpreter does not have. They become the ones with one variable
//! over the positions of a list or the keys of a map.
//!
//! See <https://pkg.go.dev/github.com/google/cel-go/ext#TwoVarComprehensions>.

use ::cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr, operators,
};
use ::cel::parser::{Macro, MacroExprHelper, ParseError};
use ::cel::{DeclarationError, Env};

/// The positions of a list or the keys of a map.
pub(in super::super) const POSITIONS: &str = "@positions";
/// A map with one more entry.
pub(in super::super) const INSERT: &str = "@insert";
/// A map with the entries of another.
pub(in super::super) const MERGE: &str = "@merge";

const RANGE: &str = "@range";
const RESULT: &str = "@result";

type Expansion = fn(&mut Builder<'_, '_>, Vec<IdedExpr>, IdedExpr) -> Loop;

struct Loop {
    start: Expr,
    condition: Expr,
    step: IdedExpr,
    result: Expr,
}

pub(super) fn register(environment: &mut Env) -> Result<(), DeclarationError> {
    for (name, arguments, expansion) in [
        ("all", 3, all as Expansion),
        ("exists", 3, exists),
        ("existsOne", 3, exists_one),
        ("exists_one", 3, exists_one),
        ("transformList", 3, transform_list),
        ("transformList", 4, transform_list),
        ("transformMap", 3, transform_map),
        ("transformMap", 4, transform_map),
        ("transformMapEntry", 3, transform_map_entry),
        ("transformMapEntry", 4, transform_map_entry),
    ] {
        environment.add_macro(Macro::receiver(name, arguments, move |helper, target, arguments| {
            expand(helper, target, arguments, expansion)
        }))?;
    }
    Ok(())
}

/// `range.f(key, value, …, last)`: `@range` is bound to the range, and within the loop `value` to `@range[key]`.
fn expand(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    arguments: &mut Vec<IdedExpr>,
    expansion: Expansion,
) -> Result<Option<IdedExpr>, ParseError> {
    let (Some(Expr::Ident(key)), Some(Expr::Ident(value))) =
        (arguments.first().map(|a| a.expr.clone()), arguments.get(1).map(|a| a.expr.clone()))
    else {
        return Err(helper.new_error(0, "the first two arguments must be simple names"));
    };
    let Some(target) = target.take() else { return Ok(None) };
    let mut rest = arguments.split_off(2);
    let Some(last) = rest.pop() else { return Ok(None) };
    let mut build = Builder { helper, key: key.clone(), value };
    let parts = expansion(&mut build, rest, last);
    let range = build.ident(RANGE);
    let looped = ComprehensionExpr {
        iter_range: build.call(POSITIONS, vec![range]),
        iter_var: key,
        iter_var2: None,
        accu_var: RESULT.to_owned(),
        accu_init: build.node(parts.start),
        loop_cond: build.node(parts.condition),
        loop_step: parts.step,
        result: build.node(parts.result),
    };
    let looped = build.node(Expr::Comprehension(Box::new(looped)));
    Ok(Some(build.bind(RANGE, target, looped)))
}

fn all(build: &mut Builder<'_, '_>, _: Vec<IdedExpr>, condition: IdedExpr) -> Loop {
    let (accumulated, condition) = (build.result(), build.with_value(condition));
    Loop {
        start: boolean(true),
        condition: boolean(true),
        step: build.call(operators::LOGICAL_AND, vec![accumulated, condition]),
        result: Expr::Ident(RESULT.to_owned()),
    }
}

fn exists(build: &mut Builder<'_, '_>, _: Vec<IdedExpr>, condition: IdedExpr) -> Loop {
    let (accumulated, condition) = (build.result(), build.with_value(condition));
    Loop {
        start: boolean(false),
        condition: boolean(true),
        step: build.call(operators::LOGICAL_OR, vec![accumulated, condition]),
        result: Expr::Ident(RESULT.to_owned()),
    }
}

fn exists_one(build: &mut Builder<'_, '_>, _: Vec<IdedExpr>, condition: IdedExpr) -> Loop {
    let accumulated = build.result();
    let one = build.node(integer(1));
    let more = build.call(operators::ADD, vec![accumulated, one]);
    let condition = build.with_value(condition);
    let step = build.step_if(vec![condition], more);
    let (accumulated, one) = (build.result(), build.node(integer(1)));
    let result = build.call(operators::EQUALS, vec![accumulated, one]).expr;
    Loop { start: integer(0), condition: boolean(true), step, result }
}

fn transform_list(build: &mut Builder<'_, '_>, filter: Vec<IdedExpr>, transformed: IdedExpr) -> Loop {
    let transformed = build.with_value(transformed);
    let item = build.node(Expr::List(ListExpr::new(vec![transformed])));
    let accumulated = build.result();
    let more = build.call(operators::ADD, vec![accumulated, item]);
    let filter = build.all_with_value(filter);
    let step = build.step_if(filter, more);
    Loop {
        start: Expr::List(ListExpr::new(Vec::new())),
        condition: boolean(true),
        step,
        result: Expr::Ident(RESULT.to_owned()),
    }
}

fn transform_map(build: &mut Builder<'_, '_>, filter: Vec<IdedExpr>, transformed: IdedExpr) -> Loop {
    let transformed = build.with_value(transformed);
    let key = build.key.clone();
    let arguments = vec![build.result(), build.ident(&key), transformed];
    let more = build.call(INSERT, arguments);
    map_loop(build, filter, more)
}

fn transform_map_entry(build: &mut Builder<'_, '_>, filter: Vec<IdedExpr>, entries: IdedExpr) -> Loop {
    let entries = build.with_value(entries);
    let accumulated = build.result();
    let more = build.call(MERGE, vec![accumulated, entries]);
    map_loop(build, filter, more)
}

fn map_loop(build: &mut Builder<'_, '_>, filter: Vec<IdedExpr>, more: IdedExpr) -> Loop {
    let filter = build.all_with_value(filter);
    let step = build.step_if(filter, more);
    Loop {
        start: Expr::Map(MapExpr { entries: Vec::new() }),
        condition: boolean(true),
        step,
        result: Expr::Ident(RESULT.to_owned()),
    }
}

fn boolean(truth: bool) -> Expr {
    Expr::Literal(LiteralValue::Boolean(truth.into()))
}

fn integer(number: i64) -> Expr {
    Expr::Literal(LiteralValue::Int(number.into()))
}

struct Builder<'a, 'b> {
    helper: &'a mut MacroExprHelper<'b>,
    key: String,
    value: String,
}

impl Builder<'_, '_> {
    fn node(&mut self, expression: Expr) -> IdedExpr {
        self.helper.next_expr(expression)
    }

    fn ident(&mut self, name: &str) -> IdedExpr {
        self.node(Expr::Ident(name.to_owned()))
    }

    fn result(&mut self) -> IdedExpr {
        self.ident(RESULT)
    }

    fn call(&mut self, function: &str, args: Vec<IdedExpr>) -> IdedExpr {
        self.node(Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args }))
    }

    /// The step if the filter, if there is one, holds; else what was accumulated.
    fn step_if(&mut self, filter: Vec<IdedExpr>, step: IdedExpr) -> IdedExpr {
        match filter.into_iter().next() {
            Some(filter) => {
                let unchanged = self.result();
                self.call(operators::CONDITIONAL, vec![filter, step, unchanged])
            }
            None => step,
        }
    }

    fn all_with_value(&mut self, expressions: Vec<IdedExpr>) -> Vec<IdedExpr> {
        expressions.into_iter().map(|expression| self.with_value(expression)).collect()
    }

    /// The expression with the second variable bound to `@range[key]`.
    fn with_value(&mut self, expression: IdedExpr) -> IdedExpr {
        let (key, value) = (self.key.clone(), self.value.clone());
        let arguments = vec![self.ident(RANGE), self.ident(&key)];
        let element = self.call(operators::INDEX, arguments);
        self.bind(&value, element, expression)
    }

    /// The name bound to the value in the expression: a loop over nothing.
    fn bind(&mut self, name: &str, value: IdedExpr, expression: IdedExpr) -> IdedExpr {
        let bound = ComprehensionExpr {
            iter_range: self.node(Expr::List(ListExpr::new(Vec::new()))),
            iter_var: "#unused".to_owned(),
            iter_var2: None,
            accu_var: name.to_owned(),
            accu_init: value,
            loop_cond: self.node(boolean(false)),
            loop_step: self.ident(name),
            result: expression,
        };
        self.node(Expr::Comprehension(Box::new(bound)))
    }
}
