//! Where an endpoint may be: addresses of this machine and of private networks are refused, so that nobody reaches by a
//! webhook what only the shop may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// The longest address of an endpoint in bytes.
pub const URL_BYTES_MAX: usize = 2_000;

/// Reads the address of an endpoint.
///
/// # Errors
/// Says what is wrong and what would be right.
pub fn parse(text: &str, allow_private: bool) -> Result<Url, String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!("the address is longer than {URL_BYTES_MAX} bytes"));
    }
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no address: {error}"))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        "http" => {
            return Err(
                "the address must begin with https://; http:// needs webhooks.allow_private = true".into()
            );
        }
        scheme => return Err(format!("the address must begin with https://, not {scheme}:")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address holds a password; the signature says who calls".into());
    }
    if url.fragment().is_some() {
        return Err("the address holds a fragment, which no server sees; leave out what follows the #".into());
    }
    let literal = match url.host() {
        None => return Err("the address names no host".into()),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
    };
    match literal {
        Some(ip) if !allow_private && !is_public(ip) => {
            Err(format!("{ip} is a private address; webhooks.allow_private = true would allow it"))
        }
        _ => Ok(url),
    }
}

/// Resolves the address of an endpoint to those that may be connected to. The caller connects to these and resolves
/// nothing again, so a name cannot change its mind in between.
///
/// # Errors
/// Where the name has no address, or only private ones.
pub async fn resolve(url: &Url, allow_private: bool) -> Result<Vec<SocketAddr>, String> {
    let port = url.port_or_known_default().unwrap_or(443);
    let found: Vec<SocketAddr> = match url.host() {
        None => return Err("the address names no host".into()),
        Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
        Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
        Some(Host::Domain(name)) => {
            let found = tokio::net::lookup_host((name, port)).await;
            found.map_err(|error| format!("{name} cannot be resolved: {error}"))?.collect()
        }
    };
    let (count, mut allowed) = (found.len(), found);
    allowed.retain(|address| allow_private || is_public(address.ip()));
    match (count, allowed.is_empty()) {
        (0, _) => Err("the host has no address".into()),
        (_, true) => Err("the host has private addresses only, which are refused".into()),
        (_, false) => Ok(allowed),
    }
}

/// Reports whether an address belongs to the public Internet (IANA's special-purpose registries do not).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (b & 0xfe) == 18);
    !is_special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return is_public_v4(ip);
    }
    let [a, b, ..] = ip.segments();
    // 2000::/3 without what tunnels or documents: Teredo and its neighbours, 6to4, 2001:db8::/32 and 3fff::/20.
    (a & 0xe000) == 0x2000
        && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for public in
            ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "64:ff9b::7f00:1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn an_address_is_read_or_refused_with_the_way_out() {
        for good in ["https://shop.example/hooks?a=b", "https://1.1.1.1:8443/"] {
            assert!(parse(good, false).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("shop.example", "is no address"),
            ("http://shop.example/", "must begin with https://"),
            ("ftp://shop.example/", "not ftp:"),
            ("https://ada:secret@shop.example/", "password"),
            ("https://shop.example/#top", "fragment"),
            ("https://127.0.0.1/", "private address"),
            ("https://2130706433/", "private address"),
            ("https://0x7f.1/", "private address"),
            ("https://[::ffff:10.0.0.1]/", "private address"),
            ("https:///", "is no address"),
        ] {
            let said = parse(bad, false).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
        assert!(parse("http://127.0.0.1:9000/hook", true).is_ok());
        assert!(parse(&format!("https://shop.example/{}", "x".repeat(URL_BYTES_MAX)), true).is_err());
    }

    #[tokio::test]
    async fn a_name_for_this_machine_is_found_out_when_it_is_resolved() {
        let url = parse("https://localhost/", false).unwrap();
        assert!(resolve(&url, false).await.unwrap_err().contains("private addresses only"));
        assert!(resolve(&url, true).await.is_ok());
    }
}
