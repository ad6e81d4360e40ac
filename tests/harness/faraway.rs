//! A network of its own for a client, which can be cut off without a word to the server.

use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
};

use crate::{program::is_root, reaper::Will};

/// Is a network namespace with one cable to this machine; it is gone when dropped.
#[derive(Debug)]
pub struct FarAway {
    name: String,
    cable: String,
    near: Ipv4Addr,
    _will: Will,
}

impl FarAway {
    /// Lays the cable; none where this process may not: only root may, with iproute2, and not in every container.
    pub fn reach() -> Option<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        if !is_root() {
            return None;
        }
        let (pid, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed) % 64);
        // Names of interfaces have 15 letters at most.
        let (name, cable) = (format!("cw{pid}-{n}"), format!("cw{}-{n}", pid % 1_000_000));
        // A /30 of the range that RFC 2544 sets aside for tests.
        let [_, _, _, low] = pid.to_be_bytes();
        let (near, far) = (Ipv4Addr::new(198, 18, low, n * 4 + 1), Ipv4Addr::new(198, 18, low, n * 4 + 2));
        // The cable by itself, too: a namespace lives on while one of its connections does.
        let will = Will::register(&format!(
            "ip netns pids {name} | xargs kill -9; ip link del {cable}; ip netns del {name}"
        ));
        let laid = ip(&format!("netns add {name}"))
            && ip(&format!("link add {cable} type veth peer name far netns {name}"))
            && ip(&format!("addr add {near}/30 dev {cable}"))
            && ip(&format!("link set {cable} up"))
            && ip(&format!("-n {name} addr add {far}/30 dev far"))
            && ip(&format!("-n {name} link set far up"));
        // Dropped at once where it is not whole.
        let far_away = Self { name, cable, near, _will: will };
        laid.then_some(far_away)
    }

    /// Returns this machine's address as seen from there.
    pub fn near(&self) -> Ipv4Addr {
        self.near
    }

    /// Returns a command that will run there.
    pub fn command(&self, program: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).kill_on_drop(true);
        command
    }

    /// Cuts the cable: from now on nothing arrives, and nobody says so.
    ///
    /// # Panics
    /// Where the kernel refuses.
    pub fn cut(&self) {
        assert!(ip(&format!("-n {} link set far down", self.name)), "the cable cannot be cut");
    }
}

impl Drop for FarAway {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.cable));
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(arguments: &str) -> bool {
    let mut ip = Command::new("ip");
    ip.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
    ip.status().is_ok_and(|status| status.success())
}
