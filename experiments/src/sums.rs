//! Exact sums over units: counts, sums, squares and products, from which every mean and variance is made.

/// Sums `D` integer values of every unit of an arm, their squares and their products, exactly.
///
/// Integers (pieces, cents, milliseconds) make the sums the same in whatever order, batches or nodes they are added
/// and merged, bit for bit; a unit whose outcome changes is taken out and added again. The variance of such sums
/// loses no digits either: see [`Sums::covariance`].
///
/// What a column means is up to the metric: `[y]` for a mean, `[numerator, denominator]` for a ratio, `[outcome,
/// outcome before exposure]` for a regression-adjusted mean, and all four of both for an adjusted ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums<const D: usize> {
    units: u64,
    sums: [i128; D],
    products: [[i128; D]; D],
}

/// Says why sums cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SumsError {
    /// A sum would leave 128 bits. Values up to 2⁴⁷ (140 million million) never do in the first 10⁹ units.
    #[error("sums over units leave 128 bits")]
    TooLarge,
    /// No units could have these sums: a sum of squares is below what the sum demands (Cauchy–Schwarz), or there
    /// are sums without units.
    #[error("no {units} units can have these sums in column {column}")]
    Impossible {
        /// Units.
        units: u64,
        /// The column that cannot be.
        column: usize,
    },
}

impl<const D: usize> Default for Sums<D> {
    fn default() -> Self {
        Self::nothing()
    }
}

impl<const D: usize> Sums<D> {
    pub(crate) const fn nothing() -> Self {
        Self { units: 0, sums: [0; D], products: [[0; D]; D] }
    }

    /// Takes over sums that were made elsewhere; `products[i][j]` is Σ yᵢyⱼ and needs to be given for i ≤ j only.
    ///
    /// ```
    /// use experiments::sums::Sums;
    /// let sums = Sums::of(1000, [5000], [[45_000]])?;
    /// assert_eq!((sums.mean(0), sums.covariance(0, 0)), (5.0, 20_000.0 / 999.0));
    /// assert!(Sums::of(10, [1000], [[3]]).is_err());
    /// # Ok::<(), experiments::sums::SumsError>(())
    /// ```
    ///
    /// # Errors
    /// [`SumsError::Impossible`] when no units could have them.
    pub fn of(units: u64, sums: [i128; D], products: [[i128; D]; D]) -> Result<Self, SumsError> {
        let found = Self { units, sums, products };
        let largest = u128::from(units) << 63;
        for column in 0..D {
            let (sum, squares) = (sums[column], products[column][column]);
            let is_possible = match units {
                0 => sum == 0 && squares == 0,
                _ => squares >= 0 && sum.unsigned_abs() <= largest && found.centred(column, column) >= 0.0,
            };
            if !is_possible {
                return Err(SumsError::Impossible { units, column });
            }
        }
        Ok(found)
    }

    /// Adds a unit.
    ///
    /// # Errors
    /// [`SumsError::TooLarge`]; the sums stay as they were.
    pub fn add(&mut self, values: [i64; D]) -> Result<(), SumsError> {
        self.merge(&Self::of_unit(values))
    }

    /// Takes out a unit that was added, as when its outcome changes.
    ///
    /// # Errors
    /// [`SumsError::TooLarge`] when there is no unit to take out; the sums stay as they were.
    pub fn remove(&mut self, values: [i64; D]) -> Result<(), SumsError> {
        let unit = Self::of_unit(values);
        let units = self.units.checked_sub(1).ok_or(SumsError::TooLarge)?;
        *self = self.combined(&unit, units, i128::checked_sub)?;
        Ok(())
    }

    /// Adds the sums of other units.
    ///
    /// ```
    /// use experiments::sums::Sums;
    /// let (mut one, mut other, mut all) = (Sums::<2>::default(), Sums::default(), Sums::default());
    /// one.add([3, 1])?;
    /// other.add([-5, 2])?;
    /// all.add([-5, 2])?;
    /// all.add([3, 1])?;
    /// one.merge(&other)?;
    /// assert_eq!(one, all);
    /// # Ok::<(), experiments::sums::SumsError>(())
    /// ```
    ///
    /// # Errors
    /// [`SumsError::TooLarge`]; the sums stay as they were.
    pub fn merge(&mut self, other: &Self) -> Result<(), SumsError> {
        let units = self.units.checked_add(other.units).ok_or(SumsError::TooLarge)?;
        *self = self.combined(other, units, i128::checked_add)?;
        Ok(())
    }

    /// Returns what is left without units that were merged into these.
    ///
    /// # Errors
    /// [`SumsError::TooLarge`] where they were not.
    pub fn without(&self, part: &Self) -> Result<Self, SumsError> {
        let units = self.units.checked_sub(part.units).ok_or(SumsError::TooLarge)?;
        self.combined(part, units, i128::checked_sub)
    }

    fn of_unit(values: [i64; D]) -> Self {
        let values = values.map(i128::from);
        Self { units: 1, sums: values, products: values.map(|one| values.map(|other| one * other)) }
    }

    fn combined(
        &self,
        other: &Self,
        units: u64,
        with: fn(i128, i128) -> Option<i128>,
    ) -> Result<Self, SumsError> {
        let mut found = Self { units, ..*self };
        for i in 0..D {
            found.sums[i] = with(self.sums[i], other.sums[i]).ok_or(SumsError::TooLarge)?;
            for j in i..D {
                let product = with(self.products[i][j], other.products[i][j]);
                found.products[i][j] = product.ok_or(SumsError::TooLarge)?;
                found.products[j][i] = found.products[i][j];
            }
        }
        Ok(found)
    }

    /// Returns how many units were added.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Returns the sum of a column; 0 for a column that is not there.
    pub fn sum(&self, column: usize) -> i128 {
        self.sums.get(column).copied().unwrap_or(0)
    }

    /// Returns the sum of the products of two columns, Σ yᵢyⱼ; 0 for a column that is not there.
    pub fn product(&self, one: usize, other: usize) -> i128 {
        let row = self.products.get(one.min(other));
        row.and_then(|row| row.get(one.max(other))).copied().unwrap_or(0)
    }

    /// Returns the mean of a column; 0 without units.
    pub fn mean(&self, column: usize) -> f64 {
        if self.units == 0 { 0.0 } else { self.sum(column) as f64 / self.units as f64 }
    }

    /// Returns the covariance of two columns from unit to unit, with n − 1; a column's with itself is its variance.
    /// 0 with fewer than two units.
    ///
    /// Σxy − (Σx)(Σy)/n subtracts huge numbers that are nearly alike. Here both columns are first shifted by their
    /// rounded means, in integers and so without loss; what is left to floating point is of the size of the answer.
    ///
    /// ```
    /// use experiments::sums::Sums;
    /// // 10¹² + {0, 1, 2}: a variance of 1, of which floating-point sums of squares keep nothing.
    /// let mut sums = Sums::<1>::default();
    /// for cents in [0, 1, 2] {
    ///     sums.add([1_000_000_000_000 + cents])?;
    /// }
    /// assert_eq!(sums.covariance(0, 0), 1.0);
    /// # Ok::<(), experiments::sums::SumsError>(())
    /// ```
    pub fn covariance(&self, one: usize, other: usize) -> f64 {
        if self.units < 2 || one.max(other) >= D {
            return 0.0;
        }
        let centred = self.centred(one, other) / (self.units - 1) as f64;
        if one == other { centred.max(0.0) } else { centred }
    }

    /// Σ(x − x̄)(y − ȳ). With q the rounded mean and r = Σx − nq: Σ(x − q)(y − q′) − r·r′/n.
    fn centred(&self, one: usize, other: usize) -> f64 {
        let n = i128::from(self.units);
        let rounded = |sum: i128| (sum + sum.signum() * (n / 2)) / n;
        let (sum, other_sum) = (self.sums[one], self.sums[other]);
        let (q, other_q) = (rounded(sum), rounded(other_sum));
        let product = self.products[one.min(other)][one.max(other)];
        // Terms may leave 128 bits where their sum does not; wrapping arithmetic brings it back.
        let shifted = product
            .wrapping_sub(q.wrapping_mul(other_sum))
            .wrapping_sub(other_q.wrapping_mul(sum))
            .wrapping_add(n.wrapping_mul(q).wrapping_mul(other_q));
        let rest = (sum - n * q) * (other_sum - n * other_q);
        match shifted.checked_mul(n).and_then(|scaled| scaled.checked_sub(rest)) {
            Some(scaled) => scaled as f64 / n as f64,
            None => shifted as f64 - rest as f64 / n as f64,
        }
    }

    /// The covariance from unit to unit of two linearised ratios (M − r·D)/D̄, each given by its columns.
    pub(crate) fn ratio_covariance(&self, one: (usize, usize), other: (usize, usize)) -> f64 {
        let gradient = |(numerator, denominator): (usize, usize)| {
            let scale = self.mean(denominator);
            let ratio = self.sums[numerator] as f64 / self.sums[denominator] as f64;
            [(numerator, 1.0 / scale), (denominator, -ratio / scale)]
        };
        let (one, other) = (gradient(one), gradient(other));
        one.iter()
            .flat_map(|&(i, gi)| other.iter().map(move |&(j, gj)| (i, j, gi * gj)))
            .map(|(i, j, weight)| weight * self.covariance(i, j))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_thousand_million_units_keep_their_variance() {
        // Half of them 10¹² and half 10¹² + 2: variance n/(n − 1).
        let (n, far) = (1_000_000_000_u64, 1_000_000_000_000_i128);
        let half = i128::from(n / 2);
        let sum = half * (2 * far + 2);
        let squares = half * (far * far + (far + 2) * (far + 2));
        let sums = Sums::of(n, [sum], [[squares]]).unwrap();
        assert_eq!(sums.mean(0), 1e12 + 1.0);
        assert!((sums.covariance(0, 0) - n as f64 / (n - 1) as f64).abs() < 1e-15);
    }

    #[test]
    fn odd_sums_are_refused_or_zero() {
        assert_eq!(Sums::of(0, [1], [[0]]), Err(SumsError::Impossible { units: 0, column: 0 }));
        assert_eq!(Sums::of(5, [0], [[-1]]), Err(SumsError::Impossible { units: 5, column: 0 }));
        let empty = Sums::<2>::default();
        assert_eq!((empty.mean(0), empty.covariance(0, 1), empty.covariance(7, 0)), (0.0, 0.0, 0.0));
        let mut one = Sums::<1>::default();
        assert_eq!(one.remove([1]), Err(SumsError::TooLarge));
        one.add([i64::MIN]).unwrap();
        assert_eq!(one.add([i64::MIN]), Err(SumsError::TooLarge));
        assert_eq!((one.units(), one.covariance(0, 0)), (1, 0.0));
    }

    fn units() -> impl Strategy<Value = Vec<[i64; 2]>> {
        let value = -1_000_000_000_000..1_000_000_000_000_i64;
        proptest::collection::vec((value.clone(), value).prop_map(|(x, y)| [x, y]), 2..40)
    }

    proptest! {
        #[test]
        fn order_and_batches_do_not_matter(units in units(), cut in 0_usize..40) {
            let sum = |units: &[[i64; 2]]| {
                let mut sums = Sums::default();
                units.iter().try_for_each(|&unit| sums.add(unit)).map(|()| sums).unwrap()
            };
            let whole = sum(&units);
            let (one, other) = units.split_at(cut.min(units.len()));
            let mut merged = sum(other);
            merged.merge(&sum(one)).unwrap();
            prop_assert_eq!(merged, whole);
            let mut without = whole;
            without.remove(units[0]).unwrap();
            prop_assert_eq!(without, sum(&units[1..]));
        }

        #[test]
        fn covariance_is_its_definition(units in units()) {
            let mut sums = Sums::default();
            units.iter().for_each(|&unit| sums.add(unit).unwrap());
            let n = units.len() as f64;
            let mean = |column: usize| units.iter().map(|unit| unit[column] as f64).sum::<f64>() / n;
            let (x, y) = (mean(0), mean(1));
            let spread = |f: fn(f64, f64) -> f64| {
                units.iter().map(|unit| f(unit[0] as f64 - x, unit[1] as f64 - y)).sum::<f64>() / (n - 1.0)
            };
            let (xx, xy, yy) = (spread(|x, _| x * x), spread(|x, y| x * y), spread(|_, y| y * y));
            prop_assert!((sums.covariance(0, 0) - xx).abs() <= 1e-12 * xx);
            prop_assert!((sums.covariance(1, 0) - xy).abs() <= 1e-12 * (xx * yy).sqrt());
        }
    }
}
