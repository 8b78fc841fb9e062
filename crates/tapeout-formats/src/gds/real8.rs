//! The real numbers of GDSII: a sign, an exponent of 16 in excess of 64, and a fraction of 56 bits.

/// The nearest number that a `f64` can hold.
pub(super) fn decode(bytes: [u8; 8]) -> f64 {
    let bits = u64::from_be_bytes(bytes);
    let fraction = bits & 0x00ff_ffff_ffff_ffff;
    let exponent = i32::try_from(bits >> 56 & 0x7f).unwrap_or_default() - 64;
    let magnitude = fraction as f64 * 2f64.powi(4 * exponent - 56);
    if bits >> 63 == 1 { -magnitude } else { magnitude }
}

/// The bytes of a number; `None` for one that is too large, or no number. One that is too small becomes 0.
pub(super) fn encode(number: f64) -> Option<[u8; 8]> {
    if !number.is_finite() {
        return None;
    }
    if number == 0.0 {
        return Some([0; 8]);
    }
    let bits = number.to_bits();
    let raw_exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or_default();
    if raw_exponent == 0 {
        return Some([0; 8]);
    }
    // The number is mantissa * 2^binary, with 53 bits in the mantissa.
    let mantissa = bits & 0x000f_ffff_ffff_ffff | 0x0010_0000_0000_0000;
    let binary = raw_exponent - 1075;
    // As fraction * 2^(4 * exponent - 56) with a fraction of 53 to 56 bits: its first hexadecimal digit is not 0.
    let shift = (binary + 56).rem_euclid(4);
    let exponent = (binary + 56 - shift) / 4;
    let biased = exponent + 64;
    if biased < 0 {
        // Smaller than that there are only fractions that begin with zeros.
        let zeros = biased.unsigned_abs().saturating_mul(4);
        let fraction = (mantissa << shift).checked_shr(zeros).unwrap_or_default();
        return Some((bits & 1 << 63 | fraction).to_be_bytes());
    }
    let biased = u64::try_from(biased).ok().filter(|biased| *biased < 128)?;
    Some((bits & 1 << 63 | biased << 56 | mantissa << shift).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_real_files() {
        let thousandth = [0x3e, 0x41, 0x89, 0x37, 0x4b, 0xc6, 0xa7, 0xf0];
        let nanometre = [0x39, 0x44, 0xb8, 0x2f, 0xa0, 0x9b, 0x5a, 0x54];
        assert_eq!((decode(thousandth), decode(nanometre)), (1e-3, 1e-9));
        assert_eq!((encode(1e-3), encode(1e-9)), (Some(thousandth), Some(nanometre)));
        assert_eq!(encode(1.0), Some([0x41, 0x10, 0, 0, 0, 0, 0, 0]));
        assert_eq!(encode(-90.0), Some([0xc2, 0x5a, 0, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn the_ends_of_the_range() {
        let largest = decode([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf8]);
        assert_eq!(encode(largest), Some([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf8]));
        assert_eq!((encode(largest * 2.0), encode(f64::NAN), encode(f64::INFINITY)), (None, None, None));
        let smallest = [0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!((encode(decode(smallest)), decode(smallest) > 0.0), (Some(smallest), true));
        assert_eq!(
            (encode(1e-300), encode(f64::MIN_POSITIVE / 2.0), encode(-0.0)),
            (Some([0; 8]), Some([0; 8]), Some([0; 8]))
        );
    }
}
