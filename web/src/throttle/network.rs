//! Addresses: which belong to proxies that are trusted, and which client a proxy speaks for.

use std::{net::IpAddr, str::FromStr};

use serde::Deserialize;

/// Is a network, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Says why a text names no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.into());
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits <= most { Ok(Self { address, bits }) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;
    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl Network {
    /// Reports whether an address belongs to the network.
    pub fn holds(&self, address: IpAddr) -> bool {
        let prefix = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()).checked_shr(u32::from(32 - self.bits)).unwrap_or(0),
            IpAddr::V6(v6) => v6.to_bits().checked_shr(u32::from(128 - self.bits)).unwrap_or(0),
        };
        address.is_ipv4() == self.address.is_ipv4() && prefix(address) == prefix(self.address)
    }
}

/// Returns who asks: the peer or, where that is a trusted proxy, the last address of `X-Forwarded-For` that is none.
///
/// What stands before that address was written by who asks, and may be anything.
pub fn client(peer: Option<IpAddr>, forwarded: Option<&str>, proxies: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| proxies.iter().any(|network| network.holds(address));
    let peer = peer?.to_canonical();
    if !is_trusted(peer) {
        return Some(peer);
    }
    let mut client = peer;
    for hop in forwarded.unwrap_or_default().rsplit(',') {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    Some(client)
}

/// Returns the part of an address that one customer of a provider has: all of it, or the first half of IPv6.
pub fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_about_its_own_peer() {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        for (peer, forwarded, who) in [
            ("203.0.113.7", Some("198.51.100.1"), "203.0.113.7"),
            ("10.1.2.3", Some("198.51.100.1"), "198.51.100.1"),
            ("10.1.2.3", Some("1.1.1.1, 198.51.100.1, 10.9.9.9"), "198.51.100.1"),
            ("::ffff:10.1.2.3", Some("198.51.100.1"), "198.51.100.1"),
            ("10.1.2.3", Some("rubbish"), "10.1.2.3"),
            ("10.1.2.3", None, "10.1.2.3"),
            ("::1", Some("2001:db8::7"), "2001:db8::7"),
        ] {
            assert_eq!(client(Some(ip(peer)), forwarded, &proxies), Some(ip(who)), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn networks_are_addresses_with_the_bits_that_count() {
        let holds = |network: &str, address: &str| network.parse::<Network>().unwrap().holds(ip(address));
        assert!(
            holds("0.0.0.0/0", "9.9.9.9")
                && holds("192.0.2.7", "192.0.2.7")
                && holds("2001:db8::/32", "2001:db8::1")
        );
        assert!(
            !holds("192.0.2.7", "192.0.2.8")
                && !holds("0.0.0.0/0", "::1")
                && !holds("2001:db8::/32", "2001:db9::1")
        );
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/x", "shop.example"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_household_has_the_first_half_of_an_address_of_ipv6() {
        assert_eq!(household(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(household(ip("192.0.2.7")), ip("192.0.2.7"));
    }
}
