// SPDX-License-Identifier: Apache-2.0
//! Texts made to do harm: they cost bounded time and memory and panic never.

use proptest::prelude::*;

use super::{read, shown};
use crate::manifest::{MAX_TEXT, reader::Documents};

fn codes(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<_> = read(text).diagnostics.iter().map(|d| d.code.id()).collect();
    codes.dedup();
    codes
}

#[test]
fn aliases_cannot_multiply() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
        text += &format!("a{n}: &a{n} [{aliases}]\n");
    }
    assert_eq!(codes(&text), ["FLB-F008"]);
}

#[test]
fn aliases_cannot_nest_without_end() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for n in 1..500 {
        text += &format!("a{n}: &a{n} [[[*a{}]]]\n", n - 1);
    }
    assert_eq!(codes(&text), ["FLB-F008"]);
}

#[test]
fn nesting_is_bounded() {
    for (open, count) in [
        ("[", 100_000),
        ("{a: ", 100_000),
        ("- ", 100_000),
        ("? ", 100_000),
    ] {
        assert_eq!(
            codes(&open.repeat(count)).first(),
            Some(&"FLB-F008"),
            "{open}"
        );
    }
    let steps: String = (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert_eq!(codes(&steps), ["FLB-F008"]);
}

#[test]
fn a_document_of_too_many_values() {
    assert_eq!(
        codes(&format!("[{}]", "1,".repeat(1_100_000))),
        ["FLB-F008"]
    );
}

#[test]
fn a_text_too_long() {
    assert_eq!(shown(&read(&" ".repeat(MAX_TEXT + 1))), ["1:1 F008 "]);
}

#[test]
fn ten_megabytes() {
    let note = "x".repeat(4000);
    let item = |n: usize| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a{n}, annotations: {{a: {note}}}}}\n---\n"
        )
    };
    let count = 10_000_000 / item(0).len();
    let text: String = (0..count).map(item).collect();
    let parsed = read(&text);
    assert_eq!(
        (parsed.manifests.len(), parsed.diagnostics.len()),
        (count, 0)
    );
    // One value of ten megabytes, and as many bytes of nonsense.
    let long = format!("a: {}", "x".repeat(10_000_000));
    assert_eq!(codes(&long), ["FLB-F003"]);
    assert_eq!(
        codes(&"\u{1}".repeat(10_000_000)).first(),
        Some(&"FLB-F002")
    );
}

#[test]
fn a_mapping_of_many_keys_is_linear() {
    let text: String = (0..100_000).map(|n| format!("k{n}: v\n")).collect();
    assert_eq!(codes(&text), ["FLB-F003"]);
    assert_eq!(
        codes(&format!("{text}k5: again\n")),
        ["FLB-F007", "FLB-F003"]
    );
}

#[test]
fn faults_are_listed_to_a_limit() {
    let head = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n";
    let unknown: String = (0..1000).map(|n| format!("x{n}: 1\n")).collect();
    let parsed = read(&format!("{head}{unknown}"));
    assert_eq!(parsed.diagnostics.len(), 101);
    assert_eq!(codes(&format!("{head}{unknown}")), ["FLB-V001", "FLB-F009"]);
    let broken = "a: [\n---\n".repeat(5000);
    let parsed = read(&broken);
    assert_eq!(parsed.diagnostics.len(), 1001);
    assert!(parsed.has_unreadable);
}

/// Words and punctuation that a manifest is made of, in any order.
fn scraps() -> impl Strategy<Value = String> {
    let scraps = [
        "apiVersion: metallb.io/v1beta1\n",
        "apiVersion: v1\n",
        "kind: IPAddressPool\n",
        "kind: Service\n",
        "kind: List\n",
        "items:\n",
        "metadata:\n",
        "name: a\n",
        "spec:\n",
        "addresses:\n",
        "- ",
        "  ",
        "\t",
        "---\n",
        "...\n",
        ": ",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a ",
        "<<: ",
        "? ",
        "| \n",
        "> \n",
        "\"",
        "'",
        "#",
        "!x ",
        "%YAML 1.1\n",
        "\r\n",
        "\u{feff}",
        "ä",
        "\u{0}",
        "1",
        "yes",
        "null",
        "192.0.2.0/24",
        "\n",
        "@",
        "`",
        "\\",
    ];
    prop::collection::vec(prop::sample::select(scraps.to_vec()), 0..60)
        .prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn any_text_is_taken(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_scraps_are_taken(text in scraps()) {
        let parsed = read(&text);
        let lines = u32::try_from(text.lines().count()).unwrap() + 1;
        for diagnostic in &parsed.diagnostics {
            let position = diagnostic.position.as_ref().expect("a place");
            prop_assert!((1..=lines).contains(&position.line), "{diagnostic:?}");
            prop_assert!(position.column >= 1);
        }
        // Who says that all could be read has either objects or faults, or there was nothing.
        let empty = Documents::new(&text).all(|document| document.root.is_none() && document.faults.is_empty());
        prop_assert_eq!(empty, parsed.manifests.is_empty() && parsed.diagnostics.is_empty());
    }

    #[test]
    fn a_good_manifest_with_one_change(at in 0_usize..120, scrap in scraps(), cut in 0_usize..20) {
        let good = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: a\nspec:\n  addresses: [192.0.2.0/24]\n";
        let end = (at + cut).min(good.len());
        let text = format!("{}{scrap}{}", &good[..at.min(good.len())], &good[end..]);
        read(&text);
    }
}
