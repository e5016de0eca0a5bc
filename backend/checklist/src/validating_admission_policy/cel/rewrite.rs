//! What is changed in a parsed expression before it is evaluated: loops count their iterations and run in a fixed
//! order, what multiplies sizes is bounded, `variables.x` is looked up, and functions of the interpreter that differ
//! from the API server's are replaced.

use super::budget::{LIMITED, SHORT, TICK};
use super::macros::POSITIONS;
use ::cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use std::collections::BTreeSet;

/// Looks a variable of the policy up.
pub(super) const VARIABLE: &str = "@variable";
/// A list unchanged, the keys of a map in order.
pub(in super::super) const ORDERED: &str = "@ordered";
/// `matches` as the API server has it.
pub(in super::super) const MATCHES: &str = "@matches";

/// Rewrites an expression and says what it reads of the values that may not be known.
pub(super) fn rewrite(tree: &mut IdedExpr) -> Result<BTreeSet<String>, String> {
    let mut rewriter = Rewriter { bound: Vec::new(), reads: BTreeSet::new() };
    rewriter.expression(tree)?;
    Ok(rewriter.reads)
}

struct Rewriter {
    /// Names that a comprehension binds here.
    bound: Vec<String>,
    reads: BTreeSet<String>,
}

impl Rewriter {
    fn expression(&mut self, node: &mut IdedExpr) -> Result<(), String> {
        match &mut node.expr {
            Expr::Unspecified => return Err("the expression has an empty part".to_owned()),
            Expr::Literal(_) => {}
            Expr::Ident(name) => {
                let name = name.trim_start_matches('.').to_owned();
                self.read(&name)?;
            }
            Expr::Select(select) => {
                if let Expr::Ident(root) = &select.operand.expr
                    && !self.bound.contains(root)
                {
                    let (root, field, test) =
                        (root.trim_start_matches('.').to_owned(), select.field.clone(), select.test);
                    if root == "variables" && !test {
                        node.expr = call(VARIABLE, vec![literal(&field)]);
                        return Ok(());
                    }
                    if root == "request" {
                        self.reads.insert(format!("request.{field}"));
                        return Ok(());
                    }
                }
                self.expression(&mut select.operand)?;
            }
            Expr::Call(_) => self.call(node)?,
            Expr::List(list) => {
                for element in &mut list.elements {
                    self.expression(element)?;
                }
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    let EntryExpr::MapEntry(entry) = &mut entry.expr else {
                        return Err("a map with fields is not supported".to_owned());
                    };
                    self.expression(&mut entry.key)?;
                    self.expression(&mut entry.value)?;
                }
            }
            Expr::Struct(_) => return Err("constructing objects is not supported".to_owned()),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension)?,
        }
        Ok(())
    }

    fn read(&mut self, name: &str) -> Result<(), String> {
        if self.bound.iter().any(|bound| bound == name) {
            return Ok(());
        }
        match name {
            "authorizer" => return Err("`authorizer` asks the API server what the user may do".to_owned()),
            "variables" => return Err("`variables` is used other than by a name".to_owned()),
            // Read as a whole, so that every field matters.
            "request" => self.reads.extend(
                ["request.userInfo", "request.options", "request.dryRun", "request.uid"].map(str::to_owned),
            ),
            _ => {}
        }
        self.reads.insert(name.to_owned());
        Ok(())
    }

    fn call(&mut self, node: &mut IdedExpr) -> Result<(), String> {
        let Expr::Call(called) = &mut node.expr else { return Ok(()) };
        if let Some(target) = &mut called.target {
            // A namespace of functions, such as `sets` in `sets.contains()`, is not read.
            self.expression(target)?;
        }
        for argument in &mut called.args {
            self.expression(argument)?;
        }
        match called.func_name.as_str() {
            "matches" => called.func_name = MATCHES.to_owned(),
            "replace" | "join" | "format" => {
                for part in called.target.as_deref_mut().into_iter().chain(&mut called.args) {
                    wrap(part, SHORT);
                }
            }
            operators::ADD if !is_accumulator(called.args.first()) => wrap(node, LIMITED),
            _ => {}
        }
        Ok(())
    }

    fn comprehension(&mut self, comprehension: &mut ComprehensionExpr) -> Result<(), String> {
        if comprehension.iter_var2.is_some() {
            return Err("a comprehension with two variables is not supported".to_owned());
        }
        self.expression(&mut comprehension.iter_range)?;
        self.expression(&mut comprehension.accu_init)?;
        let binds = matches!(&comprehension.iter_range.expr, Expr::List(list) if list.elements.is_empty());
        let bound = self.bound.len();
        self.bound.push(comprehension.accu_var.clone());
        if !binds {
            self.bound.push(comprehension.iter_var.clone());
            self.expression(&mut comprehension.loop_step)?;
            tick(&mut comprehension.loop_step);
            if !matches!(&comprehension.iter_range.expr, Expr::Call(called) if called.func_name == POSITIONS)
            {
                wrap(&mut comprehension.iter_range, ORDERED);
            }
            self.bound.truncate(bound + 1);
        }
        self.expression(&mut comprehension.result)?;
        self.bound.truncate(bound);
        Ok(())
    }
}

/// Puts a tick where it is evaluated once for each iteration and the shape, by which the interpreter knows what a loop
/// is for, stays.
fn tick(step: &mut IdedExpr) {
    if let Expr::Call(called) = &mut step.expr {
        match called.func_name.as_str() {
            operators::CONDITIONAL => {
                if let Some(condition) = called.args.first_mut() {
                    ticked(condition);
                }
                return;
            }
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::ADD
                if is_accumulator(called.args.first()) =>
            {
                match called.args.get_mut(1) {
                    Some(IdedExpr { expr: Expr::List(list), .. }) => {
                        list.elements.iter_mut().for_each(ticked)
                    }
                    Some(operand) => ticked(operand),
                    None => {}
                }
                return;
            }
            _ => {}
        }
    }
    ticked(step);
}

/// `@tick() ? expression : null`. A tick is true or an error.
fn ticked(node: &mut IdedExpr) {
    let inner = std::mem::take(node);
    node.id = inner.id;
    let id = inner.id;
    let condition = IdedExpr { id, expr: call(TICK, Vec::new()) };
    let never = IdedExpr { id, expr: Expr::Literal(LiteralValue::Null) };
    node.expr = call(operators::CONDITIONAL, vec![condition, inner, never]);
}

fn wrap(node: &mut IdedExpr, function: &str) {
    let inner = std::mem::take(node);
    node.id = inner.id;
    node.expr = call(function, vec![inner]);
}

fn call(function: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args })
}

fn literal(text: &str) -> IdedExpr {
    IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::String(text.to_owned().into())) }
}

/// The name of an accumulator cannot be written in CEL.
fn is_accumulator(node: Option<&IdedExpr>) -> bool {
    matches!(node.map(|node| &node.expr), Some(Expr::Ident(name)) if name == "@result")
}
