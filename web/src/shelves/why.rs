//! Why a product stands on a shelf, in words that a shopper can check.

use cart_core::Sku;
use recommender::{Evidence, Reason};

use crate::catalogue::Catalogue;

/// Says why a product stands on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// What the model says.
    Learnt(Reason),
    /// The shop's people put it there.
    Pinned,
    /// Hardly anybody has bought it yet, and the shelf tries what comes of it.
    New,
    /// Nothing is known yet; it is a part of the range.
    Catalogue,
}

impl Why {
    /// Returns the name, as programs know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Learnt(reason) => reason.name(),
            Self::Pinned => "pinned",
            Self::New => "new",
            Self::Catalogue => "catalogue",
        }
    }

    /// Returns the reason in plain words; beside a product that is in front of the reader, that one is not named.
    pub fn words(&self, catalogue: &Catalogue, beside: Option<&Sku>) -> String {
        let name = |sku: &Sku| catalogue.visible(sku).map_or_else(|| sku.to_string(), |p| p.name.clone());
        let number = |number: &u32| dashboards::count(u64::from(*number));
        match self {
            Self::Learnt(Reason::BoughtTogether(Evidence { with, both, of })) => {
                let company = match beside == Some(with) {
                    true => "Bought with this".to_owned(),
                    false => format!("Bought together with {}", name(with)),
                };
                format!("{company} in {} of its {} orders", number(both), number(of))
            }
            Self::Learnt(Reason::BoughtBefore(Evidence { with, both, of })) => {
                format!(
                    "You bought {}: {} of {} such orders held this too",
                    name(with),
                    number(both),
                    number(of)
                )
            }
            Self::Learnt(Reason::BoughtAfter(Evidence { with, both, of })) => {
                format!(
                    "Of {} who bought {} and came back, {} bought this",
                    number(of),
                    name(with),
                    number(both)
                )
            }
            Self::Learnt(Reason::ViewedTogether(Evidence { with, both, of })) => {
                format!(
                    "In {} of {} visits to {} this was looked at too",
                    number(both),
                    number(of),
                    name(with)
                )
            }
            Self::Learnt(Reason::SimilarBaskets) => "Often bought with things like this".to_owned(),
            Self::Learnt(Reason::SimilarSessions) => {
                "Others who looked at the same went on to this".to_owned()
            }
            Self::Learnt(Reason::Viewed) => "You looked at this".to_owned(),
            Self::Learnt(Reason::PopularAlike { orders: 0 }) => "Popular in the same category".to_owned(),
            Self::Learnt(Reason::PopularAlike { orders: 1 }) => {
                "Same category, bought in one order".to_owned()
            }
            Self::Learnt(Reason::PopularAlike { orders }) => {
                format!("Same category, bought in {} orders", number(orders))
            }
            Self::Learnt(Reason::Popular { orders: 0 }) => "Popular with others".to_owned(),
            Self::Learnt(Reason::Popular { orders: 1 }) => "Bought in one order".to_owned(),
            Self::Learnt(Reason::Popular { orders }) => format!("Bought in {} orders", number(orders)),
            Self::Pinned => "Chosen by the shop".to_owned(),
            Self::New => "New in our range".to_owned(),
            Self::Catalogue => "From our range".to_owned(),
        }
    }
}
