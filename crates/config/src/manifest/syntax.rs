// SPDX-License-Identifier: Apache-2.0
//! What a text that is not YAML suffers from, said so that it can be mended.

use ferrolb_types::codes;
use granit_parser::{ErrorKind, ScanError};

use super::{builder::at, fault::Fault, tree::Mark};

/// The fault behind a parser error.
pub(super) fn fault(text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let place = at(marker.line(), marker.col());
    if let Some(tab) = marker
        .byte_offset()
        .and_then(|offset| tab(text, offset, place))
    {
        return Fault::new(
            codes::file::F002,
            tab,
            "the line is indented with a tab, which YAML does not allow",
            "indent with spaces",
        );
    }
    let code = match error.kind() {
        ErrorKind::RecursionLimitExceeded => codes::file::F008,
        _ => codes::file::F002,
    };
    let (cause, remedy) = words(error.kind());
    Fault::new(code, place, cause, remedy)
}

/// A tab in the indentation of the line of the error, of the one before or the one after: the parser often
/// stumbles only over what follows, and complains at the end of what precedes.
fn tab(text: &str, offset: usize, place: Mark) -> Option<Mark> {
    let start = text.get(..offset)?.rfind('\n').map_or(0, |n| n + 1);
    let here = indent_tab(text.get(start..)?).map(|column| Mark { column, ..place });
    here.or_else(|| {
        let above = text.get(..start.checked_sub(1)?)?;
        let start = above.rfind('\n').map_or(0, |n| n + 1);
        let column = indent_tab(above.get(start..)?)?;
        Some(Mark {
            line: place.line.checked_sub(1)?,
            column,
        })
    })
    .or_else(|| {
        let rest = text.get(offset..)?;
        let column = indent_tab(rest.get(rest.find('\n')? + 1..)?)?;
        Some(Mark {
            line: place.line.checked_add(1)?,
            column,
        })
    })
}

/// The column of a tab among the blanks a line begins with.
fn indent_tab(line: &str) -> Option<u32> {
    let blanks = line.bytes().take_while(|b| matches!(b, b' ' | b'\t'));
    let n = blanks.into_iter().position(|b| b == b'\t')?;
    u32::try_from(n).ok()?.checked_add(1)
}

/// Cause and remedy of the usual mistakes; the others share one.
fn words(kind: &ErrorKind) -> (&'static str, &'static str) {
    use ErrorKind as E;
    match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => ("a tab stands where YAML allows spaces only", "use spaces"),
        E::UnclosedQuotedScalar
        | E::DocumentIndicatorInQuotedScalar
        | E::InvalidQuotedScalarIndent => (
            "a quoted text that began above has no closing quote, or goes on without indentation",
            "close the quote",
        ),
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::ExpectedFlowMappingSeparator
        | E::ExpectedFlowSequenceSeparator
        | E::MismatchedFlowCollectionEnd { .. }
        | E::MisplacedFlowCollectionEnd => (
            "brackets do not match, or a comma is missing between them",
            "close every `[` with `]` and every `{` with `}`, and put commas between the elements",
        ),
        E::MappingValueNotAllowed
        | E::InvalidColonPlacement
        | E::MappingKeyNotAllowed
        | E::InvalidMappingValueWhitespace => (
            "a colon stands where no key can be, or the line is not indented like its neighbours",
            "check the indentation; put text that contains `: ` in quotes",
        ),
        E::InvalidIndentation
        | E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry
        | E::BlockSequenceEntryNotAllowed
        | E::InvalidBlockScalarIndent
        | E::InvalidFlowScalarIndent => (
            "the line does not continue what stands above it",
            "indent it like its neighbours, and begin elements of a list with `- `",
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (
            "a key has no colon after it",
            "write `key: value`; text that runs over several lines needs quotes or `|`",
        ),
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidUnicodeEscape => (
            "a text in double quotes holds an unknown escape",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        E::RecursionLimitExceeded => ("it is nested too deeply", "flatten it"),
        E::UnexpectedCharacter { .. } | E::BomInsideDocument => (
            "a character stands where none like it may begin a value",
            "put the text in quotes, or remove the character",
        ),
        E::UnexpectedEof | E::UnexpectedEofBlockMapping | E::UnexpectedEofBlockSequence => {
            ("the text ends in the middle of a value", "complete it")
        }
        _ => (
            "the text is not valid YAML from here on",
            "check quotes, brackets and indentation",
        ),
    }
}
