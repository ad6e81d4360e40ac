//! Carts that others see, or change, by a link.
//!
//! The link's token is the whole right: whoever holds it takes part, and it is worth nothing once the owner takes it
//! back or its time is over. Those who may change the cart do it by the same rules as its owner; what is on the way to
//! an order, what pays for it, and what the owner keeps beside it are the owner's alone.
//!
//! A link leads to one cart. It goes on where that cart becomes a user's at a log-in; where the cart's lines go into
//! another cart instead, it ends: that one was never shared, and may hold what is nobody else's business.

use cart_core::{Cart, CartId, Code, Command, Request, VisitorId};
use uuid::Uuid;

use crate::{
    carts::IdempotencyKey,
    catalogue::Catalogue,
    clock,
    filling::Wanted,
    problem::{Kind, Problem, accepted},
    share_link::LinkTo,
    shop::Shop,
    store::{Accepted, CartShare, shares::CART_SHARES_MAX},
};

/// The longest name of a share in bytes: a few words.
pub const SHARE_NAME_BYTES_MAX: usize = 80;
/// The longest life of a share that ends by itself, in seconds: a leap year.
pub const SHARE_SECONDS_MAX: u32 = 366 * 24 * 60 * 60;

/// Stands for a promotion whose own name, or id, gives away the code that it was got by.
const UNNAMED: &str = "A code";
const UNNAMED_ID: &str = "code";

/// Is what an owner wants of a new share.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Whether those who have the link may change the cart.
    pub is_editable: bool,
    /// What the owner calls it.
    pub name: String,
    /// After how many seconds it ends by itself.
    pub expires_in_s: Option<u32>,
}

/// Makes a link to a cart, for its owner; returns the share with the token, which is not kept.
///
/// # Errors
/// Where the cart is not the caller's or is closed, has as many shares as it may, or the wish is beyond its limits.
pub async fn make(
    shop: &Shop,
    cart: CartId,
    caller: VisitorId,
    wish: Wish,
) -> Result<(CartShare, String), Problem> {
    let cart = accepted(shop.carts.read_newest(cart, caller).await?)?.cart;
    cart.closed()?;
    let name = wish.name.trim();
    if name.len() > SHARE_NAME_BYTES_MAX || name.chars().any(char::is_control) {
        let detail = format!("name must be at most {SHARE_NAME_BYTES_MAX} bytes of printable text");
        return Err(Problem::invalid_request(detail));
    }
    if wish.expires_in_s.is_some_and(|seconds| !(1..=SHARE_SECONDS_MAX).contains(&seconds)) {
        let detail = format!("expires_in_s must be 1 to {SHARE_SECONDS_MAX}; leave it out for no end");
        return Err(Problem::invalid_request(detail));
    }
    let (now_ms, (token, token_hash)) = (clock::now_ms(), LinkTo::Cart.fresh_token());
    let share = CartShare {
        token_hash,
        id: Uuid::now_v7().simple().to_string(),
        cart: cart.id.clone(),
        is_editable: wish.is_editable,
        name: name.to_owned(),
        created_at_ms: now_ms,
        ends_at_ms: wish.expires_in_s.map(|seconds| now_ms + i64::from(seconds) * 1_000),
    };
    match shop.store.add_share(&share, now_ms).await? {
        true => Ok((share, token)),
        false => {
            let detail =
                format!("the cart has {CART_SHARES_MAX} links, the most allowed; take one back first");
            Err(Problem::new(Kind::TooManyShares, detail))
        }
    }
}

/// Lists the links of a cart, for its owner.
///
/// # Errors
/// Where the cart is not the caller's.
pub async fn of_cart(shop: &Shop, cart: CartId, caller: VisitorId) -> Result<Vec<CartShare>, Problem> {
    accepted(shop.carts.read_newest(cart.clone(), caller).await?)?;
    Ok(shop.store.shares_of(&cart, clock::now_ms()).await?)
}

/// Takes a link back, for the owner of the cart: at once, and from those who watch, too.
///
/// # Errors
/// Where the cart is not the caller's or has no such share.
pub async fn revoke(shop: &Shop, cart: CartId, caller: VisitorId, id: &str) -> Result<(), Problem> {
    accepted(shop.carts.read_newest(cart.clone(), caller).await?)?;
    let hash = shop.store.end_share(&cart, id).await?;
    let hash = hash.ok_or_else(|| Problem::new(Kind::UnknownShare, "the cart has no such link"))?;
    shop.token_ended(&hash);
    Ok(())
}

/// Finds the share of a token, while it lives.
///
/// # Errors
/// The problem `unknown_share`.
pub async fn find(shop: &Shop, token: &str) -> Result<CartShare, Problem> {
    find_hashed(shop, &LinkTo::Cart.digest_of(token)).await
}

/// Finds a share by the digest of its token, while it lives.
///
/// # Errors
/// The problem `unknown_share`.
pub async fn find_hashed(shop: &Shop, hash: &str) -> Result<CartShare, Problem> {
    shop.store.share(hash, clock::now_ms()).await?.ok_or_else(unknown)
}

/// Reads the cart of a share.
///
/// # Errors
/// The problem `unknown_share` where the cart went into another, or that the store does not answer.
pub async fn read(shop: &Shop, share: &CartShare) -> Result<Accepted, Problem> {
    of_share(accepted(shop.carts.read(share.cart.clone(), None).await?))
}

/// Runs a command on the cart of a share.
///
/// # Errors
/// Where the share does not let it, or the rules of carts.
pub async fn execute(
    shop: &Shop,
    share: &CartShare,
    expected_version: Option<u64>,
    command: Command,
    key: Option<IdempotencyKey>,
) -> Result<Accepted, Problem> {
    admit(share, &command)?;
    if let Some(seconds) = shop.link_commands.wait_seconds(&share.id) {
        return Err(Problem::too_many_requests("link", seconds));
    }
    // Two who take part may choose the same key for different things.
    let key = key.map(|key| IdempotencyKey { key: format!("{}/{}", share.id, key.key), ..key });
    let request = Request { caller: None, expected_version, command };
    of_share(accepted(shop.carts.execute(share.cart.clone(), request, key).await?))
}

/// A cart that is gone or went into another is told in words about links, and not where it went.
fn of_share(done: Result<Accepted, Problem>) -> Result<Accepted, Problem> {
    match done {
        Ok(accepted) if accepted.cart.merged_into().is_some() => Err(gone()),
        Err(problem) if problem.kind() == Kind::CartMerged => Err(gone()),
        Err(problem) if problem.kind() == Kind::UnknownCart => Err(unknown()),
        done => done,
    }
}

/// Lists what the cart of a share holds, to be put into another, with prices where both are in one currency. Nothing is
/// put into the cart that it is in already.
pub fn wanted(shared: &Accepted, into: &Cart, catalogue: &Catalogue) -> Vec<Wanted> {
    if shared.cart.id == into.id {
        return vec![];
    }
    let lines = shared.cart.lines.iter().zip(&shared.quote.lines);
    let wanted = lines.filter(|(line, _)| !line.is_gift()).map(|(line, quote)| Wanted {
        sku: line.sku.clone(),
        properties: catalogue.marked(&line.sku, &line.properties),
        name: line.name.clone(),
        quantity: line.quantity,
        was_minor: (shared.cart.currency == into.currency).then_some(quote.unit_price_minor),
    });
    wanted.collect()
}

/// Returns a promotion's name and what is told of it, which begins with it; both without the name where that gives one of
/// the typed codes away. Those who may not change a cart need not know its codes.
pub fn unnamed<'n>(name: &'n str, told: String, codes: &[Code]) -> (&'n str, String) {
    match told.strip_prefix(name).filter(|_| gives_away(name, codes)) {
        Some(rest) => (UNNAMED, format!("{UNNAMED}{rest}")),
        None => (name, told),
    }
}

/// Returns a promotion's id, or another where it gives one of the typed codes away.
pub fn unnamed_id<'n>(id: &'n str, codes: &[Code]) -> &'n str {
    if gives_away(id, codes) { UNNAMED_ID } else { id }
}

/// Compares letters and digits alone: `SAVE-10` stands in "Save 10 % today".
fn gives_away(text: &str, codes: &[Code]) -> bool {
    let bare = |text: &str| {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
    };
    let text = bare(text);
    codes.iter().any(|code| text.contains(&bare(code.as_str())))
}

/// Reports whether a share lets a command through.
///
/// # Errors
/// The problem `share_read_only` or `owner_only`.
pub fn admit(share: &CartShare, command: &Command) -> Result<(), Problem> {
    if !share.is_editable {
        return Err(Problem::new(
            Kind::ShareReadOnly,
            "the link shows the cart and does not let it be changed",
        ));
    }
    match is_for_all(command) {
        true => Ok(()),
        false => Err(owner_only(command.name())),
    }
}

/// Says that a command is the owner's alone.
pub fn owner_only(command: &str) -> Problem {
    Problem::new(Kind::OwnerOnly, format!("{command} is for the owner of the cart alone"))
}

/// Says which commands are for everybody who may change a cart: what is in it, and not what becomes of it.
fn is_for_all(command: &Command) -> bool {
    match command {
        Command::AddLine { .. }
        | Command::SetQuantity { .. }
        | Command::RemoveLine { .. }
        | Command::ApplyCode { .. }
        | Command::RemoveCode { .. }
        | Command::DeclineGift { .. }
        | Command::AcceptGift { .. }
        | Command::Clear
        | Command::Reopen => true,
        Command::Batch(commands) => commands.iter().all(is_for_all),
        _ => false,
    }
}

/// Says that a link leads nowhere: it was never made, was taken back or is over.
fn unknown() -> Problem {
    Problem::new(Kind::UnknownShare, "the link leads nowhere: it was taken back, or its time is over")
}

fn gone() -> Problem {
    let detail = "the link leads nowhere: its owner logged in, and the cart went into another one of theirs";
    Problem::new(Kind::UnknownShare, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_give_a_typed_code_away() {
        let codes = ["SAVE-10".parse().unwrap(), "VIP".parse().unwrap()];
        let told = |name: &str| unnamed(name, format!("{name}: 5.00 GBP off"), &codes).1;
        for name in ["SAVE-10", "save10", "Save 10 % today", "For our V.I.P. guests"] {
            assert_eq!(told(name), "A code: 5.00 GBP off", "{name}");
            assert_eq!(unnamed_id(name, &codes), "code", "{name}");
        }
        for name in ["Summer sale", "Save 20 %", ""] {
            assert_eq!(told(name), format!("{name}: 5.00 GBP off"));
            assert_eq!(unnamed_id(name, &codes), name);
        }
        assert_eq!(unnamed("SAVE-10", "SAVE-10: off".into(), &[]), ("SAVE-10", "SAVE-10: off".into()));
    }
}
