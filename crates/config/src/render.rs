// SPDX-License-Identifier: Apache-2.0
//! Diagnostics for people: code, cause, the line at fault with a mark under it, and the remedy.

use std::{collections::BTreeMap, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use ferrolb_types::{Diagnostic, Position, Severity};

/// Lines shown before the one at fault.
const CONTEXT: usize = 2;

/// Renders the diagnostics one after another, in order. `sources` gives the text of a file by the name in
/// a diagnostic's position; without it, or without a position, the object and field are named instead.
#[must_use]
pub fn render<'s>(
    diagnostics: &[Diagnostic],
    sources: &dyn Fn(&str) -> Option<&'s str>,
    color: bool,
) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut lines = Lines::default();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let excerpt = diagnostic.position.as_ref().and_then(|position| {
            let source = sources(&position.file)?;
            let excerpt = Excerpt::cut(source, lines.of(position, source), position)?;
            may_be_shown(diagnostic, source, excerpt.text).then_some(excerpt)
        });
        text.push_str(&one(&renderer, diagnostic, excerpt.as_ref()));
        text.push_str("\n\n");
    }
    text
}

/// Whether lines of a file may be printed: not where a secret may stand in them, be its key misspelt. A
/// document that cannot be read has no kind, so a Secret anywhere in its file counts.
fn may_be_shown(diagnostic: &Diagnostic, source: &str, excerpt: &str) -> bool {
    let near_secret = match diagnostic.object.kind.as_ref() {
        // In the text for FRR may be passwords of neighbours.
        "Secret" | "ConfigMap" => true,
        "document" => source.contains("Secret"),
        _ => false,
    };
    let excerpt = excerpt.to_ascii_lowercase().replace("passivemode", "");
    let is_meant = diagnostic.remedy.contains("password");
    !near_secret && !is_meant && !["pass", "pwd"].iter().any(|word| excerpt.contains(word))
}

/// Where the lines of each file begin, found once per file.
#[derive(Default)]
struct Lines(BTreeMap<Arc<str>, Vec<usize>>);

impl Lines {
    fn of(&mut self, position: &Position, source: &str) -> &[usize] {
        let file = position.file.clone();
        self.0.entry(file).or_insert_with(|| {
            let ends = source.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic, excerpt: Option<&Excerpt<'_>>) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.code.title())
        .id(diagnostic.code.id());
    let subject = subject(diagnostic);
    let group = match (excerpt, &diagnostic.position) {
        (Some(excerpt), Some(position)) => title.element(excerpt.snippet(position, diagnostic)),
        (None, Some(position)) => {
            let origin = annotate_snippets::Origin::path(&*position.file)
                .line(position.line as usize)
                .char_column(position.column as usize);
            title
                .element(origin)
                .element(Level::NOTE.message(whole(&subject, diagnostic)))
        }
        _ => title.element(Level::NOTE.message(whole(&subject, diagnostic))),
    };
    let group = match excerpt {
        Some(_) => group.element(Level::NOTE.message(format!("in {subject}"))),
        None => group,
    };
    let help = Level::HELP.message(&*diagnostic.remedy);
    renderer.render(&[group.element(help)])
}

/// The object and the field.
fn subject(diagnostic: &Diagnostic) -> String {
    if diagnostic.field.segments().is_empty() {
        return diagnostic.object.to_string();
    }
    format!("{}, {}", diagnostic.object, diagnostic.field)
}

/// What the mark under the line says where there is one.
fn whole(subject: &str, diagnostic: &Diagnostic) -> String {
    match &diagnostic.value {
        Some(value) => format!("{subject} = {value:?}: {}", diagnostic.cause),
        None => format!("{subject}: {}", diagnostic.cause),
    }
}

/// The line at fault, some lines before it, and the bytes to mark.
struct Excerpt<'s> {
    text: &'s str,
    first_line: usize,
    mark: std::ops::Range<usize>,
}

impl<'s> Excerpt<'s> {
    /// `None` where the text has no such line. `lines` says where its lines begin.
    fn cut(source: &'s str, lines: &[usize], position: &Position) -> Option<Self> {
        let line = (position.line as usize).checked_sub(1)?;
        let first = line.saturating_sub(CONTEXT);
        let start = *lines.get(first)?;
        let at_fault = *lines.get(line)?;
        let content = source.get(at_fault..)?.lines().next().unwrap_or_default();
        let column = position.column.saturating_sub(1) as usize;
        let offset = content
            .char_indices()
            .nth(column)
            .map_or(content.len(), |(offset, _)| offset);
        let length = token(content.get(offset..)?);
        let from = at_fault + offset - start;
        Some(Self {
            text: source.get(start..at_fault + content.len())?,
            first_line: first + 1,
            mark: from..from + length,
        })
    }

    fn snippet(
        &self,
        position: &Position,
        diagnostic: &'s Diagnostic,
    ) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
        let mark = AnnotationKind::Primary
            .span(self.mark.clone())
            .label(&*diagnostic.cause);
        Snippet::source(self.text)
            .line_start(self.first_line)
            .path(position.file.to_string())
            .fold(false)
            .annotation(mark)
    }
}

/// The length of the YAML token at the beginning of a line: a key up to its colon, a quoted text, or a
/// plain value up to a comment.
fn token(line: &str) -> usize {
    let quoted = |quote| {
        let inner = line.get(1..).unwrap_or_default();
        inner.find(quote).map_or(line.len(), |at| at + 2)
    };
    let length = match line.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(quote),
        _ => {
            let ends = [": ", " #", ", ", "]", "}"];
            let end = ends.iter().filter_map(|end| line.find(end)).min();
            end.unwrap_or_else(|| line.trim_end().trim_end_matches(':').len())
        }
    };
    length.min(line.trim_end().len())
}

#[cfg(test)]
mod tests {
    use ferrolb_types::{FieldPath, ObjectRef, codes};

    use super::*;

    const SOURCE: &str = "kind: IPAddressPool\nspec:\n  addresses:\n    - 192.0.2.0/24\n    - \"1.2.3.9-1.2.3.1\" # wrong\n";

    fn diagnostic(line: u32, column: u32) -> Diagnostic {
        Diagnostic::error(
            codes::pool::P005,
            ObjectRef::new("IPAddressPool", "metallb-system", "web"),
            "the range ends before it starts",
            "write the lower address first",
        )
        .at(FieldPath::spec().key("addresses").index(1))
        .value("1.2.3.9-1.2.3.1")
        .positioned(Some(Position {
            file: "pools.yaml".into(),
            line,
            column,
        }))
    }

    fn rendered(diagnostic: Diagnostic) -> String {
        render(&[diagnostic], &|_| Some(SOURCE), false)
    }

    #[test]
    fn a_mark_under_the_value() {
        insta::assert_snapshot!(rendered(diagnostic(5, 7)), @r#"
        error[FLB-P005]: an address range that ends before it starts
         --> pools.yaml:5:7
          |
        3 |   addresses:
        4 |     - 192.0.2.0/24
        5 |     - "1.2.3.9-1.2.3.1" # wrong
          |       ^^^^^^^^^^^^^^^^^ the range ends before it starts
          |
          = note: in IPAddressPool metallb-system/web, spec.addresses[1]
          = help: write the lower address first
        "#);
    }

    #[test]
    fn without_the_source_the_place_is_named() {
        let text = render(&[diagnostic(5, 7)], &|_| None, false);
        insta::assert_snapshot!(text, @r#"
        error[FLB-P005]: an address range that ends before it starts
        --> pools.yaml:5:7
         = note: IPAddressPool metallb-system/web, spec.addresses[1] = "1.2.3.9-1.2.3.1": the range ends before it starts
         = help: write the lower address first
        "#);
    }

    #[test]
    fn without_a_place_the_object_is_named() {
        let warning = diagnostic(1, 1).positioned(None).warning();
        insta::assert_snapshot!(rendered(warning), @r#"
        warning[FLB-P005]: an address range that ends before it starts
         |
         = note: IPAddressPool metallb-system/web, spec.addresses[1] = "1.2.3.9-1.2.3.1": the range ends before it starts
         = help: write the lower address first
        "#);
    }

    #[test]
    fn no_line_with_a_secret_is_printed() {
        let cases = [
            ("BGPPeer", "spec:\n  password: hunter2\n  peerPort: x\n", 3),
            ("BGPPeer", "spec:\n  passwrod: hunter2\n  peerPort: x\n", 3),
            ("BGPPeer", "spec:\n  Password: hunter2\n", 2),
            ("Secret", "stringData:\n  key: hunter2\n  other: [1]\n", 3),
            ("ConfigMap", "data:\n  extras: hunter2\n", 2),
            (
                "document",
                "kind: Secret\nstringData:\n  a: hunter2\n\tb\n",
                4,
            ),
        ];
        for (kind, source, line) in cases {
            let position = Position {
                file: "f.yaml".into(),
                line,
                column: 3,
            };
            let object = ObjectRef::new(kind, "", "x");
            let fault = Diagnostic::error(codes::schema::V003, object, "wrong", "mend it");
            let text = render(
                &[fault.positioned(Some(position))],
                &|_| Some(source),
                false,
            );
            assert!(
                text.contains("f.yaml") && !text.contains("hunter2"),
                "{text}"
            );
        }
    }

    #[test]
    fn any_place_renders() {
        for (line, column) in [
            (0, 0),
            (1, 0),
            (1, 99),
            (5, 22),
            (6, 1),
            (7, 1),
            (u32::MAX, u32::MAX),
        ] {
            let text = rendered(diagnostic(line, column));
            assert!(
                text.contains("FLB-P005") && text.contains("write the lower"),
                "{text}"
            );
        }
    }

    #[test]
    fn tokens() {
        let table = [
            ("name: value", 4),
            ("value # comment", 5),
            ("\"a: b\" # c", 6),
            ("'open", 5),
            ("a, b]", 1),
            ("key:", 3),
            ("", 0),
            ("fc00::/64", 9),
        ];
        for (line, want) in table {
            assert_eq!(token(line), want, "{line}");
        }
    }
}
