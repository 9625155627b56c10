// SPDX-License-Identifier: Apache-2.0
//! `ferrolb codes`: the reason codes.

use std::fmt::Write as _;

use ferrolb_types::{Code, codes};

use super::Ending;

/// Prints all codes, or the one asked for.
#[must_use]
pub fn run(asked: Option<&str>) -> Ending {
    let Some(asked) = asked else {
        for code in codes::all() {
            println!("{code}  {}", code.title());
        }
        return Ending::Fine;
    };
    match Code::find(asked) {
        Some(code) => {
            println!("{code}  {}", code.title());
            Ending::Fine
        }
        None => {
            eprintln!("error: there is no reason code {asked:?}; `ferrolb codes` lists them all");
            Ending::Failed
        }
    }
}

/// The page of the book that lists the codes.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(PREFACE);
    let mut area = "";
    for code in codes::all() {
        let letter = code.id().get(4..5).unwrap_or_default();
        if letter != area {
            area = letter;
            // Writing to a String cannot fail.
            let _ = write!(
                page,
                "\n## {letter}: {}\n\n| code | meaning |\n|---|---|\n",
                area_title(letter)
            );
        }
        let _ = writeln!(page, "| {code} | {} |", code.title());
    }
    page
}

const PREFACE: &str = "# Reason codes

Everything FerroLB refuses, warns of or decides against has a code, the same in `check`, `plan`, `explain`, `status` and
the log. `ferrolb codes CODE` says what one means. A code never changes its meaning.

In the areas P, C, B, A and S the number is that of the rule in MetalLB's behaviour as our tests list it; numbers from 50
on are our own.
";

fn area_title(letter: &str) -> &'static str {
    match letter {
        "F" => "files and YAML",
        "V" => "schemas",
        "P" => "IPAddressPool",
        "C" => "Community",
        "B" => "BGPPeer and BFDProfile",
        "A" => "BGPAdvertisement and L2Advertisement",
        "S" => "label selectors",
        "I" => "allocation",
        "N" => "announcement",
        "G" => "BGP sessions",
        "T" => "state directory",
        "W" => "webhooks",
        _ => "command line and process",
    }
}

#[cfg(test)]
mod tests {
    /// `UPDATE_DOCS=1 cargo test -p ferrolb` rewrites the page.
    #[test]
    fn the_book_lists_the_codes_as_they_are() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/src/reason-codes.md"
        );
        let page = super::page();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            page,
            "run with UPDATE_DOCS=1"
        );
    }
}
