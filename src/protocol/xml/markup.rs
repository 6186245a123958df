//! The small markup: references, the XML declaration, processing instructions (XML 1.0 §4.1, §2.8, §2.6).

use super::characters::{is_char, is_ncname, is_space};
use super::reject::XmlRule;
use super::tree::Span;

/// Decodes what stands between `&` and `;`: a character reference, or one of the five entities (§4.6).
pub(super) fn decode_reference(name: &str) -> Result<char, XmlRule> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ if is_ncname(name) => Err(XmlRule::UnknownEntity),
            _ => Err(XmlRule::BadReference),
        };
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (number, 10),
    };
    // The check keeps out the sign that the conversion would take.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(XmlRule::BadReference);
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| XmlRule::BadReference)?;
    char::from_u32(code).filter(|&c| is_char(c)).ok_or(XmlRule::IllegalCharacter)
}

/// Checks the XML declaration (productions 23 to 26, 32, 80); `declaration` is what stands between `<?` and
/// `?>`, `source` the whole document.
///
/// The bytes are UTF-8 already. A label that names another encoding is taken only where the bytes mean the
/// same in both, that is a superset of ASCII over pure ASCII; UTF-7 and UTF-16 are no such sets.
pub(super) fn check_declaration(declaration: &str, source: &str) -> Result<(), XmlRule> {
    let mut rest = declaration.strip_prefix("xml").ok_or(XmlRule::BadDeclaration)?;
    let version = pseudo_attribute(&mut rest, "version")?.ok_or(XmlRule::BadDeclaration)?;
    if version != "1.0" {
        return Err(XmlRule::BadDeclaration);
    }
    if let Some(encoding) = pseudo_attribute(&mut rest, "encoding")? {
        let one_of = |names: &[&str]| names.iter().any(|known| encoding.eq_ignore_ascii_case(known));
        let superset = one_of(&["US-ASCII", "ASCII", "ISO-8859-1", "ISO-8859-15", "windows-1252"]);
        let utf8 = one_of(&["UTF-8", "UTF8"]);
        if !utf8 && (!superset || !source.is_ascii()) {
            return Err(XmlRule::ForeignEncoding);
        }
    }
    if let Some(standalone) = pseudo_attribute(&mut rest, "standalone")?
        && !matches!(standalone, "yes" | "no")
    {
        return Err(XmlRule::BadDeclaration);
    }
    if rest.bytes().all(is_space) { Ok(()) } else { Err(XmlRule::BadDeclaration) }
}

/// Takes `name="value"` from the front of `rest`, if it stands there behind white space.
fn pseudo_attribute<'r>(rest: &mut &'r str, name: &str) -> Result<Option<&'r str>, XmlRule> {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let trimmed = rest.trim_start_matches(space);
    let Some(behind) = trimmed.strip_prefix(name) else { return Ok(None) };
    if trimmed.len() == rest.len() {
        return Err(XmlRule::BadDeclaration);
    }
    let behind = behind.trim_start_matches(space).strip_prefix('=').ok_or(XmlRule::BadDeclaration)?;
    let quoted = behind.trim_start_matches(space);
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(XmlRule::BadDeclaration)?;
    let (value, behind) =
        quoted.get(1..).and_then(|value| value.split_once(quote)).ok_or(XmlRule::BadDeclaration)?;
    *rest = behind;
    Ok(Some(value))
}

/// Splits the processing instruction in `from..to` of the source into target and data (productions 16, 17).
pub(super) fn instruction(source: &str, from: usize, to: usize) -> Result<(Span, Span), XmlRule> {
    let content = source.get(from..to).ok_or(XmlRule::BadInstruction)?;
    let target_length = content.bytes().position(is_space).unwrap_or(content.len());
    let (target, rest) = content.split_at_checked(target_length).ok_or(XmlRule::BadInstruction)?;
    // Namespaces in XML 1.0 §7: a target has no colon.
    if !is_ncname(target) || target.eq_ignore_ascii_case("xml") {
        return Err(XmlRule::BadInstruction);
    }
    let space = rest.bytes().position(|b| !is_space(b)).unwrap_or(rest.len());
    Ok((Span::new(from, from + target_length), Span::new(from + target_length + space, to)))
}
