//! How often may be asked to be told.

use std::net::IpAddr;

use crate::{problem::Problem, throttle::Allowance};

/// How often one household may ask within [`ASK_SECONDS`]: a family that walks through a sold-out aisle.
pub const CLIENT_ASKS_MAX: u32 = 60;
/// How often may be asked for one address within [`ASK_SECONDS`]: each new request leads to a letter.
pub const ADDRESS_ASKS_MAX: u32 = 20;
/// How long an allowance that was used up takes to come back, in seconds.
pub const ASK_SECONDS: u32 = 3_600;

/// Is how often may be asked, by one household and for one address.
pub struct Asks {
    client: Allowance,
    address: Allowance,
}

impl Default for Asks {
    fn default() -> Self {
        Self {
            client: Allowance::new("client", CLIENT_ASKS_MAX, ASK_SECONDS),
            address: Allowance::new("e-mail address", ADDRESS_ASKS_MAX, ASK_SECONDS),
        }
    }
}

impl Asks {
    /// Takes one request off the allowances of the household that asks and of the address that is to be told.
    ///
    /// # Errors
    /// The problem `too_many_requests`, with the time to wait.
    pub(super) fn admit(&self, email: &str, client: Option<IpAddr>) -> Result<(), Problem> {
        let wait = client.and_then(|client| Some(("client", self.client.wait_seconds(&client)?)));
        let wait = wait.or_else(|| Some(("e-mail address", self.address.wait_seconds(&email)?)));
        wait.map_or(Ok(()), |(of, seconds)| Err(Problem::too_many_requests(of, seconds)))
    }
}
