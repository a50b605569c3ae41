//! Numbers as people write them.
//!
//! Owns the fewest decimals that give a number back. Must not know units.

/// The shortest text of a number, without an exponent. One that Figma has kept, and so has rounded to 32 bits, is written
/// with the decimals that 32 bits need: `0.1`, not `0.10000000149011612`.
pub(crate) fn text(number: f64) -> String {
    let narrow = number as f32;
    // Minus zero is zero to everyone.
    if number == 0.0 {
        String::from("0")
    } else if f64::from(narrow) == number {
        narrow.to_string()
    } else {
        number.to_string()
    }
}

/// A fraction as percents, rounded once: 0.07 × 100 would be 7.000000000000001.
pub(crate) fn percent(fraction: f64) -> String {
    let percents = [&fraction.to_string(), "e2"].concat().parse();
    [&text(percents.unwrap_or(fraction * 100.0)), "%"].concat()
}
