//! Promotions as a season draws them and as the shop's people write them down.

mod drawn;

use std::collections::BTreeMap;

use cart_core::{ChannelId, Currency, GroupId, Sku};
use serde_json::{Value, json};

use super::shop;

/// What promotions reduce, in the order in which those of one priority are applied.
pub const CLASSES: [&str; 4] = ["items", "order", "gift", "shipping"];

/// Is a promotion.
#[derive(Clone, Debug)]
pub struct Deal {
    pub id: String,
    pub priority: i64,
    /// One of them is to be typed; none, where it holds for everybody.
    pub codes: Vec<&'static str>,
    pub beside: Beside,
    /// It leaves alone what another one has reduced.
    pub is_for_untouched: bool,
    pub when: When,
    pub limits: Limits,
    pub benefit: Benefit,
}

/// Says what may apply beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    All,
    /// After it only these classes.
    Last(Vec<&'static str>),
    /// Before it and after it only these classes.
    Exclusive(Vec<&'static str>),
    /// Of all that say so, the one that takes off most.
    BestOf,
}

/// Says when it holds, and for whom; amounts are the same numbers in each of its currencies.
#[derive(Clone, Debug)]
pub struct When {
    pub currencies: Vec<Currency>,
    pub window: Option<(i64, i64)>,
    pub group: Option<GroupId>,
    pub channel: Option<ChannelId>,
    /// The fewest and the most orders of its customer before.
    pub orders: Option<(i64, i64)>,
    pub need: Option<Need>,
}

/// Is what a cart must hold.
#[derive(Clone, Debug)]
pub struct Need {
    pub of: Choice,
    pub pieces: Option<i64>,
    pub minor: Option<(i64, i64)>,
    /// It counts prices before all promotions.
    pub is_full: bool,
}

/// Says how many orders may use it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub total: Option<i64>,
    pub per_customer: Option<i64>,
    pub per_code: Option<i64>,
}

/// Is what it gives.
#[derive(Clone, Debug)]
pub enum Benefit {
    Percentage {
        on: Choice,
        off_bp: i64,
        most: Option<i64>,
    },
    Fixed {
        on: Choice,
        minor: i64,
        is_per_piece: bool,
    },
    /// From so many pieces, or such a sum, on.
    Tiered {
        on: Choice,
        by_pieces: bool,
        tiers: Vec<(i64, Off)>,
    },
    BuyGet {
        buy: (Choice, i64),
        get: (Choice, i64),
        off_bp: i64,
        is_dearest: bool,
        times_max: Option<i64>,
    },
    CheapestFree {
        on: Choice,
        of: i64,
        free: i64,
        times_max: Option<i64>,
    },
    /// One part, or two.
    BundlePrice {
        parts: Vec<(Choice, i64)>,
        minor: i64,
        times_max: Option<i64>,
    },
    FreeShipping {
        method: Option<&'static str>,
        off_bp: i64,
        most: Option<i64>,
    },
    Gift {
        sku: &'static str,
        pieces: i64,
    },
}

/// Is what a tier takes off.
#[derive(Clone, Copy, Debug)]
pub enum Off {
    Bp(i64),
    Minor(i64),
}

/// Says which products are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    All,
    AllBut(&'static str),
    Skus(Vec<&'static str>),
    Category(&'static str),
}

impl Choice {
    /// Reports whether a product is meant.
    pub fn has(&self, sku: &Sku) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(one) => sku.as_str() != *one,
            Self::Skus(skus) => skus.contains(&sku.as_str()),
            Self::Category(category) => shop::category(sku.as_str()) == *category,
        }
    }

    fn written_down(&self) -> Value {
        match self {
            Self::All => json!({"all": true}),
            Self::AllBut(one) => json!({"all": true, "except": {"skus": [one]}}),
            Self::Skus(skus) => json!({"skus": skus}),
            Self::Category(category) => json!({"categories": [category]}),
        }
    }
}

impl Deal {
    /// Writes it down as the shop's people do.
    pub fn written_down(&self) -> Value {
        let but_with = |mode: &str, classes: &[&str]| json!({"mode": mode, "but_with": classes});
        let stacking = match &self.beside {
            Beside::All => json!({"mode": "stackable"}),
            Beside::Last(classes) => but_with("last", classes),
            Beside::Exclusive(classes) => but_with("exclusive", classes),
            Beside::BestOf => json!({"mode": "best_of", "group": "best"}),
        };
        let Limits { total, per_customer, per_code } = self.limits;
        json!({
            "id": self.id, "name": format!("Promotion {}", self.id), "codes": self.codes, "priority": self.priority,
            "stacking": stacking, "skip_discounted_lines": self.is_for_untouched,
            "conditions": self.when.written_down(),
            "limits": {"total": total, "per_customer": per_customer, "per_code": per_code},
            "benefit": self.benefit.written_down(&|minor| self.when.amounts(minor)),
        })
    }
}

impl When {
    /// Writes an amount down in each currency.
    fn amounts(&self, minor: i64) -> BTreeMap<&str, i64> {
        self.currencies.iter().map(|currency| (currency.code(), minor)).collect()
    }

    fn written_down(&self) -> Value {
        let needs = self.need.iter().map(|need| {
            let [least, most] = [need.minor.map(|(least, _)| least), need.minor.map(|(_, most)| most)];
            json!({"of": need.of.written_down(), "sum": if need.is_full { "full" } else { "left" },
                "min_pieces": need.pieces,
                "min_minor": least.map(|minor| self.amounts(minor)).unwrap_or_default(),
                "max_minor": most.map(|minor| self.amounts(minor)).unwrap_or_default()})
        });
        let codes: Vec<_> = self.currencies.iter().map(|currency| currency.code()).collect();
        json!({
            "currencies": codes,
            "from_ms": self.window.map(|(from, _)| from), "until_ms": self.window.map(|(_, until)| until),
            "groups": self.group.iter().collect::<Vec<_>>(), "channels": self.channel.iter().collect::<Vec<_>>(),
            "min_orders_before": self.orders.map(|(min, _)| min),
            "max_orders_before": self.orders.map(|(_, max)| max),
            "needs": needs.collect::<Vec<_>>(),
        })
    }
}

impl Benefit {
    /// Names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Percentage { .. } => "percentage",
            Self::Fixed { .. } => "fixed",
            Self::Tiered { .. } => "tiered",
            Self::BuyGet { .. } => "buy_get",
            Self::CheapestFree { .. } => "cheapest_free",
            Self::BundlePrice { .. } => "bundle_price",
            Self::FreeShipping { .. } => "free_shipping",
            Self::Gift { .. } => "gift",
        }
    }

    /// Names what it reduces.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Percentage { on: Choice::All, .. }
            | Self::Tiered { on: Choice::All, .. }
            | Self::Fixed { on: Choice::All, is_per_piece: false, .. } => "order",
            Self::FreeShipping { .. } => "shipping",
            Self::Gift { .. } => "gift",
            _ => "items",
        }
    }

    fn written_down<'c>(&self, amounts: &dyn Fn(i64) -> BTreeMap<&'c str, i64>) -> Value {
        let at_most = |most: &Option<i64>| most.map(amounts).unwrap_or_default();
        match self {
            Self::Percentage { on, off_bp, most } => {
                json!({"kind": self.kind(), "on": on.written_down(), "off_bp": off_bp, "max_minor": at_most(most)})
            }
            Self::Fixed { on, minor, is_per_piece } => {
                json!({"kind": self.kind(), "on": on.written_down(), "off_minor": amounts(*minor),
                    "per": if *is_per_piece { "piece" } else { "cart" }})
            }
            Self::Tiered { on, by_pieces, tiers } => {
                let tier = |(from, off): &(i64, Off)| {
                    let mut tier = match off {
                        Off::Bp(bp) => json!({"off_bp": bp}),
                        Off::Minor(minor) => json!({"off_minor": amounts(*minor)}),
                    };
                    match by_pieces {
                        true => tier["from_pieces"] = json!(from),
                        false => tier["from_minor"] = json!(amounts(*from)),
                    }
                    tier
                };
                json!({"kind": self.kind(), "on": on.written_down(), "tiers": tiers.iter().map(tier).collect::<Vec<_>>()})
            }
            Self::BuyGet { buy, get, off_bp, is_dearest, times_max } => {
                json!({"kind": self.kind(), "buy": buy.0.written_down(), "buy_pieces": buy.1,
                    "get": get.0.written_down(), "get_pieces": get.1, "off_bp": off_bp,
                    "pick": if *is_dearest { "dearest" } else { "cheapest" }, "times_max": times_max})
            }
            Self::CheapestFree { on, of, free, times_max } => {
                json!({"kind": self.kind(), "on": on.written_down(), "of_pieces": of, "free_pieces": free,
                    "times_max": times_max})
            }
            Self::BundlePrice { parts, minor, times_max } => {
                let part = |(on, pieces): &(Choice, i64)| json!({"on": on.written_down(), "pieces": pieces});
                json!({"kind": self.kind(), "parts": parts.iter().map(part).collect::<Vec<_>>(),
                    "price_minor": amounts(*minor), "times_max": times_max})
            }
            Self::FreeShipping { method, off_bp, most } => {
                json!({"kind": self.kind(), "methods": method.iter().collect::<Vec<_>>(), "off_bp": off_bp,
                    "max_minor": at_most(most)})
            }
            Self::Gift { sku, pieces } => json!({"kind": self.kind(), "sku": sku, "pieces": pieces}),
        }
    }
}
