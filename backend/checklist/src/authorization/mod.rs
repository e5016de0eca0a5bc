//! Effective RBAC: what an account may do, and the binding, role and rule that give it.

mod defaults;
mod rule;

pub use rule::{Action, Extent, allows};

use crate::inventory::{Binding, Inventory, Kind, LabelSelector, Role, RoleRule};
use rampart_shared::{Gap, GapReason};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Whom a binding gives its role. A user whose name is that of a service account is that account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder<'a> {
    /// A service account.
    ServiceAccount(Account<'a>),
    /// A user.
    User(&'a str),
    /// A group.
    Group(&'a str),
}

/// A service account, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// A rule, with the role that has it: for an aggregated ClusterRole, the one that it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantedRule<'a> {
    /// The role in which the rule stands.
    pub role: &'a Role,
    /// The rule.
    pub rule: &'a RoleRule,
}

/// A binding with the rules that it gives; none where its role does not exist.
#[derive(Debug, Clone)]
pub struct BoundRole<'a> {
    /// The binding.
    pub binding: &'a Binding,
    /// The namespace in which the rules hold; none is everywhere.
    pub namespace: Option<&'a str>,
    /// Whom it names.
    pub holders: Vec<Holder<'a>>,
    /// What it gives.
    pub rules: Arc<[GrantedRule<'a>]>,
}

/// A right with what gives it.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The binding.
    pub bound: &'a BoundRole<'a>,
    /// The rule.
    pub rule: GrantedRule<'a>,
    /// The objects for which it holds.
    pub extent: Extent<'a>,
}

/// Every binding of a cluster, resolved once.
#[derive(Debug)]
pub struct Authorization<'a> {
    bound: Vec<BoundRole<'a>>,
    by_holder: HashMap<Holder<'a>, Vec<usize>>,
    undecided: Vec<Gap>,
}

const ACCOUNTS: &str = "system:serviceaccounts";
const AUTHENTICATED: &str = "system:authenticated";

impl<'a> Account<'a> {
    /// `namespace/name`.
    pub fn full_name(self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Every way in which a binding can name it. `group` is `system:serviceaccounts:NAMESPACE`.
    fn holders<'h>(self, group: &'h str) -> [Holder<'h>; 4]
    where
        'a: 'h,
    {
        [
            Holder::ServiceAccount(self),
            Holder::Group(group),
            Holder::Group(ACCOUNTS),
            Holder::Group(AUTHENTICATED),
        ]
    }
}

impl<'a> Holder<'a> {
    /// Whether a service account is meant, by name or by one of its groups.
    pub fn covers(self, account: Account<'_>) -> bool {
        match self {
            Holder::ServiceAccount(named) => named == account,
            Holder::User(_) => false,
            Holder::Group(group) => {
                group == ACCOUNTS || group == AUTHENTICATED || self.namespace() == Some(account.namespace)
            }
        }
    }

    /// The namespace whose accounts a group holds, for `system:serviceaccounts:NAMESPACE`.
    pub fn namespace(self) -> Option<&'a str> {
        match self {
            Holder::Group(group) => group.strip_prefix(ACCOUNTS)?.strip_prefix(':'),
            Holder::ServiceAccount(_) | Holder::User(_) => None,
        }
    }

    /// Whether every service account is in this group.
    pub fn is_every_account(self) -> bool {
        matches!(self, Holder::Group(ACCOUNTS | AUTHENTICATED))
    }
}

impl<'a> BoundRole<'a> {
    /// The rules without those that the API server itself gives to everybody: what its own binding of a group adds to
    /// them was added by somebody else.
    pub fn rules_beyond_defaults(&self) -> impl Iterator<Item = &GrantedRule<'a>> {
        let bootstrap = defaults::is_bootstrap(self.binding)
            && self.holders.iter().all(|holder| matches!(holder, Holder::Group(_)));
        self.rules.iter().filter(move |granted| !(bootstrap && defaults::is_for_everybody(granted.rule)))
    }
}

impl<'a> Authorization<'a> {
    /// Resolves every binding.
    pub fn new(inventory: &'a Inventory) -> Self {
        let mut roles = Roles::new(inventory);
        let mut bound = Vec::new();
        let mut by_holder: HashMap<Holder<'a>, Vec<usize>> = HashMap::new();
        for binding in inventory.role_bindings.seen.iter().chain(&inventory.cluster_role_bindings.seen) {
            let namespace = (binding.kind == Kind::RoleBindings).then(|| binding.meta.namespace_or_default());
            let mut holders: Vec<Holder<'a>> = binding
                .subjects
                .iter()
                .filter_map(|subject| holder(&subject.kind, &subject.name, &subject.namespace, namespace))
                .collect();
            holders.sort_unstable();
            holders.dedup();
            for holder in &holders {
                by_holder.entry(*holder).or_default().push(bound.len());
            }
            bound.push(BoundRole { binding, namespace, holders, rules: roles.rules(binding, namespace) });
        }
        Authorization { bound, by_holder, undecided: roles.undecided }
    }

    /// Every binding.
    pub fn bindings(&self) -> &[BoundRole<'a>] {
        &self.bound
    }

    /// What could not be resolved: a role that gathers others by expressions, and that nobody filled yet.
    pub fn undecided(&self) -> &[Gap] {
        &self.undecided
    }

    /// The bindings that name an account, or a group that it is in.
    pub fn of_account(&self, account: Account<'_>) -> impl Iterator<Item = &BoundRole<'a>> {
        let group = format!("{ACCOUNTS}:{}", account.namespace);
        let mut found: Vec<usize> = account
            .holders(&group)
            .iter()
            .filter_map(|holder| self.by_holder.get(holder))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|index| self.bound.get(index))
    }

    /// Whether an account has any right that not everybody has.
    pub fn is_bound(&self, account: Account<'_>) -> bool {
        self.of_account(account).any(|bound| bound.rules_beyond_defaults().next().is_some())
    }

    /// What lets an account do this in a namespace; without a namespace, in all of them.
    pub fn grants<'s>(
        &'s self,
        account: Account<'_>,
        action: Action<'s>,
        namespace: Option<&'s str>,
    ) -> impl Iterator<Item = Grant<'s>> {
        self.of_account(account)
            .filter(move |bound| bound.namespace.is_none() || bound.namespace == namespace)
            .flat_map(move |bound| bound.rules.iter().map(move |rule| (bound, *rule)))
            .filter_map(move |(bound, rule)| Some(Grant { bound, rule, extent: allows(rule.rule, action)? }))
    }
}

/// A subject as the authorizer reads it: in a RoleBinding an account without namespace is in the binding's.
pub(crate) fn holder<'a>(
    kind: &str,
    name: &'a str,
    namespace: &'a str,
    binding: Option<&'a str>,
) -> Option<Holder<'a>> {
    match kind {
        "ServiceAccount" => {
            let namespace = if namespace.is_empty() { binding? } else { namespace };
            Some(Holder::ServiceAccount(Account { namespace, name }))
        }
        "User" => {
            Some(match name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
                Some((namespace, name)) => Holder::ServiceAccount(Account { namespace, name }),
                None => Holder::User(name),
            })
        }
        "Group" => Some(Holder::Group(name)),
        _ => None,
    }
}

/// Roles by name, with the rules of those that gather others.
struct Roles<'a> {
    roles: HashMap<(&'a str, &'a str), &'a Role>,
    cluster_roles: HashMap<&'a str, &'a Role>,
    by_label: HashMap<(&'a str, &'a str), Vec<&'a Role>>,
    all: Vec<&'a Role>,
    resolved: HashMap<(Option<&'a str>, &'a str), Arc<[GrantedRule<'a>]>>,
    undecided: Vec<Gap>,
}

impl<'a> Roles<'a> {
    fn new(inventory: &'a Inventory) -> Self {
        let all: Vec<&Role> = inventory.cluster_roles.seen.iter().collect();
        let mut by_label: HashMap<(&str, &str), Vec<&Role>> = HashMap::new();
        // Where nothing gathers, no index is needed.
        if all.iter().any(|role| !role.aggregates.is_empty()) {
            for role in &all {
                for (name, value) in &*role.meta.labels {
                    by_label.entry((name, value)).or_default().push(role);
                }
            }
        }
        Roles {
            roles: inventory
                .roles
                .seen
                .iter()
                .map(|role| ((role.meta.namespace_or_default(), role.meta.name.as_str()), role))
                .collect(),
            cluster_roles: all.iter().map(|role| (role.meta.name.as_str(), *role)).collect(),
            by_label,
            all,
            resolved: HashMap::new(),
            undecided: Vec::new(),
        }
    }

    /// The rules that a binding gives.
    fn rules(&mut self, binding: &'a Binding, namespace: Option<&'a str>) -> Arc<[GrantedRule<'a>]> {
        let name = binding.role.name.as_str();
        let key = match (binding.role.kind.as_str(), namespace) {
            ("Role", Some(namespace)) => (Some(namespace), name),
            ("ClusterRole", _) => (None, name),
            // The API server takes no other reference.
            _ => return Arc::new([]),
        };
        if let Some(rules) = self.resolved.get(&key) {
            return Arc::clone(rules);
        }
        let role = match key.0 {
            Some(namespace) => self.roles.get(&(namespace, name)).copied(),
            None => self.cluster_roles.get(name).copied(),
        };
        let rules: Arc<[GrantedRule<'a>]> = match role {
            Some(role) => self.gather(role).into(),
            None => Arc::new([]),
        };
        self.resolved.insert(key, Arc::clone(&rules));
        rules
    }

    /// The rules of a role, and of every role that it gathers. A controller copies these into it, which in a
    /// manifest has not happened yet.
    fn gather(&mut self, role: &'a Role) -> Vec<GrantedRule<'a>> {
        let mut rules: Vec<GrantedRule<'a>> = Vec::new();
        let mut known: HashSet<&RoleRule> = HashSet::new();
        let mut visited: HashSet<&str> = HashSet::from([role.meta.name.as_str()]);
        let mut selected: BTreeMap<&BTreeMap<String, String>, ()> = BTreeMap::new();
        let mut waiting = vec![role];
        while let Some(next) = waiting.pop() {
            for selector in &next.aggregates {
                if selector.match_expressions.is_empty()
                    && selected.insert(&selector.match_labels, ()).is_some()
                {
                    continue;
                }
                match self.select(selector) {
                    Some(found) => {
                        waiting.extend(found.into_iter().filter(|found| visited.insert(&found.meta.name)));
                    }
                    // The controller has gathered already, so the role's own rules say it.
                    None if !next.rules.is_empty() => {}
                    None => self.undecided.push(undecided(next)),
                }
            }
            // A role that was filled repeats the rules of those that it gathers: each is told once, by its source.
            if next.aggregates.is_empty() {
                rules.extend(
                    next.rules
                        .iter()
                        .filter(|rule| known.insert(rule))
                        .map(|rule| GrantedRule { role: next, rule }),
                );
            }
        }
        // What an aggregated role has beyond its sources is in force until the controller comes by.
        rules.extend(
            role.rules.iter().filter(|rule| known.insert(rule)).map(|rule| GrantedRule { role, rule }),
        );
        rules
    }

    /// The ClusterRoles that a selector selects; none where it has an operator that is not known.
    fn select(&self, selector: &LabelSelector) -> Option<Vec<&'a Role>> {
        let candidates = match selector.match_labels.iter().next() {
            Some((name, value)) => self.by_label.get(&(name.as_str(), value.as_str())).map(Vec::as_slice),
            None => Some(self.all.as_slice()),
        };
        let mut selected = Vec::new();
        for role in candidates.unwrap_or_default() {
            if selector.matches(&role.meta.labels)? {
                selected.push(*role);
            }
        }
        Some(selected)
    }
}

fn undecided(role: &Role) -> Gap {
    let detail = format!(
        "ClusterRole {} gathers others by an operator that is not known, and its own rules are not filled in yet",
        role.meta.name
    );
    Gap::new(Kind::ClusterRoles.name(), GapReason::NotCollected, detail)
        .for_objects(vec![role.meta.name.clone()])
        .closed_by("Read the ClusterRole from a running cluster, where its rules are filled in.")
}

#[cfg(test)]
mod tests;
