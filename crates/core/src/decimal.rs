//! Decimal numbers as text, read to the nearest 64-bit float.
//!
//! Owns the syntax `-12.5e3` and its exact conversion. Must not know locales, units or what a number is for.
//!
//! Most numbers of a sheet are short: their digits fit into 53 bits and their power of ten into 22, so one exact
//! multiplication or division gives the correctly rounded result (W. Clinger, "How to Read Floating Point Numbers
//! Accurately", 1990). That avoids the 64-bit integer arithmetic of the general reader, which is slow where the core
//! runs as a translated script. The rest goes to the language's own reader.

/// Powers of ten that a 64-bit float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// Whole numbers below this are exact: 2^53.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;
/// Decimal digits that always fit into 53 bits.
const EXACT_DIGITS_MAX: u32 = 15;
/// Largest exponent that is read; anything further out is no finite number that a sheet holds.
const EXPONENT_MAX: i32 = 400;

/// Reads `text` as a decimal number: an optional sign, digits with at most one point (`.5` is allowed, `5.` is not), an
/// optional exponent. `None` for anything else, and for what no finite float holds.
pub fn parse(text: &str) -> Option<f64> {
    parse_scaled(text, 0)
}

/// Reads `text` × 10^`scale`, rounded once: `parse_scaled("0.07", 2)` is 7, where `0.07 * 100.0` is not.
pub fn parse_scaled(text: &str, scale: i32) -> Option<f64> {
    let bytes = text.as_bytes();
    let (negative, mut at) = match bytes.first()? {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let mut mantissa = 0.0_f64;
    let mut digits = 0_u32;
    let mut fraction = 0_i32;
    let mut seen = false;
    let mut in_fraction = false;
    loop {
        match bytes.get(at) {
            Some(digit @ b'0'..=b'9') => {
                seen = true;
                if digits > 0 || *digit != b'0' {
                    digits += 1;
                }
                mantissa = mantissa * 10.0 + f64::from(digit - b'0');
                if in_fraction {
                    fraction += 1;
                }
            }
            Some(b'.') if !in_fraction && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                in_fraction = true;
            }
            _ => break,
        }
        at += 1;
    }
    if !seen {
        return None;
    }
    let number_end = at;
    let mut exponent = 0_i32;
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        let down = match bytes.get(at) {
            Some(b'-') => {
                at += 1;
                true
            }
            Some(b'+') => {
                at += 1;
                false
            }
            _ => false,
        };
        let start = at;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            exponent = (exponent * 10 + i32::from(digit - b'0')).min(EXPONENT_MAX);
            at += 1;
        }
        if at == start {
            return None;
        }
        if down {
            exponent = -exponent;
        }
    }
    if at != bytes.len() {
        return None;
    }
    let power = exponent + scale - fraction;
    if digits <= EXACT_DIGITS_MAX && power.unsigned_abs() < POWERS.len() as u32 {
        let factor = POWERS[power.unsigned_abs() as usize];
        let value = if power < 0 {
            mantissa / factor
        } else {
            mantissa * factor
        };
        return Some(if negative { -value } else { value });
    }
    let value = if scale == 0 {
        text.parse::<f64>()
    } else {
        let mut shifted = String::with_capacity(number_end + 6);
        shifted.push_str(&text[..number_end]);
        shifted.push('e');
        shifted.push_str(&(exponent + scale).to_string());
        shifted.parse::<f64>()
    };
    value.ok().filter(|value| value.is_finite())
}

/// Writes a finite number so that [`parse`] gives it back: plain notation, as few decimals as fit into 22, else an
/// exponent and 17 digits, which tell every 64-bit float apart (D. Goldberg, "What Every Computer Scientist Should Know
/// About Floating-Point Arithmetic", 1991, theorem 15). Numbers of a sheet are short; the language's own writer, which
/// finds the shortest form of every number, is a large part of the sandbox program.
pub fn write(value: f64) -> String {
    write_near(value, &|read| read == value.abs())
}

/// Writes a whole number, without the language's formatter and its 64-bit arithmetic.
pub fn whole(number: u32) -> String {
    let mut digits = [0_u8; 10];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    digits[at..].iter().copied().map(char::from).collect()
}

/// Writes a 32-bit float in the fewest decimals that tell it apart from its neighbours: `0.1`, not
/// `0.10000000149011612`.
pub fn write_32(value: f32) -> String {
    write_near(f64::from(value), &|read| read as f32 == value.abs())
}

/// Writes a number near `value` in the fewest decimals for which `is_same` holds; it is asked about sizes, without the
/// sign. Where none is found, the number itself.
pub fn write_near(value: f64, is_same: &dyn Fn(f64) -> bool) -> String {
    let mut text = String::new();
    let size = value.abs();
    if value.is_sign_negative() {
        text.push('-');
    }
    if size < f64::from(u32::MAX) && f64::from(size as u32) == size {
        text.push_str(&whole(size as u32));
        return text;
    }
    for (decimals, power) in POWERS.iter().enumerate() {
        // What is exact here is read by one exact division, so it comes back as it was.
        let digits = (size * power).round();
        if digits >= EXACT_INTEGER_MAX {
            break;
        }
        if is_same(digits / power) {
            let all = (digits as u64).to_string();
            let zeros = (decimals + 1).saturating_sub(all.len());
            let padded = ["0".repeat(zeros).as_str(), &all].concat();
            let (whole, fraction) = padded.split_at(padded.len() - decimals);
            text.push_str(whole);
            if !fraction.is_empty() {
                text.push('.');
                text.push_str(fraction);
            }
            return text;
        }
    }
    let (digits, exponent) = seventeen_digits(size);
    text.push_str(&digits);
    text.push('e');
    text.push_str(&exponent.to_string());
    text
}

/// The number as 17 decimal digits and a power of ten, rounded to nearest.
fn seventeen_digits(size: f64) -> (String, i32) {
    // size = mantissa × 2^exponent, both whole.
    let bits = size.to_bits();
    let stored = (bits >> 52) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, mut exponent) = match stored {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, stored - 1075),
    };
    // Decimal digits, least first, times 10^tens: multiplying by 2, and by 5 with one ten less for a half.
    let mut digits: Vec<u8> = mantissa
        .to_string()
        .bytes()
        .rev()
        .map(|byte| byte - b'0')
        .collect();
    let mut tens = 0;
    while exponent != 0 {
        let factor = if exponent > 0 { 2 } else { 5 };
        if exponent > 0 {
            exponent -= 1;
        } else {
            exponent += 1;
            tens -= 1;
        }
        let mut carry = 0;
        for digit in &mut digits {
            let product = *digit * factor + carry;
            *digit = product % 10;
            carry = product / 10;
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    const DIGITS: usize = 17;
    if digits.len() > DIGITS {
        let dropped = digits.len() - DIGITS;
        let up = digits[dropped - 1] >= 5;
        digits.drain(..dropped);
        tens += dropped as i32;
        let mut at = 0;
        while up && at < digits.len() {
            if digits[at] < 9 {
                digits[at] += 1;
                break;
            }
            digits[at] = 0;
            at += 1;
        }
        if up && at == digits.len() {
            digits.push(1);
        }
    }
    let text = digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    (text, tens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_decimal_numbers_are_read() {
        for text in [
            "", "-", ".", "5.", "1e", "1e+", "inf", "NaN", "0x1", "1_0", "1.2.3", " 1", "1e999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(".5"), Some(0.5));
        assert_eq!(parse("+1e3"), Some(1000.0));
        assert_eq!(parse_scaled("0.07", 2), Some(7.0));
        assert_eq!(
            parse_scaled("0.12345678901234567", 2),
            Some(12.345678901234567)
        );
    }

    proptest! {
        #[test]
        fn as_the_language_reads_it(text in "[+-]?[0-9]{0,20}(\\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?") {
            let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
            prop_assert_eq!(parse(&text).map(f64::to_bits), expected.map(f64::to_bits));
        }

        #[test]
        fn what_is_written_comes_back(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            let text = write(value);
            prop_assert_eq!(parse(&text).map(f64::to_bits), Some(value.to_bits()), "{}", text);
        }

        #[test]
        fn a_32_bit_float_comes_back(value in proptest::num::f32::NORMAL) {
            let value = f64::from(value);
            prop_assert_eq!(parse(&write(value)).map(f64::to_bits), Some(value.to_bits()));
            let short = write_32(value as f32);
            prop_assert_eq!(parse(&short).map(|read| (read as f32).to_bits()), Some((value as f32).to_bits()), "{}", short);
        }

        #[test]
        fn a_short_number_is_written_as_it_is_typed(whole in 0_u32..1_000_000, decimals in 0_u32..1_000) {
            let typed = if decimals == 0 { whole.to_string() } else { format!("{whole}.{decimals:03}").trim_end_matches('0').to_string() };
            prop_assert_eq!(write(typed.parse().expect("a number")), typed);
        }

        #[test]
        fn any_float_comes_back(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            prop_assert_eq!(parse(&value.to_string()).map(f64::to_bits), Some(value.to_bits()));
        }
    }
}
