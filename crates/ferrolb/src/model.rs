// SPDX-License-Identifier: Apache-2.0
//! What a folder says, as updates for whoever assigns or announces.
//!
//! Texts become objects, objects of the configuration are compiled together, and everything else is
//! passed on as it is. The same model serves the roles and the commands.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ferrolb_api::view::{
    EndpointSliceKey, EndpointSliceView, NamespaceView, NodeView, ServiceView,
};
use ferrolb_config::{
    Config,
    compile::Compiler,
    convert::peer_from_v1beta1,
    manifest::{
        Manifest,
        folder::{Change, Folder},
    },
    object::Object,
    resources::Resources,
};
use ferrolb_types::{Diagnostic, NodeName, ObjectRef, ServiceKey, codes};

use crate::folder::{Content, FileChange};

/// One thing that is new, changed or gone.
#[derive(Clone, Debug)]
pub enum Update {
    /// A Service, as its manifest has it.
    Service(Arc<ServiceView>),
    /// A Service is gone.
    ServiceGone(ServiceKey),
    /// An EndpointSlice.
    Slice(EndpointSliceView),
    /// An EndpointSlice is gone.
    SliceGone(EndpointSliceKey),
    /// A Node.
    Node(NodeView),
    /// A Node is gone.
    NodeGone(NodeName),
    /// A Namespace.
    Namespace(NamespaceView),
    /// A Namespace is gone.
    NamespaceGone(String),
    /// The configuration.
    Config(Arc<Config>),
}

/// What a change on disk amounts to.
#[derive(Debug)]
pub struct Taken {
    /// What changed in meaning.
    pub updates: Vec<Update>,
    /// Texts without a fault, and files that are gone: for [`crate::state::LastGood`].
    pub remember: Vec<FileChange>,
    /// What is refused or doubtful now, as [`Model::diagnostics`] gives it.
    pub diagnostics: Vec<Diagnostic>,
}

/// The content of a folder and what it amounts to.
pub struct Model {
    folder: Folder,
    resources: Resources,
    compiler: Compiler,
    config: Option<Arc<Config>>,
}

impl Model {
    /// An empty model; `namespace` is that of the `metallb.io` objects.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self {
            folder: Folder::new(namespace),
            resources: Resources::new(namespace),
            compiler: Compiler::default(),
            config: None,
        }
    }

    /// Takes in what changed on disk; gives what changed in meaning, and which texts to remember. The
    /// first call always gives a configuration.
    pub fn take(&mut self, files: Vec<FileChange>) -> Taken {
        for file in &files {
            self.read(&file.path, &file.content);
        }
        let updates = self.updates();
        let diagnostics = self.diagnostics();
        Taken {
            updates,
            remember: good_texts(files, &diagnostics),
            diagnostics,
        }
    }

    fn updates(&mut self) -> Vec<Update> {
        let mut updates = Vec::new();
        let mut recompile = self.config.is_none();
        for change in self.folder.take_changes() {
            recompile |= match change {
                Change::Apply(manifest) => self.apply(&manifest, &mut updates),
                Change::Delete(object) => self.delete(&object, &mut updates),
            };
        }
        if recompile {
            updates.extend(self.compile().map(Update::Config));
        }
        updates
    }

    /// The configuration; absent before the first [`Model::take`].
    #[must_use]
    pub fn config(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    /// Everything that is refused or doubtful, with its place in the files.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.folder.diagnostics();
        if let Some(config) = &self.config {
            let compiled = config.diagnostics().chain(&config.warnings);
            all.extend(compiled.map(|diagnostic| self.positioned(diagnostic)));
        }
        all.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.position.clone()));
        all.dedup();
        all
    }

    /// Adds its place in the files to a diagnostic about an object.
    #[must_use]
    pub fn positioned(&self, diagnostic: &Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.clone();
        if diagnostic.position.is_some() {
            return diagnostic;
        }
        let position = self.folder.position(&diagnostic.object, &diagnostic.field);
        diagnostic.positioned(position)
    }

    /// The objects in force.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.folder.objects().map(|(_, manifest)| &manifest.object)
    }

    fn read(&mut self, path: &Path, content: &Content) {
        let name = path.to_string_lossy();
        match content {
            Content::Text(text) => self.folder.update(&name, Some(text)),
            Content::Gone => self.folder.update(&name, None),
            Content::Unreadable(why) => {
                let object = ObjectRef::new("file", "", name.as_ref());
                let remedy = "make it readable, or remove it; until then its last content counts";
                let fault = Diagnostic::error(codes::file::F001, object, why.as_str(), remedy);
                self.folder.fail(&name, fault);
            }
        }
    }

    /// Passes an object on; says whether the configuration depends on it.
    fn apply(&mut self, manifest: &Manifest, updates: &mut Vec<Update>) -> bool {
        let resources = &mut self.resources;
        match manifest.object.clone() {
            Object::IPAddressPool(object) => resources.apply(*object),
            Object::BGPAdvertisement(object) => resources.apply(*object),
            Object::L2Advertisement(object) => resources.apply(*object),
            Object::BGPPeer(object) => resources.apply(*object),
            Object::BGPPeerV1Beta1(object) => resources.apply(peer_from_v1beta1(*object)),
            Object::BFDProfile(object) => resources.apply(*object),
            Object::Community(object) => resources.apply(*object),
            Object::Secret(view) => resources.apply_secret(*view),
            Object::Service(view) => {
                updates.push(Update::Service(view));
                false
            }
            Object::EndpointSlice(view) => {
                updates.push(Update::Slice(*view));
                false
            }
            Object::Node(view) => {
                let changed = resources.apply_node(&view);
                updates.push(Update::Node(*view));
                changed
            }
            Object::Namespace(view) => {
                let changed = resources.apply_namespace(view.name.clone());
                updates.push(Update::Namespace(*view));
                changed
            }
        }
    }

    fn delete(&mut self, object: &ObjectRef, updates: &mut Vec<Update>) -> bool {
        use ferrolb_api::resource as kind;
        let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
        let resources = &mut self.resources;
        match object.kind.as_ref() {
            "IPAddressPool" => resources.delete::<kind::IPAddressPool>(namespace, name),
            "BGPAdvertisement" => resources.delete::<kind::BGPAdvertisement>(namespace, name),
            "L2Advertisement" => resources.delete::<kind::L2Advertisement>(namespace, name),
            "BGPPeer" => resources.delete::<kind::BGPPeer>(namespace, name),
            "BFDProfile" => resources.delete::<kind::BFDProfile>(namespace, name),
            "Community" => resources.delete::<kind::Community>(namespace, name),
            "Secret" => resources.delete_secret(namespace, name),
            "Service" => {
                updates.push(Update::ServiceGone(ServiceKey::new(namespace, name)));
                false
            }
            "EndpointSlice" => {
                let key = EndpointSliceKey {
                    namespace: namespace.into(),
                    name: name.into(),
                };
                updates.push(Update::SliceGone(key));
                false
            }
            "Node" => {
                let node = NodeName::from(name);
                let changed = resources.delete_node(&node);
                updates.push(Update::NodeGone(node));
                changed
            }
            "Namespace" => {
                updates.push(Update::NamespaceGone(name.to_owned()));
                resources.delete_namespace(name)
            }
            _ => false,
        }
    }

    /// The configuration, where it differs from the last one.
    fn compile(&mut self) -> Option<Arc<Config>> {
        let config = self.compiler.compile(&self.resources);
        if self.config.as_ref() == Some(&config) {
            return None;
        }
        self.config = Some(Arc::clone(&config));
        Some(config)
    }
}

/// The texts without a fault, and the files that are gone.
fn good_texts(files: Vec<FileChange>, diagnostics: &[Diagnostic]) -> Vec<FileChange> {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    let faulty: BTreeSet<&str> = errors
        .filter_map(|d| Some(&*d.position.as_ref()?.file))
        .collect();
    let is_good = |file: &FileChange| match file.content {
        Content::Text(_) => !faulty.contains(&*file.path.to_string_lossy()),
        Content::Gone => true,
        Content::Unreadable(_) => false,
    };
    files.into_iter().filter(is_good).collect()
}
