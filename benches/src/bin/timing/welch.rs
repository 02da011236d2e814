//! Welch's t-test.

/// How much of the quickest calls is looked at, in hundredths: interrupts are among the slow ones.
const SHARES: [usize; 6] = [100, 99, 95, 90, 75, 50];

/// How the means of two classes differ.
#[derive(Clone, Copy, Default)]
pub(crate) struct Difference {
    /// By how much the first is larger.
    pub(crate) means: f64,
    /// Welch's t of that.
    pub(crate) t: f64,
}

/// The difference whose t is furthest from 0, over the shares of the calls.
pub(crate) fn largest(classes: &[Vec<u64>; 2]) -> Difference {
    let mut all: Vec<u64> = classes.iter().flatten().copied().collect();
    all.sort_unstable();
    let mut largest = Difference::default();
    for share in SHARES {
        let Some(limit) = all.get((all.len() * share / 100).saturating_sub(1)) else {
            continue;
        };
        let [one, other] = classes.each_ref().map(|times| {
            let times = times.iter().filter(|time| *time <= limit);
            Sample::of(times.copied())
        });
        let t = t(&one, &other);
        if t.abs() > largest.t.abs() {
            let means = one.mean - other.mean;
            largest = Difference { means, t };
        }
    }
    largest
}

/// What the test needs of a class.
struct Sample {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Sample {
    /// By Welford's way of adding them up, which loses no digits.
    fn of(times: impl Iterator<Item = u64>) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for time in times.map(as_f64) {
            count += 1.0;
            let away = time - mean;
            mean += away / count;
            squares += away * (time - mean);
        }
        Self {
            count,
            mean,
            variance: squares / (count - 1.0),
        }
    }
}

fn t(one: &Sample, other: &Sample) -> f64 {
    let difference = one.mean - other.mean;
    let error = (one.variance / one.count + other.variance / other.count).sqrt();
    if difference == 0.0 {
        0.0
    } else {
        difference / error
    }
}

#[expect(clippy::cast_precision_loss, reason = "times are of few digits")]
pub(crate) fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testkit::SeededRandom;

    #[test]
    fn t_is_what_one_computes_by_hand() {
        // Means 3 and 6, variances 2.5 and 10, five of each: -3 / sqrt(0.5 + 2).
        let one = Sample::of([1, 2, 3, 4, 5].into_iter());
        let other = Sample::of([2, 4, 6, 8, 10].into_iter());
        assert!((t(&one, &other) + 1.897_366_6).abs() < 1e-6);
        assert_eq!(t(&one, &one).to_bits(), 0.0_f64.to_bits());
    }

    /// Times around 1,000, of which one class takes `more` and one in a hundred is interrupted.
    fn times(more: u64) -> [Vec<u64>; 2] {
        let mut random = SeededRandom::new(9);
        [0, more].map(|more| {
            let time = |_| {
                let interrupted = if random.below(100) == 0 { 50_000 } else { 0 };
                1_000 + more + random.next_u64() % 64 + interrupted
            };
            (0..20_000).map(time).collect()
        })
    }

    #[test]
    fn a_difference_that_is_small_beside_the_noise_is_found_and_none_is_not() {
        let (none, two) = (largest(&times(0)), largest(&times(2)));
        assert!(none.t.abs() < 4.5, "{}", none.t);
        assert!(two.t < -4.5 && (two.means + 2.0).abs() < 1.0, "{}", two.t);
    }
}
