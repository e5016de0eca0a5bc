//! `ip()` and `cidr()` and what they can do.

use super::{overload, rejected, text, unsupported};
use ::cel::common::types::{STRING_TYPE, Type};
use ::cel::objects::Opaque;
use ::cel::{DeclarationError, Env, ExecutionError, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

const IP: &str = "net.IP";
const CIDR: &str = "net.CIDR";

type Answer = Result<Value, ExecutionError>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ip(IpAddr);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cidr {
    address: IpAddr,
    length: u8,
}

impl Opaque for Ip {
    fn runtime_type_name(&self) -> &str {
        IP
    }
}

impl Opaque for Cidr {
    fn runtime_type_name(&self) -> &str {
        CIDR
    }
}

pub(super) fn register(environment: &mut Env) -> Result<(), DeclarationError> {
    let ip = || Type::new_opaque_type(IP);
    let cidr = || Type::new_opaque_type(CIDR);
    let string = || vec![STRING_TYPE];
    environment.add_type(ip())?;
    environment.add_type(cidr())?;
    environment.add_overload("ip", "string_to_ip", string(), overload!(to_ip))?;
    environment.add_overload("isIP", "is_ip", string(), overload!(is_ip))?;
    environment.add_overload("ip.isCanonical", "ip_is_canonical", string(), overload!(is_canonical))?;
    environment.add_overload("string", "ip_to_string", vec![ip()], overload!(ip_to_string))?;
    environment.add_overload("cidr", "string_to_cidr", string(), overload!(to_cidr))?;
    environment.add_overload("isCIDR", "is_cidr", string(), overload!(is_cidr))?;
    environment.add_overload("string", "cidr_to_string", vec![cidr()], overload!(cidr_to_string))?;
    let mut member = |name, id, target, arguments, function| {
        environment.add_member_overload(name, id, target, arguments, function)
    };
    member("family", "ip_family", ip(), vec![], overload!(family))?;
    member("isUnspecified", "ip_is_unspecified", ip(), vec![], overload!(is_unspecified))?;
    member("isLoopback", "ip_is_loopback", ip(), vec![], overload!(is_loopback))?;
    member("isLinkLocalMulticast", "ip_is_llm", ip(), vec![], overload!(is_link_local_multicast))?;
    member("isLinkLocalUnicast", "ip_is_llu", ip(), vec![], overload!(is_link_local_unicast))?;
    member("isGlobalUnicast", "ip_is_global_unicast", ip(), vec![], overload!(is_global_unicast))?;
    member("containsIP", "cidr_contains_ip_string", cidr(), string(), overload!(contains_ip))?;
    member("containsIP", "cidr_contains_ip_ip", cidr(), vec![ip()], overload!(contains_ip))?;
    member("containsCIDR", "cidr_contains_cidr_string", cidr(), string(), overload!(contains_cidr))?;
    member("containsCIDR", "cidr_contains_cidr", cidr(), vec![cidr()], overload!(contains_cidr))?;
    member("ip", "cidr_ip", cidr(), vec![], overload!(cidr_ip))?;
    member("prefixLength", "cidr_prefix_length", cidr(), vec![], overload!(prefix_length))?;
    member("masked", "cidr_masked", cidr(), vec![], overload!(masked))
}

fn to_ip(arguments: &[Value]) -> Answer {
    let text = text(arguments.first())?;
    parse_ip(text).map(ip_value).ok_or_else(|| rejected(format!("IP Address \"{text}\" parse error")))
}

fn is_ip(arguments: &[Value]) -> Answer {
    Ok(parse_ip(text(arguments.first())?).is_some().into())
}

fn is_canonical(arguments: &[Value]) -> Answer {
    let text = text(arguments.first())?;
    let ip = parse_ip(text).ok_or_else(|| rejected(format!("IP Address \"{text}\" parse error")))?;
    Ok((ip.to_string() == text).into())
}

fn ip_to_string(arguments: &[Value]) -> Answer {
    Ok(ip(arguments.first())?.to_string().into())
}

fn to_cidr(arguments: &[Value]) -> Answer {
    let text = text(arguments.first())?;
    parse_cidr(text)
        .map(|cidr| Value::Opaque(Arc::new(cidr)))
        .ok_or_else(|| rejected(format!("network address parse error during conversion from string: {text}")))
}

fn is_cidr(arguments: &[Value]) -> Answer {
    Ok(parse_cidr(text(arguments.first())?).is_some().into())
}

fn cidr_to_string(arguments: &[Value]) -> Answer {
    let cidr = cidr(arguments.first())?;
    Ok(format!("{}/{}", cidr.address, cidr.length).into())
}

fn family(arguments: &[Value]) -> Answer {
    Ok(Value::Int(if ip(arguments.first())?.is_ipv4() { 4 } else { 6 }))
}

fn is_unspecified(arguments: &[Value]) -> Answer {
    Ok(ip(arguments.first())?.is_unspecified().into())
}

fn is_loopback(arguments: &[Value]) -> Answer {
    Ok(ip(arguments.first())?.is_loopback().into())
}

fn is_link_local_multicast(arguments: &[Value]) -> Answer {
    Ok(match ip(arguments.first())? {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
    .into())
}

fn is_link_local_unicast(arguments: &[Value]) -> Answer {
    Ok(link_local_unicast(ip(arguments.first())?).into())
}

fn is_global_unicast(arguments: &[Value]) -> Answer {
    let address = ip(arguments.first())?;
    let other = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || link_local_unicast(address)
        || address == IpAddr::V4(Ipv4Addr::BROADCAST);
    Ok((!other).into())
}

fn contains_ip(arguments: &[Value]) -> Answer {
    let network = cidr(arguments.first())?;
    let address = match arguments.get(1) {
        Some(Value::String(text)) => {
            parse_ip(text).ok_or_else(|| rejected(format!("IP Address \"{text}\" parse error")))?
        }
        other => ip(other)?,
    };
    Ok(network.contains(address).into())
}

fn contains_cidr(arguments: &[Value]) -> Answer {
    let network = cidr(arguments.first())?;
    let inner = match arguments.get(1) {
        Some(Value::String(text)) => parse_cidr(text).ok_or_else(|| {
            rejected(format!("network address parse error during conversion from string: {text}"))
        })?,
        other => cidr(other)?,
    };
    Ok((inner.length >= network.length && network.contains(inner.address)).into())
}

fn cidr_ip(arguments: &[Value]) -> Answer {
    Ok(ip_value(cidr(arguments.first())?.address))
}

fn prefix_length(arguments: &[Value]) -> Answer {
    Ok(Value::Int(i64::from(cidr(arguments.first())?.length)))
}

fn masked(arguments: &[Value]) -> Answer {
    let cidr = cidr(arguments.first())?;
    Ok(Value::Opaque(Arc::new(Cidr { address: cidr.network(), length: cidr.length })))
}

impl Cidr {
    fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
            }
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Cidr { address, length: self.length }.network() == self.network()
    }
}

/// Neither a zone nor an IPv4 address mapped into IPv6 is allowed.
fn parse_ip(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    let mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    (!mapped).then_some(address)
}

fn parse_cidr(text: &str) -> Option<Cidr> {
    let (address, length) = text.split_once('/')?;
    let address = parse_ip(address)?;
    let plain =
        length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let length: u8 = length.parse().ok().filter(|_| plain)?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some(Cidr { address, length })
}

fn link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn ip_value(address: IpAddr) -> Value {
    Value::Opaque(Arc::new(Ip(address)))
}

fn ip(value: Option<&Value>) -> Result<IpAddr, ExecutionError> {
    opaque::<Ip>(value).map(|ip| ip.0)
}

fn cidr(value: Option<&Value>) -> Result<Cidr, ExecutionError> {
    opaque::<Cidr>(value)
}

fn opaque<T: Copy + 'static>(value: Option<&Value>) -> Result<T, ExecutionError> {
    let Some(Value::Opaque(opaque)) = value else { return Err(unsupported("an address was expected")) };
    opaque.downcast_ref::<T>().copied().ok_or_else(|| unsupported("an address was expected"))
}
