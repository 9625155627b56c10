// SPDX-License-Identifier: Apache-2.0
//! A collection on the API server: its pages, and its changes line by line. What the objects are, others know.

use std::time::Duration;

use ferrolb_api::resource::GROUP;
use futures::{AsyncBufRead, AsyncBufReadExt};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{Cluster, Error, client::REQUEST, request};

/// Objects in a page.
const PAGE: u32 = 500;

/// The same where objects are big: a Node tells every image it holds.
const SMALL_PAGE: u32 = 100;

/// The same where metadata alone is asked for.
const METADATA_PAGE: u32 = 1000;

/// Seconds after which the server ends a watch; each one its own number, so that the watches of many
/// processes do not begin anew together.
const WATCH_SECONDS: std::ops::Range<u64> = 240..300;

/// The longest line of a watch. An object has at most about 3 MB as JSON.
const MOST_LINE: usize = 16 << 20;

/// A collection, perhaps with a selector.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    path: String,
    selector: String,
    page: u32,
    metadata_alone: bool,
}

/// What becomes of one object's text. It cannot fail: what cannot be decoded is told, too.
pub(crate) type Decode<T> = fn(&str) -> T;

/// A page of a list, its objects still text.
#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(default)]
    metadata: ListMeta,
    // Go writes an empty list as null.
    #[serde(borrow, default)]
    items: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    continued: Option<String>,
}

struct Items<T>(Decode<T>);

impl<'de, T> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(object) = list.next_element::<&RawValue>()? {
            items.push((self.0)(object.get()));
        }
        Ok(items)
    }
}

impl<'a> Page<'a> {
    /// Of the text of an answer.
    pub(crate) fn read(text: &'a str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::answer(&error))
    }

    /// Where the next page begins, if there is one.
    pub(crate) fn continued(&self) -> Option<&str> {
        self.metadata
            .continued
            .as_deref()
            .filter(|token| !token.is_empty())
    }

    /// The version the list stands for, from which to watch.
    pub(crate) fn version(self) -> String {
        self.metadata.resource_version
    }

    /// Its objects, each decoded while its text is read.
    pub(crate) fn decode<T>(&self, decode: Decode<T>) -> Result<Vec<T>, Error> {
        let Some(list) = self.items else {
            return Ok(Vec::new());
        };
        let mut deserializer = serde_json::Deserializer::from_str(list.get());
        deserializer
            .deserialize_seq(Items(decode))
            .map_err(|error| Error::answer(&error))
    }
}

/// A change.
#[derive(Debug)]
pub(crate) enum Change<T> {
    /// New or changed.
    Set(T),
    /// Gone, as it last was.
    Gone(T),
    /// Nothing, but so far we have seen everything.
    Bookmark(String),
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    type_: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Marked {
    metadata: ListMeta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: u16,
    reason: String,
    message: String,
}

impl Source {
    pub(crate) fn new(path: String, selector: String) -> Self {
        Self {
            path,
            selector,
            page: PAGE,
            metadata_alone: false,
        }
    }

    /// The same, in small pages.
    pub(crate) fn of_big_objects(mut self) -> Self {
        self.page = SMALL_PAGE;
        self
    }

    /// The same, listed without spec and status, in big pages.
    pub(crate) fn of_metadata_alone(mut self) -> Self {
        self.page = METADATA_PAGE;
        self.metadata_alone = true;
        self
    }

    pub(crate) fn list_path(&self, continued: Option<&str>) -> String {
        self.page_path(self.page, continued)
    }

    fn page_path(&self, limit: u32, continued: Option<&str>) -> String {
        let mut path = format!("{}?", self.path);
        if !self.selector.is_empty() {
            path.push_str(&self.selector);
            path.push('&');
        }
        path.push_str(&format!("limit={limit}"));
        if let Some(token) = continued {
            path.push_str("&continue=");
            path.push_str(&request::escape(token));
        }
        path
    }

    fn watch_path(&self, version: &str) -> String {
        let and = if self.selector.is_empty() { "" } else { "&" };
        let seconds = watch_seconds();
        let version = request::escape(version);
        format!(
            "{}?{}{and}watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={version}",
            self.path, self.selector
        )
    }

    /// The error, in plain words where the API server does not know a kind of ours.
    fn explained(&self, error: Error) -> Error {
        match self.definition() {
            Some((name, version)) if error.is_not_found() => Error::not_installed(&name, version),
            _ => error,
        }
    }

    /// The CustomResourceDefinition of a kind of ours, and the version asked for.
    fn definition(&self) -> Option<(String, &str)> {
        let mut parts = self.path.strip_prefix("/apis/")?.split('/');
        let (group, version) = (parts.next()?, parts.next()?);
        let plural = parts.next_back()?;
        (group == GROUP).then(|| (format!("{plural}.{group}"), version))
    }

    /// The text of a page.
    pub(crate) async fn page(
        &self,
        cluster: &Cluster,
        continued: Option<&str>,
    ) -> Result<String, Error> {
        let path = self.list_path(continued);
        let request = match self.metadata_alone {
            true => request::get_metadata(path)?,
            false => request::get(path)?,
        };
        let text = cluster.text(request, REQUEST).await;
        text.map_err(|error| self.explained(error))
    }

    /// The version of the collection by now.
    pub(crate) async fn version(&self, cluster: &Cluster) -> Result<String, Error> {
        let request = request::get(self.page_path(1, None))?;
        let text = cluster.text(request, REQUEST).await?;
        Ok(Page::read(&text)?.version())
    }

    /// The objects of a page, and where the next one begins.
    pub(crate) async fn objects<T>(
        &self,
        cluster: &Cluster,
        continued: Option<&str>,
        decode: Decode<T>,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let text = self.page(cluster, continued).await?;
        let page = Page::read(&text)?;
        Ok((page.decode(decode)?, page.continued().map(str::to_owned)))
    }

    /// Begins to watch from `version`.
    pub(crate) async fn watch(&self, cluster: &Cluster, version: &str) -> Result<Changes, Error> {
        let request = request::get(self.watch_path(version))?;
        let opening = cluster.watches().request_stream(request);
        let stream = match tokio::time::timeout(REQUEST, opening).await {
            Ok(stream) => stream.map_err(|error| self.explained(error.into()))?,
            Err(_) => return Err(Error::Timeout(REQUEST)),
        };
        Ok(Changes {
            stream: Box::pin(stream),
            line: Vec::new(),
        })
    }
}

/// Changes as they come.
pub(crate) struct Changes {
    stream: std::pin::Pin<Box<dyn AsyncBufRead + Send>>,
    line: Vec<u8>,
}

impl Changes {
    /// The next change; `None` when the server ends the watch, which it does now and then.
    /// May be dropped while it waits and called again: what was read of a line stays.
    pub(crate) async fn next<T>(&mut self, decode: Decode<T>) -> Option<Result<Change<T>, Error>> {
        loop {
            match self.fill().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            let change = read(&self.line, decode);
            self.line.clear();
            // A huge object was here: its room is not kept for the small ones.
            if self.line.capacity() > 1 << 20 {
                self.line = Vec::new();
            }
            match change {
                Ok(Some(change)) => return Some(Ok(change)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Reads until a line is whole. A cut last line is no line.
    async fn fill(&mut self) -> Result<bool, Error> {
        loop {
            let chunk = match self.stream.fill_buf().await {
                Ok(chunk) => chunk,
                Err(error) => return Err(Error::Transport(error.to_string())),
            };
            if chunk.is_empty() {
                return Ok(false);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let take = end.unwrap_or(chunk.len());
            if self.line.len() + take > MOST_LINE {
                return Err(Error::Answer(format!(
                    "a line of more than {MOST_LINE} bytes"
                )));
            }
            self.line
                .extend_from_slice(chunk.get(..take).unwrap_or_default());
            let used = take + usize::from(end.is_some());
            self.stream.as_mut().consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

fn read<T>(line: &[u8], decode: Decode<T>) -> Result<Option<Change<T>>, Error> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| Error::answer(&error))?;
    let object = line.object.get();
    match line.type_ {
        "ADDED" | "MODIFIED" => Ok(Some(Change::Set(decode(object)))),
        "DELETED" => Ok(Some(Change::Gone(decode(object)))),
        "BOOKMARK" => {
            let marked: Marked =
                serde_json::from_str(object).map_err(|error| Error::answer(&error))?;
            Ok(Some(Change::Bookmark(marked.metadata.resource_version)))
        }
        "ERROR" => {
            let refusal: Refusal =
                serde_json::from_str(object).map_err(|error| Error::answer(&error))?;
            Err(Error::Api {
                code: refusal.code,
                reason: refusal.reason,
                message: refusal.message,
            })
        }
        // Of a newer version: nothing we could do with it.
        _ => Ok(None),
    }
}

fn watch_seconds() -> u64 {
    let mut bytes = [0_u8; 2];
    let span = WATCH_SECONDS.end - WATCH_SECONDS.start;
    match getrandom::fill(&mut bytes) {
        Ok(()) => WATCH_SECONDS.start + u64::from(u16::from_ne_bytes(bytes)) % span,
        Err(_) => WATCH_SECONDS.start,
    }
}

/// Time after which a watch that says nothing at all is given up; the server ends it earlier.
pub(crate) const DEAD: Duration = Duration::from_secs(WATCH_SECONDS.end + 10);
