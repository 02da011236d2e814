//! The order of records with priorities and weights, RFC 2782 and RFC 7553 §4.

/// A record's place among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weighted<T> {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) value: T,
}

/// Lower priorities first; within one priority by lot, in which a record wins in proportion to its
/// weight. `draw` returns a number from zero to its argument, both included.
pub(super) fn in_order<T>(
    mut records: Vec<Weighted<T>>,
    mut draw: impl FnMut(u32) -> u32,
) -> Vec<T> {
    // Those of weight zero come first in their priority: they win only where the draw is zero.
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let same = || records.iter().take_while(|r| r.priority == priority);
        let total = same().fold(0_u32, |sum, r| sum.saturating_add(r.weight.into()));
        let drawn = draw(total);
        let mut sum = 0_u32;
        let winner = same().position(|record| {
            sum = sum.saturating_add(record.weight.into());
            sum >= drawn
        });
        ordered.push(records.remove(winner.unwrap_or_default()).value);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(priority: u16, weight: u16, value: &'static str) -> Weighted<&'static str> {
        Weighted {
            priority,
            weight,
            value,
        }
    }

    #[test]
    fn lower_priorities_come_first_whatever_their_weights() {
        let records = || vec![record(20, 9, "c"), record(10, 0, "b"), record(5, 1, "a")];
        for drawn in [0, u32::MAX] {
            assert_eq!(in_order(records(), |most| drawn.min(most)), ["a", "b", "c"]);
        }
    }

    #[test]
    fn draw_decides_in_proportion_to_the_weights() {
        let first = |drawn: u32| {
            let records = vec![record(0, 3, "a"), record(0, 0, "zero"), record(0, 1, "b")];
            let mut draws = [drawn, 0, 0].into_iter();
            in_order(records, |most| draws.next().unwrap().min(most))[0]
        };
        // Of the five draws that are possible, three are for the weight of 3.
        assert_eq!([0, 1, 2, 3, 4].map(first), ["zero", "a", "a", "a", "b"]);
    }

    #[test]
    fn no_record_is_lost_and_the_largest_weights_do_not_overflow() {
        let records: Vec<_> = (0..100)
            .map(|n| Weighted {
                priority: 1,
                weight: u16::MAX,
                value: n,
            })
            .collect();
        let mut ordered = in_order(records, |most| most / 2);
        ordered.sort_unstable();
        assert_eq!(ordered, (0..100).collect::<Vec<_>>());
    }
}
