//! The rules that traffic of one pod meets, in order.

use super::endpoint::{Endpoint, PodView};
use super::policy::{DefaultDeny, Policy, PolicyReference, Tier};
use super::rule::{Action, Packet, PortMatch, Rule};
use super::selector::Truth;
use crate::inventory::PolicyDirection;
use std::collections::BTreeSet;

/// Stages, which are tried in order. What none decides is allowed.
#[derive(Debug, Default)]
pub(super) struct Pipeline<'a> {
    stages: Vec<Stage<'a>>,
}

/// The rules of a tier.
#[derive(Debug)]
struct Stage<'a> {
    steps: Vec<Step<'a>>,
    /// Whether what no rule matched is dropped.
    denies: Truth,
    /// The policies that bring that with them.
    denying: Vec<&'a Policy>,
    reasons: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy)]
struct Step<'a> {
    policy: &'a Policy,
    rule: &'a Rule,
    /// Whether the rule is surely in force for the pod.
    certain: bool,
}

/// What becomes of a packet. More than one can be true where a rule cannot be evaluated.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome<'a> {
    /// It may be let through, by this policy or by none.
    pub(super) allowed: Option<Option<&'a Policy>>,
    /// It may be dropped, by this policy or by the default of a tier.
    pub(super) denied: Option<Denier<'a>>,
    /// Why both can be true.
    pub(super) reason: Option<&'a str>,
}

/// What dropped a packet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Denier<'a> {
    /// A rule of this policy.
    Rule(&'a Policy),
    /// The default of this stage, as a position.
    Default(usize),
}

impl Outcome<'_> {
    pub(super) fn is_allowed(&self) -> bool {
        self.allowed.is_some() && self.denied.is_none()
    }

    pub(super) fn is_denied(&self) -> bool {
        self.denied.is_some() && self.allowed.is_none()
    }
}

impl<'a> Pipeline<'a> {
    /// Puts the rules together that concern a pod. `policies` are in their tiers' order and their own; `tiers` too.
    /// `always` makes the default tier drop what nobody allows, for every pod.
    pub(super) fn new(
        policies: impl Iterator<Item = &'a Policy>,
        tiers: &[Tier],
        always: bool,
        pod: &PodView<'_>,
        direction: PolicyDirection,
    ) -> Pipeline<'a> {
        let mut pipeline = Pipeline::default();
        let mut policies = policies.peekable();
        for tier in tiers {
            let always = always && tier.name == super::policy::tier::DEFAULT;
            let mut stage =
                Stage { steps: Vec::new(), denies: always.into(), denying: Vec::new(), reasons: Vec::new() };
            while let Some(policy) = policies.next_if(|policy| policy.tier() == tier.name) {
                stage.add(policy, tier, pod, direction);
            }
            if !stage.steps.is_empty() || stage.denies != Truth::No {
                stage.simplify();
                pipeline.stages.push(stage);
            }
        }
        pipeline
    }

    /// Whether any rule or default could drop something.
    pub(super) fn can_deny(&self) -> bool {
        self.stages.iter().any(|stage| {
            stage.denies != Truth::No || stage.steps.iter().any(|step| step.rule.action == Action::Deny)
        })
    }

    /// The policies that make the pod drop what no rule allows.
    pub(super) fn isolating(&self) -> BTreeSet<&'a PolicyReference> {
        self.stages.iter().flat_map(|stage| &stage.denying).map(|policy| &policy.reference).collect()
    }

    /// The policies behind a denial.
    pub(super) fn deniers(&self, denier: Denier<'a>) -> BTreeSet<&'a PolicyReference> {
        match denier {
            Denier::Rule(policy) => BTreeSet::from([&policy.reference]),
            Denier::Default(place) => {
                let denying = self.stages.get(place).map_or(&[][..], |stage| &stage.denying);
                denying.iter().map(|policy| &policy.reference).collect()
            }
        }
    }

    /// Whether a tier surely drops what no rule of it matches.
    pub(super) fn isolates(&self) -> bool {
        self.stages.iter().any(|stage| stage.denies == Truth::Yes)
    }

    /// How much work one packet is.
    pub(super) fn len(&self) -> usize {
        self.stages.iter().map(|stage| stage.steps.len() + 1).sum()
    }

    /// The ports and peers of every rule.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.stages.iter().flat_map(|stage| stage.steps.iter().map(|step| step.rule))
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = &'a PortMatch> {
        self.rules().map(|rule| &rule.port)
    }

    /// Every policy with a rule that surely allows a packet.
    pub(super) fn allowing(&self, packet: &Packet<'_>) -> impl Iterator<Item = &'a Policy> {
        self.stages.iter().flat_map(|stage| &stage.steps).filter_map(|step| {
            (step.certain && step.rule.action == Action::Allow && step.rule.matches(packet) == Truth::Yes)
                .then_some(step.policy)
        })
    }

    /// What becomes of a packet. A rule that depends on what differs between peers does not match: the question is
    /// then about all of them.
    pub(super) fn outcome(&self, packet: &Packet<'_>) -> Outcome<'a> {
        let mut outcome = Outcome::default();
        for (place, stage) in self.stages.iter().enumerate() {
            let mut passed = false;
            let mut through = true;
            for step in &stage.steps {
                let matched = match step.rule.matches(packet) {
                    Truth::No | Truth::Depends => continue,
                    Truth::Yes => step.certain,
                    Truth::Unknown => false,
                };
                match step.rule.action {
                    Action::Allow => outcome.allowed = outcome.allowed.or(Some(Some(step.policy))),
                    Action::Deny => outcome.denied = outcome.denied.or(Some(Denier::Rule(step.policy))),
                    Action::Pass => passed = true,
                }
                if matched {
                    through = false;
                    break;
                }
                outcome.reason = outcome.reason.or(Some(step.rule.reason()));
            }
            if through {
                match stage.denies {
                    Truth::Yes => outcome.denied = outcome.denied.or(Some(Denier::Default(place))),
                    Truth::No => passed = true,
                    Truth::Depends | Truth::Unknown => {
                        outcome.denied = outcome.denied.or(Some(Denier::Default(place)));
                        outcome.reason = outcome.reason.or(stage.reasons.first().copied());
                        passed = true;
                    }
                }
            }
            if !passed {
                return outcome;
            }
        }
        outcome.allowed = outcome.allowed.or(Some(None));
        outcome
    }
}

impl<'a> Stage<'a> {
    fn add(&mut self, policy: &'a Policy, tier: &Tier, pod: &PodView<'_>, direction: PolicyDirection) {
        let Some(section) = policy.section(direction) else { return };
        let certain = match policy.subject.selects(pod) {
            // What selects some pods is no rule for all of them.
            Truth::No | Truth::Depends => return,
            Truth::Yes => true,
            Truth::Unknown => false,
        };
        if tier.denies {
            let reason = match &section.default_deny {
                DefaultDeny::No => None,
                DefaultDeny::Yes if certain => {
                    self.denies = Truth::Yes;
                    self.denying.push(policy);
                    None
                }
                DefaultDeny::Yes => {
                    Some(policy.subject.reason().unwrap_or("labels that it selects by were not seen"))
                }
                DefaultDeny::Unknown(reason) => Some(reason.as_str()),
            };
            if let Some(reason) = reason {
                self.reasons.push(reason);
                if self.denies == Truth::No {
                    self.denies = Truth::Unknown;
                }
            }
        }
        for rule in &section.rules {
            let own = rule.own.matches(&Endpoint::Pod(*pod));
            if matches!(own, Truth::Yes | Truth::Unknown) {
                self.steps.push(Step { policy, rule, certain: certain && own == Truth::Yes });
            }
        }
    }

    /// Where rules only allow and one allows everything, the others say nothing.
    fn simplify(&mut self) {
        let total = |step: &Step<'_>| step.certain && step.rule.is_total();
        if self.steps.iter().all(|step| step.rule.action == Action::Allow) && self.steps.iter().any(total) {
            self.steps.retain(total);
        }
    }
}
