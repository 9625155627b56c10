// SPDX-License-Identifier: Apache-2.0
//! From text to trees: the documents of a file one after another, a broken one without harm to the rest.
//!
//! Memory and time are bounded by the length of the text: nesting, nodes of one document and the copies
//! that aliases make are limited. YAML 1.2; merge keys (`<<`) as in YAML 1.1.

use granit_parser::{Event, Options, Parser, StrInput};

use super::{
    builder::{Builder, MAX_DEPTH},
    fault::Fault,
    syntax,
    tree::Node,
};

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// The tree; absent for an empty document. Where the document is broken off, what stood before that.
    pub root: Option<Node<'a>>,
    /// What is wrong with it as YAML.
    pub faults: Vec<Fault>,
    /// Whether something in it could not be read, so that nobody can say what it defines.
    pub is_broken: bool,
}

/// Gives the documents of a text.
pub(crate) struct Documents<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Documents<'a> {
    pub fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.emit_unresolved_aliases = true;
        options.block_nesting_limit = MAX_DEPTH;
        options.flow_nesting_limit = MAX_DEPTH;
        Self {
            text,
            parser: Parser::new_from_str_with_options(text, options),
        }
    }

    /// Gives up the present document and goes to the next.
    fn skip(&mut self) -> bool {
        self.parser.proceed_next_document().unwrap_or(false)
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Document<'a>;

    fn next(&mut self) -> Option<Document<'a>> {
        let mut builder = Builder::default();
        loop {
            match self.parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => return None,
                Some(Ok((Event::DocumentEnd, _))) => return Some(builder.finish(false)),
                Some(Ok((event, span))) => match builder.event(event, &span) {
                    Ok(()) => {}
                    Err(fault) => {
                        builder.faults.push(*fault);
                        self.skip();
                        return Some(builder.finish(true));
                    }
                },
                Some(Err(error)) => {
                    builder.faults.push(syntax::fault(self.text, &error));
                    self.skip();
                    return Some(builder.finish(true));
                }
            }
        }
    }
}
