//! How often somebody may ask, or try: an allowance each, which refills evenly.
//!
//! An allowance is one number, the time at which it will be full again (the generic cell rate algorithm of ATM traffic
//! control; ITU-T I.371, 2004, annex A). The numbers stand in a table of fixed size, found by a keyed hash: whoever
//! asks under a new name every time fills no memory, and two who meet in one place share an allowance.

pub mod network;

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use actix_web::http::header::HeaderValue;

use self::network::{Network, client};
use crate::config::LimitsConfig;

/// Places of a table: 512 KiB, and less than one in a hundred of 600 busy visitors shares a place.
const PLACES: usize = 1 << 16;

/// Is the allowances of all visitors and addresses of this process.
pub struct Throttle {
    visitors: Allowance,
    addresses: Allowance,
    proxies: Vec<Network>,
    limits_loopback: bool,
    policy: HeaderValue,
}

/// Is what is left of the allowance that is nearest to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whose allowance it is: `visitor` or `address`.
    pub of: &'static str,
    /// Requests that are left.
    pub requests: u64,
    /// Seconds until it is full again.
    pub full_in_seconds: u64,
    /// Seconds to wait where none is left and the request is refused.
    pub wait_seconds: Option<u64>,
}

impl Throttle {
    /// Returns full allowances.
    pub fn new(limits: &LimitsConfig) -> Self {
        let visitors = Allowance::new("visitor", limits.visitor_requests, limits.seconds);
        let addresses = Allowance::new("address", limits.address_requests, limits.seconds);
        let policy = [&visitors, &addresses].into_iter().filter(|table| table.is_on());
        let policy = policy.map(|table| format!("{:?};q={};w={}", table.of, table.requests, limits.seconds));
        let policy = policy.collect::<Vec<_>>().join(", ");
        Self {
            visitors,
            addresses,
            proxies: limits.proxies.clone(),
            limits_loopback: limits.loopback,
            policy: HeaderValue::from_str(&policy).expect("names and numbers are ASCII"),
        }
    }

    /// Returns the header that says what everybody is allowed.
    pub fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    /// Returns the address that what somebody holds open counts for; `None` where nothing limits it.
    ///
    /// `peer` is who holds the connection, `forwarded` what a proxy says of whom it speaks for.
    pub fn household(&self, peer: Option<IpAddr>, forwarded: Option<&str>) -> Option<IpAddr> {
        let address = client(peer, forwarded, &self.proxies);
        address.filter(|_| !self.is_exempt(address)).map(network::household)
    }

    /// Reports whether a request comes from this machine, where that is not limited.
    fn is_exempt(&self, address: Option<IpAddr>) -> bool {
        !self.limits_loopback && address.is_none_or(|address| address.is_loopback())
    }

    /// Takes one request off the allowances of its visitor and its address; `None` where nothing limits it.
    ///
    /// `peer` is who holds the connection, `forwarded` what a proxy says of whom it speaks for.
    pub fn take(
        &self,
        visitor: Option<&[u8]>,
        peer: Option<IpAddr>,
        forwarded: Option<&str>,
    ) -> Option<Left> {
        if !self.visitors.is_on() && !self.addresses.is_on() {
            return None;
        }
        let address = client(peer, forwarded, &self.proxies);
        if self.is_exempt(address) {
            return None;
        }
        let of_address = address
            .and_then(|address| self.addresses.take(&network::household(address), self.addresses.now_ns()));
        if of_address.is_some_and(|left| left.wait_seconds.is_some()) {
            return of_address;
        }
        let of_visitor = visitor.and_then(|visitor| self.visitors.take(&visitor, self.visitors.now_ns()));
        match (of_visitor, of_address) {
            (Some(visitor), Some(address))
                if address.requests < visitor.requests && visitor.wait_seconds.is_none() =>
            {
                Some(address)
            }
            (visitor, address) => visitor.or(address),
        }
    }
}

/// Is the allowance of everybody of one kind.
pub struct Allowance {
    of: &'static str,
    requests: u64,
    /// How long one request takes to come back.
    interval_ns: u64,
    keyed: RandomState,
    full_at_ns: Box<[AtomicU64]>,
    began: Instant,
}

impl Allowance {
    /// Returns full allowances of so many requests within so many seconds; none limits nobody.
    pub fn new(of: &'static str, requests: u32, seconds: u32) -> Self {
        let places = if requests == 0 { 0 } else { PLACES };
        let interval_ns = u64::from(seconds) * 1_000_000_000 / u64::from(requests.max(1));
        Self {
            of,
            requests: requests.into(),
            interval_ns: interval_ns.max(1),
            keyed: RandomState::new(),
            full_at_ns: (0..places).map(|_| AtomicU64::new(0)).collect(),
            began: Instant::now(),
        }
    }

    /// Takes one request off somebody's allowance, and reports whether there was one left.
    pub fn admits(&self, who: &impl Hash) -> bool {
        self.wait_seconds(who).is_none()
    }

    /// Takes one request off somebody's allowance; returns how long to wait where none was left, in seconds.
    pub fn wait_seconds(&self, who: &impl Hash) -> Option<u64> {
        self.take(who, self.now_ns())?.wait_seconds
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_on(&self) -> bool {
        self.requests > 0
    }

    fn take(&self, who: &impl Hash, now_ns: u64) -> Option<Left> {
        let place = usize::try_from(self.keyed.hash_one(who)).unwrap_or(usize::MAX) & (PLACES - 1);
        let full_at = self.full_at_ns.get(place)?;
        let span_ns = self.requests * self.interval_ns;
        let taken = full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let after = full_at.max(now_ns) + self.interval_ns;
            (after - now_ns <= span_ns).then_some(after)
        });
        let (full_at, wait_ns) = match taken {
            Ok(before) => (before.max(now_ns) + self.interval_ns, None),
            Err(full_at) => (full_at, Some(full_at + self.interval_ns - now_ns - span_ns)),
        };
        let seconds = |ns: u64| ns.div_ceil(1_000_000_000);
        Some(Left {
            of: self.of,
            requests: span_ns.saturating_sub(full_at - now_ns) / self.interval_ns,
            full_in_seconds: seconds(full_at - now_ns),
            wait_seconds: wait_ns.map(|ns| seconds(ns).max(1)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn an_allowance_ends_and_comes_back_evenly() {
        let table = Allowance::new("visitor", 10, 20);
        let at = |now_ns| table.take(&"ada", now_ns).unwrap();
        for left in (0..10).rev() {
            let taken = at(SECOND);
            assert_eq!((taken.requests, taken.wait_seconds), (left, None));
        }
        assert_eq!(
            (at(SECOND).requests, at(SECOND).wait_seconds, at(SECOND).full_in_seconds),
            (0, Some(2), 20)
        );
        assert_eq!(at(SECOND + SECOND / 2).wait_seconds, Some(2), "a refusal takes nothing off");
        assert_eq!(at(3 * SECOND).wait_seconds, None, "one has come back");
        assert_eq!(at(3 * SECOND).wait_seconds, Some(2));
        assert_eq!(at(100 * SECOND).requests, 9, "all have");
        assert_eq!(table.take(&"eve", 3 * SECOND).unwrap().requests, 9, "another's is another");
    }

    #[test]
    fn the_address_limits_whoever_asks_under_many_names() {
        let limits =
            LimitsConfig { visitor_requests: 5, address_requests: 8, seconds: 60, ..LimitsConfig::default() };
        let throttle = Throttle::new(&limits);
        let peer = Some(IpAddr::from([203, 0, 113, 7]));
        let ask = |name: &str| throttle.take(Some(name.as_bytes()), peer, None).unwrap();
        let first: Vec<_> = (0..6).map(|_| ask("ada")).collect();
        assert!(first[..5].iter().all(|left| left.wait_seconds.is_none()));
        assert_eq!((first[5].of, first[5].requests), ("visitor", 0));
        assert!(first[5].wait_seconds.is_some());
        assert!(ask("b").wait_seconds.is_none() && ask("c").wait_seconds.is_none());
        let ninth = ask("d");
        assert_eq!((ninth.of, ninth.wait_seconds.is_some()), ("address", true));
        assert_eq!(throttle.policy(), "\"visitor\";q=5;w=60, \"address\";q=8;w=60");
    }

    #[test]
    fn nothing_limits_this_machine_unless_the_shop_says_so() {
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(Throttle::new(&LimitsConfig::default()).take(Some(b"ada"), here, None), None);
        let limits = LimitsConfig { loopback: true, ..LimitsConfig::default() };
        assert!(Throttle::new(&limits).take(Some(b"ada"), here, None).is_some());
        let off = LimitsConfig { visitor_requests: 0, address_requests: 0, ..limits };
        assert_eq!(Throttle::new(&off).take(Some(b"ada"), here, None), None);
    }
}
