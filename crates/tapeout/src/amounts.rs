//! Sizes and ages as people write them: `1.5G`, `500M`, `30d`, `12h`.

use std::time::Duration;

const SIZES: [(&str, f64); 5] = [
    ("", 1.0),
    ("K", 1024.0),
    ("M", 1024.0 * 1024.0),
    ("G", 1024.0 * 1024.0 * 1024.0),
    ("T", 1024.0 * 1024.0 * 1024.0 * 1024.0),
];

const AGES: [(&str, f64); 5] = [("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0)];

/// Bytes: a number with K, M, G or T, powers of 1024, also written KiB, MiB, ….
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; expected bytes, or a number with K, M, G or T as in `1.5G`");
    let short = text.strip_suffix("iB").unwrap_or(text);
    let bytes = number(short, &SIZES).ok_or_else(wrong)?;
    if short.len() < text.len() && short.ends_with(|last: char| last.is_ascii_digit()) {
        return Err(wrong());
    }
    Ok(bytes as u64)
}

/// A time that has gone by: a number with s, m (minutes), h, d or w.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let seconds = number(text, &AGES);
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        format!("`{text}` is no age; expected a number with s, m (minutes), h, d or w as in `30d` or `12h`")
    })
}

/// A number of units that is not negative.
fn number(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    digits.parse::<f64>().ok().map(|count| count * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_what_people_mean() {
        let sizes = [("0", 0), ("512", 512), ("1.5G", 3 << 29), ("500M", 500 << 20), ("2k", 2048), ("1TiB", 1 << 40)];
        for (text, bytes) in sizes {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1GB", "1 G", "1e3", "1.2.3", "5iB", "5d", "∞"] {
            assert!(size(text).is_err_and(|words| words.starts_with(&format!("`{text}` is no size"))), "{text}");
        }
        for (text, seconds) in [("0s", 0), ("90s", 90), ("1.5h", 5400), ("30d", 2_592_000), ("2w", 1_209_600)] {
            assert_eq!(age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "30", "d", "-1d", "1 d", "1y", "1e3d", "99999999999999999999999w"] {
            assert!(age(text).is_err_and(|words| words.starts_with(&format!("`{text}` is no age"))), "{text}");
        }
    }
}
