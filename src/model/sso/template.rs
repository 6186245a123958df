//! Templates of the autoprovisioning mapping: how a user's field is made from an assertion's attributes.
//!
//! Text is copied; `{Name}` is replaced by the value of the attribute of that name; `{NameID}` is the
//! subject's NameID; `{Name|lower}`, `{Name|upper}`, `{Name|dns}` and `{Name|before @}` change the value on
//! its way in, and several may follow each other. In a Glance Address every value goes through `dns`.
//! `{{` and `}}` are literal braces. The syntax is ours: the
//! vendor's is not public (wire contract §3.8).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A template that was read once. The empty one maps nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Attribute { name: String, filters: Vec<Filter> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    Lower,
    Upper,
    /// What a Glance Address may hold: accents dropped, everything else than letters, digits, `.` and `-`
    /// becomes `-`, lower case.
    Dns,
    /// What stands before the first of this text; all of it when that does not occur.
    Before(String),
    /// What stands after the first of this text; all of it when that does not occur.
    After(String),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError(pub String);

/// Why a template could not be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// The assertion has no such attribute, or only empty values of it.
    Missing(String),
    /// The attribute has several values, and nobody said which.
    Several(String),
}

/// The name that stands for the subject's NameID.
pub const NAME_ID: &str = "NameID";

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence that says which brace or filter is wrong.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                text.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                text.push('}');
                rest = after;
            } else if let Some(after) = from.strip_prefix('{') {
                let (inside, after) = after
                    .split_once('}')
                    .ok_or_else(|| TemplateError("A { has no }. Write {{ for a literal brace.".to_owned()))?;
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(attribute(inside)?);
                rest = after;
            } else {
                return Err(TemplateError("A } has no {. Write }} for a literal brace.".to_owned()));
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Template { source: source.to_owned(), pieces })
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The names of the attributes that it needs, NameID among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Attribute { name, .. } => Some(name.as_str()),
        })
    }

    /// Fills the template; `values` gives the values of an attribute. White space around a value is dropped.
    ///
    /// # Errors
    /// The first attribute that has no value, or several different ones.
    pub fn fill(&self, values: impl Fn(&str) -> Vec<String>) -> Result<String, Unfilled> {
        self.fill_each(values, |value| value)
    }

    /// Fills the template for a Glance Address: each value also goes through `dns`.
    ///
    /// # Errors
    /// Those of [`Template::fill`].
    pub fn fill_address(&self, values: impl Fn(&str) -> Vec<String>) -> Result<String, Unfilled> {
        self.fill_each(values, |value| as_address_part(&value))
    }

    fn fill_each(
        &self,
        values: impl Fn(&str) -> Vec<String>,
        finish: fn(String) -> String,
    ) -> Result<String, Unfilled> {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Attribute { name, filters } => {
                    let mut found: Vec<String> = values(name).iter().map(|v| v.trim().to_owned()).collect();
                    found.retain(|value| !value.is_empty());
                    found.dedup();
                    let value = match found.as_slice() {
                        [] => return Err(Unfilled::Missing(name.clone())),
                        [one] => one.clone(),
                        _ => return Err(Unfilled::Several(name.clone())),
                    };
                    let value = filters.iter().fold(value, |value, filter| filter.apply(&value));
                    filled.push_str(&finish(value));
                }
            }
        }
        Ok(filled)
    }
}

fn attribute(inside: &str) -> Result<Piece, TemplateError> {
    let mut parts = inside.split('|');
    let name = parts.next().unwrap_or_default().trim();
    if name.is_empty() {
        return Err(TemplateError("{} names no attribute.".to_owned()));
    }
    let filters = parts.map(Filter::parse).collect::<Result<_, _>>()?;
    Ok(Piece::Attribute { name: name.to_owned(), filters })
}

impl Filter {
    fn parse(text: &str) -> Result<Filter, TemplateError> {
        let text = text.trim();
        let argument = |word: &str| {
            text.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).filter(|rest| !rest.is_empty())
        };
        match text {
            "lower" => Ok(Filter::Lower),
            "upper" => Ok(Filter::Upper),
            "dns" => Ok(Filter::Dns),
            _ => match (argument("before"), argument("after")) {
                (Some(mark), _) => Ok(Filter::Before(mark.to_owned())),
                (_, Some(mark)) => Ok(Filter::After(mark.to_owned())),
                _ => Err(TemplateError(format!(
                    "There is no filter “{text}”: lower, upper, dns, before TEXT and after TEXT exist."
                ))),
            },
        }
    }

    fn apply(&self, value: &str) -> String {
        match self {
            Filter::Lower => value.to_lowercase(),
            Filter::Upper => value.to_uppercase(),
            Filter::Dns => as_address_part(value),
            Filter::Before(mark) => value.split_once(mark.as_str()).map_or(value, |(b, _)| b).to_owned(),
            Filter::After(mark) => value.split_once(mark.as_str()).map_or(value, |(_, a)| a).to_owned(),
        }
    }
}

/// Makes `value` fit into a Glance Address.
pub fn as_address_part(value: &str) -> String {
    let mut part = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            'a'..='z' | '0'..='9' | '.' | '-' => part.push(letter),
            'A'..='Z' => part.push(letter.to_ascii_lowercase()),
            '\'' | '’' => {}
            _ => part.push_str(plain(letter)),
        }
    }
    let mut clean = String::with_capacity(part.len());
    for letter in part.chars() {
        let repeated = matches!(letter, '.' | '-') && clean.ends_with(['.', '-']);
        if !repeated {
            clean.push(letter);
        }
    }
    clean.trim_matches(['.', '-']).to_owned()
}

/// The nearest ASCII letters of the Latin letters that European names have; `-` for all others.
fn plain(letter: char) -> &'static str {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'ą' | 'ă' => "a",
        'å' => "aa",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ő' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "-",
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        let source = String::deserialize(deserializer)?;
        Template::parse(&source).map_err(|e| serde::de::Error::custom(e.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(template: &str, expected: Result<&str, Unfilled>) {
        let values = |name: &str| -> Vec<String> {
            let found: &[&str] = match name {
                "FirstName" => &[" Jörg "],
                "LastName" => &["O’Neill Ångström"],
                "mail" => &["j.oneill@example.com"],
                "groups" => &["a", "b"],
                "blank" => &[" "],
                NAME_ID => &["jo"],
                _ => &[],
            };
            found.iter().map(|&v| v.to_owned()).collect()
        };
        let got = Template::parse(template).unwrap().fill(values);
        assert_eq!(got, expected.map(str::to_owned), "{template}");
    }

    #[test]
    fn a_template_is_filled_from_attributes() {
        check("{FirstName}", Ok("Jörg"));
        check(
            "{FirstName|dns}.{LastName|dns}.example.glance.net",
            Ok("joerg.oneill-aangstroem.example.glance.net"),
        );
        check("{mail|before @}.example.glance.net", Ok("j.oneill.example.glance.net"));
        check("{mail|after @|upper}", Ok("EXAMPLE.COM"));
        check("{NameID}", Ok("jo"));
        check("{{{NameID}}}", Ok("{jo}"));
        check("Agents", Ok("Agents"));
        check("", Ok(""));
        check("{unknown}", Err(Unfilled::Missing("unknown".into())));
        check("{blank}", Err(Unfilled::Missing("blank".into())));
        check("{groups}", Err(Unfilled::Several("groups".into())));
    }

    #[test]
    fn an_address_is_made_of_what_addresses_may_hold() {
        let values = |name: &str| vec![if name == "FirstName" { "Jörg" } else { "van der Berg" }.to_owned()];
        let template = Template::parse("{FirstName}.{LastName}.example.glance.net").unwrap();
        assert_eq!(template.fill_address(values).as_deref(), Ok("joerg.van-der-berg.example.glance.net"));
    }

    #[test]
    fn a_broken_template_says_what_is_wrong() {
        for (template, part) in [
            ("{FirstName", "no }"),
            ("FirstName}", "no {"),
            ("{}", "names no attribute"),
            ("{a|shout}", "no filter"),
            ("{a|before}", "no filter"),
        ] {
            let error = Template::parse(template).err().unwrap();
            assert!(error.0.contains(part), "{template}: {}", error.0);
        }
    }
}
