// SPDX-License-Identifier: Apache-2.0
//! Which object, and which version of it, in few bytes: a speaker knows tens of thousands of Services.

use ferrolb_kube_io::Meta;

/// The uid and the resourceVersion of an object. To us both are texts that are equal or not; nearly all are
/// a UUID and a number, and are kept as these.
#[derive(Debug)]
pub(super) struct Version {
    uid: Uid,
    version: Revision,
}

#[derive(Debug)]
enum Uid {
    Uuid([u8; 16]),
    Other(Box<str>),
}

#[derive(Debug)]
enum Revision {
    Number(u64),
    Other(Box<str>),
}

impl Version {
    /// Of the object this came with.
    pub(super) fn of(meta: &Meta) -> Self {
        Self {
            uid: Uid::new(&meta.uid),
            version: Revision::new(&meta.resource_version),
        }
    }

    /// The texts again.
    pub(super) fn meta(&self) -> Meta {
        Meta {
            uid: self.uid.text(),
            resource_version: self.version.text(),
            generation: None,
        }
    }

    /// Whether the resourceVersion is this one.
    pub(super) fn is_at(&self, version: &str) -> bool {
        *self.version.text() == *version
    }

    /// The resourceVersion is now this one.
    pub(super) fn advance(&mut self, version: &str) {
        self.version = Revision::new(version);
    }
}

impl Uid {
    fn new(text: &str) -> Self {
        let digits: String = text.split('-').collect();
        let number = u128::from_str_radix(&digits, 16).unwrap_or_default();
        let uid = Self::Uuid(number.to_be_bytes());
        if *uid.text() == *text {
            uid
        } else {
            Self::Other(text.into())
        }
    }

    fn text(&self) -> Box<str> {
        let bytes = match self {
            Self::Uuid(bytes) => bytes,
            Self::Other(text) => return text.clone(),
        };
        let mut text = format!("{:032x}", u128::from_be_bytes(*bytes));
        for hyphen in [8, 13, 18, 23] {
            text.insert(hyphen, '-');
        }
        text.into()
    }
}

impl Revision {
    fn new(text: &str) -> Self {
        match text.parse() {
            Ok(number) if u64::to_string(&number) == text => Self::Number(number),
            _ => Self::Other(text.into()),
        }
    }

    fn text(&self) -> Box<str> {
        match self {
            Self::Number(number) => number.to_string().into(),
            Self::Other(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_out_as_it_went_in() {
        let uids = [
            "0b4fa4a5-8a0e-4d0c-9a50-5b7f2f9d2c11",
            "0B4FA4A5-8a0e-4d0c-9a50-5b7f2f9d2c11",
            "00000000-0000-0000-0000-000000000000",
            "0b4fa4a58a0e4d0c9a505b7f2f9d2c11",
            "+b4fa4a5-8a0e-4d0c-9a50-5b7f2f9d2c11",
            "grüße",
            "",
        ];
        let versions = ["0", "12345", "007", "+7", "18446744073709551616", "a", ""];
        for (uid, version) in uids.into_iter().zip(versions) {
            let meta = Meta {
                uid: uid.into(),
                resource_version: version.into(),
                generation: None,
            };
            let kept = Version::of(&meta);
            assert_eq!(kept.meta(), meta);
            assert!(kept.is_at(version) && !kept.is_at("1"));
        }
        assert!(size_of::<Version>() <= 40);
    }

    #[test]
    fn a_write_advances_the_version_alone() {
        let meta = Meta {
            uid: "u".into(),
            resource_version: "1".into(),
            generation: None,
        };
        let mut kept = Version::of(&meta);
        kept.advance("2");
        assert!(kept.is_at("2") && *kept.meta().uid == *"u");
    }
}
