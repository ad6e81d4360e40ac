//! A rate of tax and its components, as exact fractions of the net amount.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rounding::{self, RoundingMode};
use crate::{
    definition::Faults,
    limits::{TAX_COMPONENTS_MAX, TAX_COMPOUND_MAX, TAX_PPM_MAX},
};

/// One, in parts per million.
const ONE_PPM: i128 = 1_000_000;

/// Is one of the taxes that a rate is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxComponent {
    /// Its name on the invoice, such as `VAT 20 %`.
    pub name: String,
    /// Its rate in parts per million: 200,000 is 20 %.
    pub rate_ppm: u32,
    /// It is charged on the net amount and the tax of all components before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compound: bool,
}

/// Is a rate as exact fractions: of `scale` net, `shares[n]` are component `n`'s tax and `total` all tax.
///
/// With c compound components the scale is 10^(6 + 6c), so that no division leaves a remainder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    components: Vec<TaxComponent>,
    scale: i128,
    shares: Vec<i128>,
    total: i128,
}

impl Rate {
    /// Works the fractions out; the components were checked.
    pub(super) fn of(components: &[TaxComponent]) -> Self {
        let compounds = components.iter().filter(|c| c.compound).count();
        let scale = (0..compounds).fold(ONE_PPM, |scale, _| scale * ONE_PPM);
        let (mut shares, mut total) = (Vec::with_capacity(components.len()), 0);
        for component in components {
            let base = if component.compound { scale + total } else { scale };
            let share = base / ONE_PPM * i128::from(component.rate_ppm);
            shares.push(share);
            total += share;
        }
        Self { components: components.to_vec(), scale, shares, total }
    }

    pub(super) fn components(&self) -> &[TaxComponent] {
        &self.components
    }

    /// Returns the denominator of an amount's tax, `amount * total` being the numerator.
    fn denominator(&self, includes_tax: bool) -> i128 {
        if includes_tax { self.scale + self.total } else { self.scale }
    }

    /// Returns the rounded tax of an amount: `a·t` of a net amount, `a·t / (1 + t)` of a gross one.
    pub(super) fn tax(&self, minor: i128, includes_tax: bool, mode: RoundingMode) -> i128 {
        rounding::divide(minor * self.total, self.denominator(includes_tax), mode)
    }

    /// Returns the tax of all amounts together, rounded once and handed down to each by largest remainder.
    pub(super) fn taxes(&self, minors: &[i64], includes_tax: bool, mode: RoundingMode) -> Vec<i64> {
        let whole = self.tax(minors.iter().map(|m| i128::from(*m)).sum(), includes_tax, mode);
        let denominator = self.denominator(includes_tax);
        rounding::hand_out(whole, minors.iter().map(|m| i128::from(*m) * self.total), denominator)
    }

    /// Splits the tax of this rate by its components.
    pub(super) fn split(&self, tax_minor: i64) -> Vec<i64> {
        match self.total {
            0 => vec![0; self.shares.len()],
            total => {
                let whole = i128::from(tax_minor);
                rounding::hand_out(whole, self.shares.iter().map(|share| whole * share), total)
            }
        }
    }
}

/// Checks the components of a rate.
pub(super) fn check_rate(faults: &mut Faults, components: &[TaxComponent]) {
    faults.need(components.len() <= TAX_COMPONENTS_MAX, "", || {
        format!("has {} components, the most allowed is {TAX_COMPONENTS_MAX}", components.len())
    });
    let compounds = components.iter().filter(|c| c.compound).count();
    faults.need(compounds <= TAX_COMPOUND_MAX, "", || {
        format!("has {compounds} compound components, the most allowed is {TAX_COMPOUND_MAX}")
    });
    faults.need(components.first().is_none_or(|c| !c.compound), "", || {
        "begins with a compound component, which has no tax before it to be charged on; leave compound out"
    });
    let mut names = BTreeSet::new();
    for (n, component) in components.iter().enumerate() {
        faults.within(format_args!("components[{n}]"), |faults| {
            faults.name("name", &component.name);
            faults.need(names.insert(&component.name), "name", || {
                format!("is {:?}, as another component's is; give each its own", component.name)
            });
            faults.need(component.rate_ppm <= TAX_PPM_MAX, "rate_ppm", || {
                format!("is {}, the most allowed is {TAX_PPM_MAX}; 20 % is 200000", component.rate_ppm)
            });
        });
    }
    let is_workable = components.len() <= TAX_COMPONENTS_MAX
        && compounds <= TAX_COMPOUND_MAX
        && components.iter().all(|c| c.rate_ppm <= TAX_PPM_MAX);
    if is_workable {
        let rate = Rate::of(components);
        faults.need(rate.total / rate.scale < i128::from(TAX_PPM_MAX) / ONE_PPM, "", || {
            format!(
                "comes to {} parts per million, which is not below {TAX_PPM_MAX}; 20 % is 200000",
                rate.total / (rate.scale / ONE_PPM)
            )
        });
    }
}
