// SPDX-License-Identifier: Apache-2.0
//! The text of a state file.
//!
//! ```text
//! ferrolb-state 1
//! address default/web 192.0.2.1,2001:db8::1 web-pool
//! pending default/db
//! end 2 5f0c…
//! ```
//!
//! The first line names the version. `address` lines keep their first three fields for ever, so that
//! every version can read the addresses of every other; fields after them and lines with another first
//! word belong to later versions and are passed over. The last line counts the lines between and holds
//! the SHA-256 of everything before it: a file cut short anywhere, or altered, is known as damaged.

use std::{collections::BTreeMap, fmt, fmt::Write as _, net::IpAddr};

use ferrolb_types::{PoolName, ServiceKey};
use sha2::{Digest, Sha256};

/// The version this program writes.
pub const VERSION: u32 = 1;

const MAGIC: &str = "ferrolb-state";

/// What a Service holds; no addresses while it waits for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Its addresses, in the order of its status.
    pub addresses: Vec<IpAddr>,
    /// The pool they came from.
    pub pool: Option<PoolName>,
}

/// One generation of the state: every Service the controller cares for, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// By Service.
    pub services: BTreeMap<ServiceKey, Held>,
}

/// Why a text is no state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The first line is not `ferrolb-state VERSION`.
    Header,
    /// The last line is not `end COUNT SHA256`, so the file was cut short.
    Truncated,
    /// The checksum or the count does not match.
    Checksum,
    /// An `address` line cannot be read; lines count from 1.
    Line(usize),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("its first line does not say `ferrolb-state`"),
            Self::Truncated => f.write_str("its end is missing"),
            Self::Checksum => f.write_str("its checksum does not match its content"),
            Self::Line(number) => write!(f, "its line {number} cannot be read"),
        }
    }
}

impl std::error::Error for Damage {}

impl Generation {
    /// The text of this generation.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("{MAGIC} {VERSION}\n");
        for (service, held) in &self.services {
            render_line(&mut text, service, held);
        }
        let end = format!("end {} {}\n", self.services.len(), digest(&text));
        text + &end
    }

    /// Reads a text of this version or any other.
    ///
    /// # Errors
    /// [`Damage`], where the text is not whole.
    pub fn parse(text: &str) -> Result<Self, Damage> {
        let body = verify(text)?;
        let mut generation = Self::default();
        for (number, line) in body.lines().enumerate().skip(1) {
            if let Some((service, held)) = parse_line(line).ok_or(Damage::Line(number + 1))? {
                generation.services.insert(service, held);
            }
        }
        Ok(generation)
    }
}

fn render_line(text: &mut String, service: &ServiceKey, held: &Held) {
    // Writing to a String cannot fail.
    let _ = if held.addresses.is_empty() {
        writeln!(text, "pending {service}")
    } else {
        let addresses: Vec<String> = held.addresses.iter().map(ToString::to_string).collect();
        let pool = held.pool.as_ref().map_or("-", PoolName::as_str);
        writeln!(text, "address {service} {} {pool}", addresses.join(","))
    };
}

/// Checks header, count and checksum; gives the text before the `end` line.
fn verify(text: &str) -> Result<&str, Damage> {
    let header = text.lines().next().unwrap_or_default();
    let version = header
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_prefix(' '));
    version
        .and_then(|v| v.parse::<u32>().ok())
        .ok_or(Damage::Header)?;
    let whole = text.strip_suffix('\n').ok_or(Damage::Truncated)?;
    let at = whole.rfind('\n').ok_or(Damage::Truncated)? + 1;
    let (body, end) = whole.split_at_checked(at).ok_or(Damage::Truncated)?;
    let mut fields = end.split(' ');
    let (Some("end"), Some(count), Some(sum)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(Damage::Truncated);
    };
    let lines = body.lines().count().saturating_sub(1);
    if count.parse() != Ok(lines) || sum != digest(body) {
        return Err(Damage::Checksum);
    }
    Ok(body)
}

/// `Some(None)` for a line of a later version, `None` for one that should be readable and is not.
fn parse_line(line: &str) -> Option<Option<(ServiceKey, Held)>> {
    let mut fields = line.split(' ');
    match fields.next() {
        Some("address") => {
            let service = service(fields.next()?)?;
            let listed = fields.next()?.split(',');
            let addresses = listed
                .map(|text| text.parse().ok())
                .collect::<Option<Vec<_>>>()?;
            let pool = fields
                .next()
                .filter(|name| *name != "-")
                .map(PoolName::from);
            Some(Some((service, Held { addresses, pool })))
        }
        Some("pending") => Some(Some((service(fields.next()?)?, Held::default()))),
        _ => Some(None),
    }
}

fn service(text: &str) -> Option<ServiceKey> {
    let (namespace, name) = text.split_once('/')?;
    (!namespace.is_empty() && !name.is_empty()).then(|| ServiceKey::new(namespace, name))
}

fn digest(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Generation {
        let held = |addresses: &[&str], pool: &str| Held {
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            pool: Some(PoolName::from(pool)),
        };
        let services = [
            (ServiceKey::new("default", "db"), Held::default()),
            (
                ServiceKey::new("default", "web"),
                held(&["192.0.2.1", "2001:db8::1"], "web-pool"),
            ),
            (
                ServiceKey::new("shop", "front"),
                held(&["192.0.2.2"], "web-pool"),
            ),
        ];
        Generation {
            services: services.into_iter().collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let generation = sample();
        assert_eq!(Generation::parse(&generation.render()), Ok(generation));
        assert_eq!(
            Generation::parse(&Generation::default().render()),
            Ok(Generation::default())
        );
    }

    #[test]
    fn a_file_cut_at_any_byte_is_damaged() {
        let text = sample().render();
        for length in 0..text.len() {
            assert!(
                Generation::parse(&text[..length]).is_err(),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn a_changed_byte_is_damage() {
        let text = sample().render();
        let altered = text.replace("192.0.2.1", "192.0.2.9");
        assert_eq!(Generation::parse(&altered), Err(Damage::Checksum));
    }

    #[test]
    fn addresses_of_a_newer_version_are_read() {
        let body =
            "ferrolb-state 7\nlease a b\naddress default/web 192.0.2.1 pool since=4 owner=x\n";
        let text = format!("{body}end 2 {} more\n", digest(body));
        let generation = Generation::parse(&text).unwrap();
        let held = &generation.services[&ServiceKey::new("default", "web")];
        assert_eq!(held.addresses, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn an_unreadable_address_line_is_damage() {
        let body = "ferrolb-state 1\naddress default/web 192.0.2.900 pool\n";
        let text = format!("{body}end 1 {}\n", digest(body));
        assert_eq!(Generation::parse(&text), Err(Damage::Line(2)));
    }
}
