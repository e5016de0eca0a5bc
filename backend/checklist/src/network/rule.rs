//! A rule of any policy kind: an action for peers on ports.

use super::address::{IpFamily, IpRange};
use super::endpoint::{AddressesView, Endpoint, PodView, PortsView, Protocol};
use super::selector::{Expression, Truth};
use std::net::IpAddr;

/// What happens to traffic that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is let through.
    Allow,
    /// It is dropped.
    Deny,
    /// The next tier decides.
    Pass,
}

/// Which peers a rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerMatch {
    /// All of them.
    Anyone,
    /// None.
    Nobody,
    /// Pods.
    Pods(Expression),
    /// Addresses; pods too where they have one of them.
    Addresses {
        /// The range.
        range: IpRange,
        /// What is left out of it.
        except: Vec<IpRange>,
    },
    /// Addresses outside the cluster alone.
    OutsideAddresses {
        /// The range.
        range: IpRange,
        /// What is left out of it.
        except: Vec<IpRange>,
    },
    /// Everything of one family.
    Family(IpFamily),
    /// Everything outside the cluster.
    World,
    /// Particular addresses that are not known here; why.
    SomeAddresses(String),
    /// Particular addresses that a named object holds: never all of them.
    NamedAddresses,
    /// Cannot be evaluated; why.
    Unreadable(String),
    /// The contrary.
    Not(Box<PeerMatch>),
    /// All of them.
    All(Vec<PeerMatch>),
    /// Any of them.
    Any(Vec<PeerMatch>),
}

/// Which ports a rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortMatch {
    /// Every port of every protocol, and what has no ports.
    Every,
    /// None.
    None,
    /// A range; of every protocol where none is named.
    Range {
        /// The protocol.
        protocol: Option<Protocol>,
        /// The first port.
        first: u16,
        /// The last port.
        last: u16,
    },
    /// A port that containers name.
    Named {
        /// The protocol.
        protocol: Option<Protocol>,
        /// The name.
        name: String,
    },
    /// Cannot be evaluated; why.
    Unreadable(String),
    /// The contrary.
    Not(Box<PortMatch>),
    /// All of them.
    All(Vec<PortMatch>),
    /// Any of them.
    Any(Vec<PortMatch>),
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// For whom.
    pub peer: PeerMatch,
    /// What it asks of the selected pod itself.
    pub own: PeerMatch,
    /// On which ports.
    pub port: PortMatch,
    /// A condition beside them that is not evaluated, such as a path of HTTP.
    pub condition: Option<String>,
}

/// A packet that opens a connection, seen from the pod that policies select.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) peer: Endpoint<'a>,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    /// The named ports of the pod that it goes to.
    pub(super) target_ports: PortsView<'a>,
}

impl Rule {
    /// A rule that may match anything and may not; why.
    pub fn unreadable(action: Action, reason: impl Into<String>) -> Rule {
        Rule { condition: Some(reason.into()), ..Rule::new(action, PeerMatch::Anyone, PortMatch::Every) }
    }

    /// A rule for peers on ports.
    pub const fn new(action: Action, peer: PeerMatch, port: PortMatch) -> Rule {
        Rule { action, peer, own: PeerMatch::Anyone, port, condition: None }
    }

    /// Whether it matches everything.
    pub(super) fn is_total(&self) -> bool {
        self.peer == PeerMatch::Anyone
            && self.own == PeerMatch::Anyone
            && self.port == PortMatch::Every
            && self.condition.is_none()
    }

    pub(super) fn matches(&self, packet: &Packet<'_>) -> Truth {
        let condition = if self.condition.is_some() { Truth::Unknown } else { Truth::Yes };
        self.port.matches(packet).and(self.peer.matches(&packet.peer)).and(condition)
    }

    /// Whether it lets every pod of the cluster in (or out to it) on every port, and not everything else besides.
    pub(super) fn is_wide(&self) -> bool {
        let any = Endpoint::Pod(PodView::ANY);
        self.action == Action::Allow
            && self.condition.is_none()
            && self.peer != PeerMatch::Anyone
            && self.peer.matches(&any) == Truth::Yes
            && representatives([&self.port]).iter().all(|(protocol, port)| {
                let packet =
                    Packet { peer: any, protocol: *protocol, port: *port, target_ports: PortsView::Differ };
                self.port.matches(&packet) == Truth::Yes
            })
    }

    /// Why it cannot be evaluated.
    pub(super) fn reason(&self) -> &str {
        self.condition
            .as_deref()
            .or_else(|| self.peer.reason())
            .or_else(|| self.port.reason())
            .or_else(|| self.own.reason())
            .unwrap_or("labels, addresses or ports that it asks for were not seen")
    }
}

impl PeerMatch {
    pub(super) fn matches(&self, peer: &Endpoint<'_>) -> Truth {
        match (self, peer) {
            (PeerMatch::Anyone, _) => Truth::Yes,
            (PeerMatch::Nobody, _) => Truth::No,
            (PeerMatch::Unreadable(_), _) => Truth::Unknown,
            (PeerMatch::Pods(expression), Endpoint::Pod(pod)) => expression.selects(pod),
            (PeerMatch::Pods(_), _) => Truth::No,
            (
                PeerMatch::Addresses { range, except } | PeerMatch::OutsideAddresses { range, except },
                Endpoint::Address(address) | Endpoint::Outside(address),
            ) => contains(range, except, *address).into(),
            (PeerMatch::OutsideAddresses { .. }, Endpoint::Pod(_)) => Truth::No,
            (PeerMatch::Addresses { range, except }, Endpoint::Pod(pod)) => {
                of_addresses(pod.addresses, |address| contains(range, except, address))
            }
            (PeerMatch::Family(family), Endpoint::Address(address) | Endpoint::Outside(address)) => {
                (IpFamily::of(*address) == *family).into()
            }
            (PeerMatch::Family(family), Endpoint::Pod(pod)) => {
                of_addresses(pod.addresses, |address| IpFamily::of(address) == *family)
            }
            (PeerMatch::World, Endpoint::Pod(_)) => Truth::No,
            (PeerMatch::World, _) => Truth::Yes,
            (PeerMatch::SomeAddresses(_) | PeerMatch::NamedAddresses, Endpoint::Pod(_)) => Truth::No,
            (PeerMatch::NamedAddresses, Endpoint::Outside(_)) => Truth::Depends,
            (PeerMatch::SomeAddresses(_) | PeerMatch::NamedAddresses, _) => Truth::Unknown,
            (PeerMatch::Not(inner), _) => !inner.matches(peer),
            (PeerMatch::All(inner), _) => Truth::all(inner.iter().map(|inner| inner.matches(peer))),
            (PeerMatch::Any(inner), _) => Truth::any(inner.iter().map(|inner| inner.matches(peer))),
        }
    }

    /// Every range that it names.
    pub(super) fn ranges(&self, into: &mut Vec<IpRange>) {
        match self {
            PeerMatch::Addresses { range, except } | PeerMatch::OutsideAddresses { range, except } => {
                into.push(*range);
                into.extend(except);
            }
            PeerMatch::Not(inner) => inner.ranges(into),
            PeerMatch::All(inner) | PeerMatch::Any(inner) => {
                inner.iter().for_each(|inner| inner.ranges(into));
            }
            _ => {}
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            PeerMatch::Unreadable(reason) | PeerMatch::SomeAddresses(reason) => Some(reason),
            PeerMatch::Pods(expression) => expression.reason(),
            PeerMatch::Not(inner) => inner.reason(),
            PeerMatch::All(inner) | PeerMatch::Any(inner) => inner.iter().find_map(PeerMatch::reason),
            _ => None,
        }
    }
}

fn contains(range: &IpRange, except: &[IpRange], address: IpAddr) -> bool {
    range.contains(address) && !except.iter().any(|except| except.contains(address))
}

fn of_addresses(addresses: AddressesView<'_>, holds: impl Fn(IpAddr) -> bool) -> Truth {
    match addresses {
        AddressesView::Seen(addresses) => addresses.iter().any(|address| holds(*address)).into(),
        AddressesView::NotSeen => Truth::Unknown,
        AddressesView::Differ => Truth::Depends,
    }
}

impl PortMatch {
    /// Ports from the first to the last.
    pub fn range(protocol: Option<Protocol>, first: i64, last: i64) -> PortMatch {
        match (u16::try_from(first), u16::try_from(last)) {
            (Ok(first), Ok(last)) if first <= last => PortMatch::Range { protocol, first, last },
            _ => PortMatch::Unreadable(format!("{first} to {last} is not a range of ports")),
        }
    }

    /// Every port of a protocol.
    pub const fn all_of(protocol: Protocol) -> PortMatch {
        PortMatch::Range { protocol: Some(protocol), first: 0, last: u16::MAX }
    }

    pub(super) fn matches(&self, packet: &Packet<'_>) -> Truth {
        let is = |protocol: &Option<Protocol>, found| protocol.is_none_or(|protocol| protocol == found);
        match self {
            PortMatch::Every => Truth::Yes,
            PortMatch::None => Truth::No,
            PortMatch::Unreadable(_) => Truth::Unknown,
            PortMatch::Range { protocol, first, last } => {
                (is(protocol, packet.protocol) && (*first..=*last).contains(&packet.port)).into()
            }
            PortMatch::Named { protocol, .. } if !is(protocol, packet.protocol) => Truth::No,
            PortMatch::Named { name, .. } => packet
                .target_ports
                .names(name, packet.protocol, packet.port)
                .map_or(Truth::Depends, Truth::from),
            PortMatch::Not(inner) => !inner.matches(packet),
            PortMatch::All(inner) => Truth::all(inner.iter().map(|inner| inner.matches(packet))),
            PortMatch::Any(inner) => Truth::any(inner.iter().map(|inner| inner.matches(packet))),
        }
    }

    fn edges(&self, into: &mut Vec<u16>) {
        match self {
            PortMatch::Range { first, last, .. } => {
                into.extend([Some(*first), last.checked_add(1)].into_iter().flatten());
            }
            PortMatch::Not(inner) => inner.edges(into),
            PortMatch::All(inner) | PortMatch::Any(inner) => {
                inner.iter().for_each(|inner| inner.edges(into));
            }
            _ => {}
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            PortMatch::Unreadable(reason) => Some(reason),
            PortMatch::Not(inner) => inner.reason(),
            PortMatch::All(inner) | PortMatch::Any(inner) => inner.iter().find_map(PortMatch::reason),
            _ => None,
        }
    }
}

/// One port of each part into which these cut the ports of each protocol.
pub(super) fn representatives<'a>(ports: impl IntoIterator<Item = &'a PortMatch>) -> Vec<(Protocol, u16)> {
    let mut edges = vec![1];
    for port in ports {
        port.edges(&mut edges);
    }
    // No connection goes to port 0.
    edges.retain(|port| *port > 0);
    edges.sort_unstable();
    edges.dedup();
    Protocol::ALL.into_iter().flat_map(|protocol| edges.iter().map(move |port| (protocol, *port))).collect()
}
