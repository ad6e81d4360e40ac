//! The assessment of one order.

use std::{iter::Sum, ops::Add};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InclusivePrices, Rounding, RoundingScope, Schedule, Taxes, rounding};
use crate::{Destination, GroupId, TaxCategory};

/// Is a line as far as tax cares.
#[derive(Clone, Copy, Debug)]
pub struct TaxableLine<'a> {
    /// The tax category of its product.
    pub category: &'a TaxCategory,
    /// Its price after promotions, in minor units.
    pub amount_minor: i64,
}

/// Asks what of an order is tax. All amounts together must stay below 10¹⁸ minor units.
#[derive(Clone, Copy, Debug)]
pub struct TaxQuestion<'a> {
    /// The lines.
    pub lines: &'a [TaxableLine<'a>],
    /// The charge for shipping after promotions, in minor units.
    pub shipping_minor: i64,
    /// The tax category of the shipping; `None` taxes it as the goods that travel, each rate in proportion to its part.
    pub shipping_category: Option<&'a TaxCategory>,
    /// Where the order goes, where that is known.
    pub destination: Option<&'a Destination>,
    /// The customer's group, where there is one.
    pub group: Option<&'a GroupId>,
}

/// Is an amount without tax, its tax, and both; net and tax always add up to gross.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Taxed {
    /// Without tax, in minor units.
    pub net_minor: i64,
    /// The tax, in minor units.
    pub tax_minor: i64,
    /// What is paid, in minor units.
    pub gross_minor: i64,
}

impl Taxed {
    fn untaxed(net_minor: i64) -> Self {
        Self { net_minor, tax_minor: 0, gross_minor: net_minor }
    }

    fn of(amount_minor: i64, tax_minor: i64, includes_tax: bool) -> Self {
        match includes_tax {
            true => Self { net_minor: amount_minor - tax_minor, tax_minor, gross_minor: amount_minor },
            false => Self { net_minor: amount_minor, tax_minor, gross_minor: amount_minor + tax_minor },
        }
    }
}

impl Add for Taxed {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            net_minor: self.net_minor + other.net_minor,
            tax_minor: self.tax_minor + other.tax_minor,
            gross_minor: self.gross_minor + other.gross_minor,
        }
    }
}

impl Sum for Taxed {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

/// Is what of an order is tax.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The name of the zone whose rates were applied; nothing where no tax is collected.
    pub zone: Option<String>,
    /// The destination is not known yet, and the shop's home stood in for it.
    pub estimated: bool,
    /// The amounts were taken to include tax: the zone's, or the home's where the net is kept.
    pub prices_include_tax: bool,
    /// The customer's group pays no tax here.
    pub exempt: bool,
    /// The lines, in the order of the question.
    pub lines: Vec<Taxed>,
    /// Shipping.
    pub shipping: Taxed,
    /// Each rate that was applied; their sums are the total.
    pub rates: Vec<RateShare>,
    /// The sum of lines and shipping.
    pub total: Taxed,
}

/// Is what of an order fell under one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateShare {
    /// What was taxed, lines and shipping together.
    pub taxed: Taxed,
    /// The components; their tax sums to the rate's. None where no tax was charged at all.
    pub components: Vec<ComponentShare>,
}

/// Is the tax of one component of a rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentShare {
    /// Its name.
    pub name: String,
    /// Its rate in parts per million.
    pub rate_ppm: u32,
    /// Its tax, in minor units.
    pub tax_minor: i64,
}

/// Is an amount and the number of its rate.
#[derive(Clone, Copy)]
struct Item {
    rate: usize,
    amount_minor: i64,
}

/// Is what one schedule makes of some amounts.
struct Worked {
    lines: Vec<Taxed>,
    shipping: Taxed,
    rates: Vec<RateShare>,
}

impl Worked {
    /// Takes the tax off.
    fn without_tax(self) -> Self {
        let off = |taxed: &Taxed| Taxed::untaxed(taxed.net_minor);
        let lines: Vec<_> = self.lines.iter().map(off).collect();
        let shipping = off(&self.shipping);
        let taxed = lines.iter().copied().sum::<Taxed>() + shipping;
        let rates = self.rates.first().map(|_| RateShare { taxed, components: vec![] });
        Self { lines, shipping, rates: rates.into_iter().collect() }
    }
}

impl Taxes {
    /// Says what of an order is tax.
    ///
    /// ```
    /// use cart_core::{TaxCategory, TaxComponent, TaxDefinition, TaxQuestion, TaxZone, TaxableLine, Taxes, zone::Place};
    /// let standard = TaxCategory::default();
    /// let vat = TaxComponent { name: "VAT 20 %".into(), rate_ppm: 200_000, compound: false };
    /// let zone = TaxZone {
    ///     name: "Everywhere".into(),
    ///     places: vec![Place::everywhere()],
    ///     prices_include_tax: None,
    ///     rates: [(standard.clone(), vec![vat])].into(),
    ///     exempt_groups: Default::default(),
    /// };
    /// let home = Some(cart_core::Destination::country("GB".parse().unwrap()));
    /// let definition = TaxDefinition { prices_include_tax: true, home, zones: vec![zone], ..Default::default() };
    /// let lines = [TaxableLine { category: &standard, amount_minor: 1_200 }];
    /// let question =
    ///     TaxQuestion { lines: &lines, shipping_minor: 0, shipping_category: None, destination: None, group: None };
    /// let assessment = Taxes::new(definition).unwrap().assess(&question);
    /// assert_eq!((assessment.total.net_minor, assessment.total.tax_minor), (1_000, 200));
    /// ```
    pub fn assess(&self, question: &TaxQuestion<'_>) -> Assessment {
        let number = self.number_of(question.destination);
        let keeps_tax = self.home.is_some() && self.definition.inclusive_prices == InclusivePrices::KeepNet;
        if number.is_none() && !keeps_tax {
            return self.untaxed(question);
        }
        let untaxed = Schedule::untaxed();
        let zone = number.map(|n| &self.definition.zones[n]);
        let schedule = number.map_or(&untaxed, |n| &self.schedules[n]);
        let own_word = zone.and_then(|zone| zone.prices_include_tax);
        let includes_tax = own_word.unwrap_or(self.definition.prices_include_tax);
        let exempt = zone.is_some_and(|zone| question.group.is_some_and(|g| zone.exempt_groups.contains(g)));

        let keeps_net = includes_tax
            && own_word.is_none()
            && self.definition.inclusive_prices == InclusivePrices::KeepNet
            && number != self.home;
        let worked = match self.home.filter(|_| keeps_net) {
            Some(home) => {
                let at_home = self.work(&self.schedules[home], question, true);
                let lines: Vec<_> = std::iter::zip(question.lines, &at_home.lines)
                    .map(|(line, taxed)| TaxableLine { amount_minor: taxed.net_minor, ..*line })
                    .collect();
                let shipping_minor = at_home.shipping.net_minor;
                self.work(schedule, &TaxQuestion { lines: &lines, shipping_minor, ..*question }, false)
            }
            None => self.work(schedule, question, includes_tax),
        };
        let worked = if exempt { worked.without_tax() } else { worked };
        Assessment {
            zone: zone.map(|zone| zone.name.clone()),
            estimated: question.destination.is_none(),
            prices_include_tax: includes_tax,
            exempt,
            total: worked.lines.iter().copied().sum::<Taxed>() + worked.shipping,
            lines: worked.lines,
            shipping: worked.shipping,
            rates: worked.rates,
        }
    }

    /// Says of an order that no zone claims that nothing of it is tax.
    fn untaxed(&self, question: &TaxQuestion<'_>) -> Assessment {
        let lines: Vec<_> = question.lines.iter().map(|line| Taxed::untaxed(line.amount_minor)).collect();
        let shipping = Taxed::untaxed(question.shipping_minor);
        let total = lines.iter().copied().sum::<Taxed>() + shipping;
        let is_empty = lines.is_empty() && question.shipping_minor == 0;
        Assessment {
            zone: None,
            estimated: question.destination.is_none(),
            prices_include_tax: self.definition.prices_include_tax,
            exempt: false,
            lines,
            shipping,
            rates: if is_empty { vec![] } else { vec![RateShare { taxed: total, components: vec![] }] },
            total,
        }
    }

    /// Applies one zone's rates to all amounts.
    fn work(&self, schedule: &Schedule, question: &TaxQuestion<'_>, includes_tax: bool) -> Worked {
        let mut items: Vec<_> = question
            .lines
            .iter()
            .map(|line| Item { rate: schedule.rate_of(line.category), amount_minor: line.amount_minor })
            .collect();
        let lines = items.len();
        items.extend(shipping_items(schedule, question, &items));

        let mut taxed = vec![Taxed::default(); items.len()];
        let mut rates = vec![];
        for (n, rate) in schedule.rates.iter().enumerate() {
            let of_rate: Vec<_> = (0..items.len()).filter(|i| items[*i].rate == n).collect();
            if of_rate.is_empty() {
                continue;
            }
            let amounts: Vec<_> = of_rate.iter().map(|i| items[*i].amount_minor).collect();
            let taxes = tax_amounts(rate, &amounts, includes_tax, self.definition.rounding);
            for ((i, amount), tax) in of_rate.iter().zip(amounts).zip(taxes) {
                taxed[*i] = Taxed::of(amount, tax, includes_tax);
            }
            let whole: Taxed = of_rate.iter().map(|i| taxed[*i]).sum();
            let components = std::iter::zip(rate.components(), rate.split(whole.tax_minor))
                .map(|(c, tax_minor)| ComponentShare {
                    name: c.name.clone(),
                    rate_ppm: c.rate_ppm,
                    tax_minor,
                })
                .collect();
            rates.push(RateShare { taxed: whole, components });
        }
        let shipping = taxed.drain(lines..).sum();
        Worked { lines: taxed, shipping, rates }
    }
}

/// Returns the parts of the shipping, one for each rate it falls under; none where it is free.
fn shipping_items(schedule: &Schedule, question: &TaxQuestion<'_>, lines: &[Item]) -> Vec<Item> {
    if question.shipping_minor == 0 {
        return vec![];
    }
    let whole = |rate| vec![Item { rate, amount_minor: question.shipping_minor }];
    if let Some(category) = question.shipping_category {
        return whole(schedule.rate_of(category));
    }
    let mut weights = vec![0; schedule.rates.len()];
    for line in lines {
        weights[line.rate] += i128::from(line.amount_minor.max(0));
    }
    if weights.iter().all(|weight| *weight == 0) {
        return whole(schedule.standard);
    }
    rounding::split(question.shipping_minor, &weights)
        .into_iter()
        .enumerate()
        .map(|(rate, amount_minor)| Item { rate, amount_minor })
        .filter(|item| item.amount_minor != 0)
        .collect()
}

/// Returns the tax of each amount that falls under a rate.
fn tax_amounts(rate: &super::Rate, amounts: &[i64], includes_tax: bool, rounding: Rounding) -> Vec<i64> {
    match rounding.per {
        RoundingScope::Order => rate.taxes(amounts, includes_tax, rounding.mode),
        RoundingScope::Line => {
            let tax = |amount: &i64| rate.tax(i128::from(*amount), includes_tax, rounding.mode);
            let fits = |tax| i64::try_from(tax).expect("a tax fits where its amount does");
            amounts.iter().map(|amount| fits(tax(amount))).collect()
        }
    }
}
