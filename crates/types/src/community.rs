// SPDX-License-Identifier: Apache-2.0
//! BGP communities (RFC 1997) and large communities (RFC 8092).

use std::{fmt, str::FromStr};

/// A standard community: `A:B`, each 0 to 65535 (RFC 1997).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StandardCommunity(pub u32);

/// A large community: `G:L1:L2`, each four octets (RFC 8092).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity {
    /// Global Administrator.
    pub global: u32,
    /// Local Data Part 1.
    pub local1: u32,
    /// Local Data Part 2.
    pub local2: u32,
}

/// A community of either form. Standard ones sort before large ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Community {
    /// RFC 1997.
    Standard(StandardCommunity),
    /// RFC 8092.
    Large(LargeCommunity),
}

/// Why a text is no community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommunityError {
    /// Neither two parts, nor four: it may still be the name of an alias.
    Shape,
    /// Four parts whose first is not the word `large`.
    NotLarge,
    /// A part is not a decimal number that fits its field.
    Number,
}

impl fmt::Display for CommunityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "it has neither the form A:B nor large:G:L1:L2",
            Self::NotLarge => "a community of four parts begins with the word `large`",
            Self::Number => {
                "a part is not a decimal number in range (0 to 65535 in A:B, 0 to 4294967295 in large:G:L1:L2)"
            }
        })
    }
}

impl std::error::Error for CommunityError {}

impl FromStr for Community {
    type Err = CommunityError;

    /// `A:B`, or `large:G:L1:L2`. Decimal digits only: no sign, no spaces.
    fn from_str(text: &str) -> Result<Self, CommunityError> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            [a, b] => {
                let (a, b) = (number::<u16>(a)?, number::<u16>(b)?);
                Ok(Self::Standard(StandardCommunity(
                    u32::from(a) << 16 | u32::from(b),
                )))
            }
            ["large", global, local1, local2] => Ok(Self::Large(LargeCommunity {
                global: number(global)?,
                local1: number(local1)?,
                local2: number(local2)?,
            })),
            [_, _, _, _] => Err(CommunityError::NotLarge),
            _ => Err(CommunityError::Shape),
        }
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, CommunityError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CommunityError::Number);
    }
    text.parse().map_err(|_| CommunityError::Number)
}

impl fmt::Display for StandardCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff)
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "large:{}:{}:{}", self.global, self.local1, self.local2)
    }
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(community) => community.fmt(f),
            Self::Large(community) => community.fmt(f),
        }
    }
}

impl serde::Serialize for Community {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let table: &[(&str, Result<&str, CommunityError>)] = &[
            ("1111:2222", Ok("1111:2222")),
            ("65535:65281", Ok("65535:65281")),
            ("large:1:2:4294967295", Ok("large:1:2:4294967295")),
            ("1234", Err(CommunityError::Shape)),
            ("1:2:3", Err(CommunityError::Shape)),
            ("no-export", Err(CommunityError::Shape)),
            ("99999999:1", Err(CommunityError::Number)),
            ("1:99999999", Err(CommunityError::Number)),
            ("+1:2", Err(CommunityError::Number)),
            ("1:", Err(CommunityError::Number)),
            ("lar:123:9999:123", Err(CommunityError::NotLarge)),
            ("large:1:x:3", Err(CommunityError::Number)),
            ("large:1:2:4294967296", Err(CommunityError::Number)),
        ];
        for (text, want) in table {
            let got = text.parse::<Community>().map(|c| c.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn standard_before_large() {
        let standard: Community = "65535:65535".parse().unwrap();
        let large: Community = "large:0:0:0".parse().unwrap();
        assert!(standard < large);
    }
}
