//! What is drawn at random: a shop and what happens in it.

use cart_core::{
    Address, AllocationRule, CartLayout, CheckoutLayout, Code, Currency, GiftCard, GiftCardId, LineId,
    MethodId, Money, Preorder, PricePolicy, Product, PromotionId, Properties, Sku, StepDetails, StockPolicy,
    Workflow, limits,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// The moment at which the shop opens.
pub const DAY_MS: i64 = 1_764_000_000_000;

/// Carts that share the shop's stock.
pub const CARTS: usize = 3;

/// The SKUs that requests name; the catalogue never lists the last one.
const SKUS: [&str; 6] = ["MUG", "85123A", "other vegetables", "THÉ-静", "pdf_1", "GHOST"];

/// Is a shop on its first day.
#[derive(Clone, Debug)]
pub struct Shop {
    pub products: Vec<Product>,
    /// Pieces that arrived, and those of them that stay on the shelf.
    pub supplies: Vec<(i64, i64)>,
    pub workflows: Vec<Workflow>,
    pub express_shipping_minor: i64,
    pub prices: PricePolicy,
    /// How the pieces of several locations are dealt out, where there are several.
    pub spread: Option<AllocationRule>,
    /// Some promotions give things away.
    pub gives: bool,
}

/// Is one thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// Somebody asks something of a cart.
    Ask(Ask),
    /// The shop lists a product anew: another price, policy, currency, or hidden.
    Relist(Product),
    /// Pieces arrive, and so many stay on the shelf from now on.
    Supply(Sku, i64, i64),
    /// The shop sets the price of express shipping.
    PriceExpress(i64),
}

/// Is a request whose blanks the state of the cart fills in.
#[derive(Clone, Debug)]
pub struct Ask {
    pub cart: usize,
    pub caller: Caller,
    pub version: Version,
    /// How much later than the last thing that happened.
    pub later_ms: i64,
    pub draft: Draft,
}

#[derive(Clone, Copy, Debug)]
pub enum Caller {
    Owner,
    Stranger,
    Server,
}

#[derive(Clone, Copy, Debug)]
pub enum Version {
    Any,
    Current,
    /// So much away from the current one.
    Other(u64),
}

#[derive(Clone, Debug)]
pub enum Draft {
    Add(Sku, u32, Properties),
    Set(LineId, u32),
    Remove(LineId),
    Save(LineId),
    Restore(LineId),
    Accept,
    Drop(LineId),
    Note(String),
    Type(Code),
    Untype(Code),
    /// Pays with a gift card: one with something on it, one without, or one that is none.
    Card(GiftCard),
    Uncard(GiftCard),
    Credit(bool),
    /// Takes the gift out as if it were a line.
    RemoveGift,
    /// Declines the gift of a promotion, or takes it after all.
    Decline(PromotionId),
    Undecline(PromotionId),
    Batch(Vec<Draft>),
    Clear,
    Start,
    Step(StepDetails),
    /// Goes on to the order: starts the checkout, completes the next step (with these details where they fit), pays.
    GoOn(StepDetails),
    /// Begins to pay.
    Pay,
    /// Pays what is due and so much more.
    Place(i64),
    /// Hears of the attempt to pay.
    Hear(Heard),
    Expire,
    /// Is left alone.
    Lapse(bool),
    Reopen,
}

/// Is what becomes of an attempt to pay, or of what the provider is to be told.
#[derive(Clone, Copy, Debug)]
pub enum Heard {
    Challenge,
    Refusal,
    Cancel,
    Settled,
}

pub fn shop() -> impl Strategy<Value = Shop> {
    let listed = SKUS.len() - 1;
    let products = (0..listed).map(|at| product(Just(at))).collect::<Vec<_>>();
    let spread = prop_oneof![
        2 => Just(None),
        1 => Just(Some(AllocationRule::Priority)),
        1 => Just(Some(AllocationRule::FewestParcels)),
    ];
    (products, vec(supply(), listed), vec(workflow(), CARTS), 0..2_000_i64, prices(), spread, any::<bool>())
        .prop_map(|(products, supplies, workflows, express_shipping_minor, prices, spread, gives)| Shop {
            products,
            supplies,
            workflows,
            express_shipping_minor,
            prices,
            spread,
            gives,
        })
}

fn prices() -> impl Strategy<Value = PricePolicy> {
    prop_oneof![Just(PricePolicy::Hold), Just(PricePolicy::Follow), Just(PricePolicy::Tell)]
}

pub fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        40 => ask().prop_map(Act::Ask),
        2 => product(0..SKUS.len() - 1).prop_map(Act::Relist),
        1 => (0..SKUS.len() - 1, 1..5_i64, 0..3_i64).prop_map(|(at, pieces, safety)| Act::Supply(sku_at(at), pieces, safety)),
        1 => (0..2_000_i64).prop_map(Act::PriceExpress),
    ];
    vec(act, 0..120)
}

fn ask() -> impl Strategy<Value = Ask> {
    let caller = prop_oneof![
        12 => Just(Caller::Owner),
        1 => Just(Caller::Stranger),
        2 => Just(Caller::Server),
    ];
    let version = prop_oneof![
        8 => Just(Version::Any),
        4 => Just(Version::Current),
        1 => prop_oneof![1..4_u64, Just(u64::MAX)].prop_map(Version::Other),
    ];
    let later_ms = prop_oneof![4 => 0..50_i64, 1 => 0..1_500_i64];
    (0..CARTS, caller, version, later_ms, draft()).prop_map(|(cart, caller, version, later_ms, draft)| Ask {
        cart,
        caller,
        version,
        later_ms,
        draft,
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![
        20 => change(),
        3 => vec(change(), 0..5).prop_map(Draft::Batch),
        1 => "[a-c]{0,2}".prop_map(Draft::Note),
        1 => "[AB]".prop_map(|code| Draft::Type(Code::parse(&code).expect("a code"))),
        1 => "[AB]".prop_map(|code| Draft::Untype(Code::parse(&code).expect("a code"))),
        2 => card().prop_map(Draft::Card),
        1 => card().prop_map(Draft::Uncard),
        1 => any::<bool>().prop_map(Draft::Credit),
        1 => Just(Draft::RemoveGift),
        1 => giving().prop_map(Draft::Decline),
        1 => giving().prop_map(Draft::Undecline),
        1 => Just(Draft::Start),
        2 => details().prop_map(Draft::Step),
        16 => details().prop_map(Draft::GoOn),
        2 => Just(Draft::Pay),
        3 => (-2..3_i64).prop_map(Draft::Place),
        5 => prop_oneof![
            Just(Heard::Challenge), Just(Heard::Refusal), Just(Heard::Cancel), Just(Heard::Settled)
        ].prop_map(Draft::Hear),
        4 => Just(Draft::Expire),
        1 => prop::bool::weighted(0.8).prop_map(Draft::Lapse),
        2 => Just(Draft::Reopen),
    ]
}

/// Draws a change of the lines, as it may stand in a batch.
fn change() -> impl Strategy<Value = Draft> {
    prop_oneof![
        14 => (sku(), quantity(), properties()).prop_map(|(sku, quantity, p)| Draft::Add(sku, quantity, p)),
        8 => (line(), quantity()).prop_map(|(line, quantity)| Draft::Set(line, quantity)),
        2 => line().prop_map(Draft::Remove),
        4 => line().prop_map(Draft::Save),
        5 => line().prop_map(Draft::Restore),
        1 => Just(Draft::Accept),
        1 => line().prop_map(Draft::Drop),
        1 => Just(Draft::Clear),
    ]
}

fn properties() -> impl Strategy<Value = Properties> {
    let engraved = |text: &str| {
        Properties::parse([("engraving".to_owned(), text.to_owned())].into()).expect("a short text")
    };
    prop_oneof![6 => Just(Properties::default()), 2 => Just(engraved("Ada")), 1 => Just(engraved("Eve"))]
}

fn line() -> impl Strategy<Value = LineId> {
    (sku(), properties()).prop_map(|(sku, properties)| LineId::new(sku, &properties))
}

fn sku_at(at: usize) -> Sku {
    Sku::parse(SKUS[at]).expect("the SKUs above are valid")
}

fn sku() -> impl Strategy<Value = Sku> {
    (0..SKUS.len()).prop_map(sku_at)
}

fn quantity() -> impl Strategy<Value = u32> {
    let edge = prop_oneof![
        Just(0),
        Just(limits::LINE_QUANTITY_MAX - 1),
        Just(limits::LINE_QUANTITY_MAX),
        Just(limits::LINE_QUANTITY_MAX + 1),
        Just(u32::MAX),
    ];
    prop_oneof![8 => 1..5_u32, 1 => 1..=limits::LINE_QUANTITY_MAX, 1 => edge]
}

fn supply() -> impl Strategy<Value = (i64, i64)> {
    let pieces = prop_oneof![4 => 0..12_i64, 1 => Just(limits::SUPPLY_MAX)];
    (pieces, prop_oneof![3 => Just(0), 1 => 1..4_i64])
}

fn product(at: impl Strategy<Value = usize>) -> impl Strategy<Value = Product> {
    let price = prop_oneof![6 => 1..10_000_i64, 1 => Just(0), 1 => Just(limits::PRICE_MINOR_MAX)];
    let currency = prop_oneof![9 => Just("GBP"), 1 => Just("EUR")];
    let policy = prop_oneof![
        3 => Just(StockPolicy::HoldOnAdd),
        2 => Just(StockPolicy::HoldAtCheckout),
        1 => Just(StockPolicy::TakeAtOrder),
        1 => Just(StockPolicy::Untracked),
    ];
    let owed = || prop_oneof![2 => Just(0), 1 => 1..5_u32];
    let preorder =
        (1..3_000_i64, owed()).prop_map(|(in_ms, limit)| Preorder { releases_at_ms: DAY_MS + in_ms, limit });
    let later = (owed(), prop::option::weighted(0.3, preorder));
    (at, price, currency, policy, prop::bool::weighted(0.1), later).prop_map(
        |(at, minor, currency, stock_policy, hidden, (backorder_limit, preorder))| {
            let price = Money::new(minor, Currency::parse(currency).expect("a listed code"));
            let name = format!("{} at {minor}", SKUS[at]);
            Product {
                stock_policy,
                hidden,
                backorder_limit,
                preorder,
                ..Product::new(sku_at(at), name, price)
            }
        },
    )
}

fn workflow() -> impl Strategy<Value = Workflow> {
    let reversed = r#"{"name":"reversed","cart":"page","checkout":"stepwise","steps":["review","payment","shipping","address"]}"#;
    let reversed: Workflow = serde_json::from_str(reversed).expect("a workflow of all steps");
    assert_eq!((reversed.cart(), reversed.checkout()), (CartLayout::Page, CheckoutLayout::Stepwise));
    let hasty = r#"{"name":"hasty","cart":"page","checkout":"stepwise","steps":["address","shipping","payment"],
        "stock_policy":"hold_at_checkout","hold_seconds":1}"#;
    let hasty: Workflow = serde_json::from_str(hasty).expect("a workflow that holds at the checkout");
    prop_oneof![Just(Workflow::classic()), Just(Workflow::express()), Just(reversed), Just(hasty)]
}

fn details() -> impl Strategy<Value = StepDetails> {
    let shipping = |method| Just(StepDetails::Shipping { method: MethodId::parse(method).ok() });
    prop_oneof![
        "[A-Z][a-zé\"\\\\]{1,8}".prop_map(address),
        shipping("express"),
        shipping("standard"),
        Just(StepDetails::Payment),
        Just(StepDetails::Review),
    ]
}

/// Returns an address in a town; those late in the alphabet are in France.
pub fn address(city: String) -> StepDetails {
    let country = if city.as_str() > "M" { "FR" } else { "GB" };
    StepDetails::Address(Address {
        email: "ada@example.org".into(),
        name: "Ada".into(),
        street: "1 Royal Crescent".into(),
        city,
        postcode: "BA1 2LR".into(),
        country: country.into(),
        region: String::new(),
    })
}

fn giving() -> impl Strategy<Value = PromotionId> {
    select(vec!["three", "soon", "code"]).prop_map(|id| PromotionId::parse(id).expect("an id"))
}

fn card() -> impl Strategy<Value = GiftCard> {
    select(vec!["full", "full", "full", "spent", "fake", "euro", "off", "old"])
        .prop_map(|id| GiftCard { id: GiftCardId::parse(id).expect("an id"), last4: "6789".into() })
}
