//! Gaps in rows as sums of the widths of fill cells.

/// Widths that fill a gap, the widest first as far as the rest can still be filled; none if no sum of them does.
/// `widths` are in sites, above 0, and may be in any order.
pub(super) fn parts(gap: i64, widths: &[i64]) -> Option<Vec<i64>> {
    let gap = usize::try_from(gap).ok()?;
    let mut by_width: Vec<usize> = widths.iter().filter_map(|width| usize::try_from(*width).ok()).collect();
    by_width.retain(|width| *width > 0);
    by_width.sort_unstable_by(|a, b| b.cmp(a));
    // What can be filled up to each number of sites.
    let mut fillable = vec![false; gap + 1];
    fillable[0] = true;
    for sites in 1..=gap {
        fillable[sites] = by_width.iter().any(|width| *width <= sites && fillable[sites - width]);
    }
    let mut parts = Vec::new();
    let mut left = gap;
    while left > 0 {
        let width = by_width.iter().find(|width| **width <= left && fillable[left - **width])?;
        parts.push(*width as i64);
        left -= width;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_come_first_as_far_as_the_rest_can_be_filled() {
        assert_eq!(parts(11, &[1, 2, 4]), Some(vec![4, 4, 2, 1]));
        assert_eq!(parts(4, &[2, 3]), Some(vec![2, 2]));
        assert_eq!(parts(7, &[3, 2]), Some(vec![3, 2, 2]));
        assert_eq!(parts(9, &[3, 5]), Some(vec![3, 3, 3]));
        assert_eq!(parts(1, &[2, 3]), None);
        assert_eq!(parts(0, &[]), Some(vec![]));
        assert_eq!((parts(5, &[]), parts(-1, &[1]), parts(2, &[0])), (None, None, None));
    }
}
