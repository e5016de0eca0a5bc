//! Selectors of every policy kind, as one expression over a pod's and its namespace's labels.

use super::endpoint::PodView;
use crate::inventory::{LabelSelector, LabelSelectorRequirement};
use std::ops::Not;

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It holds for some pods and not for others, where the question is about all pods.
    Depends,
    /// It cannot be evaluated.
    Unknown,
}

/// What a selector asks of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A label of the pod.
    Label(String),
    /// A label of the pod's namespace.
    NamespaceLabel(String),
    /// The name of the pod's namespace.
    NamespaceName,
    /// The name of the pod's service account.
    ServiceAccount,
    /// What runs the pod, as Calico says it: always Kubernetes.
    Orchestrator,
    /// A label that Cilium gives to what is no pod, such as `reserved:host`.
    Reserved,
    /// Something that is not read, such as a label of the service account.
    NotRead(String),
}

/// A selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Selects every pod.
    Everything,
    /// Selects none.
    Nothing,
    /// Cannot be evaluated; why.
    Unreadable(String),
    /// The key is there.
    Has(Key),
    /// The key has one of these values.
    In(Key, Vec<String>),
    /// The key's value has this in it.
    Contains(Key, String),
    /// The key's value starts with this.
    StartsWith(Key, String),
    /// The key's value ends with this.
    EndsWith(Key, String),
    /// The contrary.
    Not(Box<Expression>),
    /// All of them.
    All(Vec<Expression>),
    /// Any of them.
    Any(Vec<Expression>),
}

/// The value of a key of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// This one.
    Is(&'a str),
    /// The pod does not have the key.
    Absent,
    /// It differs between the pods in question.
    Differs,
    /// It was not seen.
    NotSeen,
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::Depends, _) | (_, Truth::Depends) => Truth::Depends,
            (Truth::Yes, Truth::Yes) => Truth::Yes,
        }
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Truth) -> Truth {
        !((!self).and(!other))
    }

    pub(super) fn all(truths: impl IntoIterator<Item = Truth>) -> Truth {
        truths.into_iter().fold(Truth::Yes, Truth::and)
    }

    pub(super) fn any(truths: impl IntoIterator<Item = Truth>) -> Truth {
        truths.into_iter().fold(Truth::No, Truth::or)
    }
}

impl Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            other => other,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Truth {
        if holds { Truth::Yes } else { Truth::No }
    }
}

impl Expression {
    /// A label selector; `key` says what its keys ask for.
    pub fn of(selector: &LabelSelector, key: impl Fn(&str) -> Key) -> Expression {
        let labels =
            selector.match_labels.iter().map(|(name, value)| Expression::In(key(name), vec![value.clone()]));
        let requirements = selector.match_expressions.iter().map(|requirement| {
            let LabelSelectorRequirement { key: name, operator, values } = requirement;
            match operator.as_str() {
                "In" => Expression::In(key(name), values.clone()),
                "NotIn" => !Expression::In(key(name), values.clone()),
                "Exists" => Expression::Has(key(name)),
                "DoesNotExist" => !Expression::Has(key(name)),
                other => Expression::Unreadable(format!("the operator `{other}` of a selector is not known")),
            }
        });
        Expression::all(labels.chain(requirements).collect())
    }

    /// A selector of pods by their labels.
    pub fn of_pods(selector: &LabelSelector) -> Expression {
        Expression::of(selector, |name| Key::Label(name.to_owned()))
    }

    /// A selector of pods by the labels of their namespace.
    pub fn of_namespaces(selector: &LabelSelector) -> Expression {
        Expression::of(selector, |name| Key::NamespaceLabel(name.to_owned()))
    }

    /// The pods of one namespace.
    pub fn in_namespace(namespace: &str) -> Expression {
        Expression::In(Key::NamespaceName, vec![namespace.to_owned()])
    }

    /// All of them; nothing asked for is everything.
    pub fn all(mut expressions: Vec<Expression>) -> Expression {
        expressions.retain(|expression| *expression != Expression::Everything);
        match expressions.len() {
            0 => Expression::Everything,
            1 => expressions.remove(0),
            _ => Expression::All(expressions),
        }
    }

    /// Whether a pod is selected.
    pub fn selects(&self, pod: &PodView<'_>) -> Truth {
        let text = |key: &Key, holds: &dyn Fn(&str) -> bool| match pod.value(key) {
            Value::Is(value) => Truth::from(holds(value)),
            Value::Absent => Truth::No,
            Value::Differs => Truth::Depends,
            Value::NotSeen => Truth::Unknown,
        };
        match self {
            Expression::Everything => Truth::Yes,
            Expression::Nothing => Truth::No,
            Expression::Unreadable(_) => Truth::Unknown,
            Expression::Has(key) => text(key, &|_| true),
            Expression::In(key, values) => text(key, &|value| values.iter().any(|wanted| wanted == value)),
            Expression::Contains(key, part) => text(key, &|value| value.contains(part.as_str())),
            Expression::StartsWith(key, part) => text(key, &|value| value.starts_with(part.as_str())),
            Expression::EndsWith(key, part) => text(key, &|value| value.ends_with(part.as_str())),
            Expression::Not(inner) => !inner.selects(pod),
            Expression::All(inner) => Truth::all(inner.iter().map(|expression| expression.selects(pod))),
            Expression::Any(inner) => Truth::any(inner.iter().map(|expression| expression.selects(pod))),
        }
    }

    /// Why it cannot be evaluated, where that is known.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Expression::Unreadable(reason) => Some(reason),
            Expression::Has(Key::NotRead(what))
            | Expression::In(Key::NotRead(what), _)
            | Expression::Contains(Key::NotRead(what), _)
            | Expression::StartsWith(Key::NotRead(what), _)
            | Expression::EndsWith(Key::NotRead(what), _) => Some(what),
            Expression::Not(inner) => inner.reason(),
            Expression::All(inner) | Expression::Any(inner) => inner.iter().find_map(Expression::reason),
            _ => None,
        }
    }
}

impl Not for Expression {
    type Output = Expression;

    fn not(self) -> Expression {
        Expression::Not(Box::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Labels;

    fn selector(yaml: &str) -> Expression {
        Expression::of_pods(&serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn every_operator() {
        let labels = Labels::from([("app".to_owned(), "web".to_owned()), ("tier".to_owned(), String::new())]);
        let pod = PodView::of_labels("shop", &labels);
        for (yaml, expected) in [
            ("{}", Truth::Yes),
            ("{matchLabels: {app: web}}", Truth::Yes),
            ("{matchLabels: {app: db}}", Truth::No),
            ("{matchLabels: {tier: ''}}", Truth::Yes),
            ("{matchLabels: {none: ''}}", Truth::No),
            ("{matchExpressions: [{key: app, operator: In, values: [db, web]}]}", Truth::Yes),
            ("{matchExpressions: [{key: none, operator: In, values: [db]}]}", Truth::No),
            ("{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}", Truth::No),
            ("{matchExpressions: [{key: none, operator: NotIn, values: [web]}]}", Truth::Yes),
            ("{matchExpressions: [{key: tier, operator: Exists}]}", Truth::Yes),
            ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", Truth::No),
            ("{matchExpressions: [{key: none, operator: DoesNotExist}]}", Truth::Yes),
            ("{matchExpressions: [{key: app, operator: Gt, values: ['1']}]}", Truth::Unknown),
            // What does not hold does not hold, whatever the rest says.
            ("{matchLabels: {app: db}, matchExpressions: [{key: app, operator: Gt}]}", Truth::No),
        ] {
            assert_eq!(selector(yaml).selects(&pod), expected, "{yaml}");
        }
    }

    #[test]
    fn of_a_pod_that_nobody_knows_only_the_empty_selector_is_sure() {
        let pod = PodView::of_tomorrow("shop", super::super::endpoint::LabelsView::Differ);
        assert_eq!(selector("{}").selects(&pod), Truth::Yes);
        assert_eq!(selector("{matchLabels: {app: web}}").selects(&pod), Truth::Depends);
        assert_eq!(
            selector("{matchExpressions: [{key: app, operator: DoesNotExist}]}").selects(&pod),
            Truth::Depends
        );
        assert_eq!(Expression::in_namespace("shop").selects(&pod), Truth::Yes);
        assert_eq!(Expression::in_namespace("bank").selects(&pod), Truth::No);
    }
}
