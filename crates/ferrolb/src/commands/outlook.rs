// SPDX-License-Identifier: Apache-2.0
//! What a folder or a cluster amounts to without running it: the engine and the world of the roles, fed
//! once. Of a folder the last good texts of what is broken count, as the roles go on with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{anyhow, bail};
use ferrolb_alloc::{Engine, Kind as AllocKind, Options as AllocOptions};
use ferrolb_api::view::{Ingress, ServiceView};
use ferrolb_kube_io::Cluster;
use ferrolb_types::{Diagnostic, NodeName, PoolName, ServiceKey, codes};
use ferrolb_world::{Kind, Liveness, NodeFacts, Options, World, pool_mark};

use super::{block_on, listed::Listed};
use crate::{
    args::{ClusterArgs, SourceArgs, SourceChoice},
    folder::Scanner,
    model::{Model, Update},
    roles::Roster,
    state::{Generation, Held, LastGood, Loaded, Store},
    status::Report,
};

/// Where the objects came from.
enum Origin {
    Folder(Box<Model>),
    /// What is wrong with the objects of a cluster.
    Cluster(Vec<Diagnostic>),
}

/// A source, decided for every node as if all of them were alive, or as [`Outlook::learn`] was told.
pub(super) struct Outlook {
    origin: Origin,
    pub(super) engine: Engine,
    pub(super) world: World,
    /// Who held what before.
    pub(super) before: Generation,
    /// What is wrong with the state directory.
    pub(super) warning: Option<Diagnostic>,
    /// Every Service of the folder, with the addresses it holds or would get.
    pub(super) services: BTreeMap<ServiceKey, Arc<ServiceView>>,
}

impl Outlook {
    /// Reads a folder, or lists a cluster, and decides everything.
    pub(super) fn of(choice: &SourceChoice) -> anyhow::Result<Self> {
        match choice {
            SourceChoice::Folder(args) => Self::read(args),
            SourceChoice::Cluster(args) => block_on(async {
                let cluster = crate::cluster::connect(args, "cli").await?;
                Self::list(&cluster, args).await
            }),
        }
    }

    /// Reads the folder and the state directory and decides everything.
    pub(super) fn read(args: &SourceArgs) -> anyhow::Result<Self> {
        let state_dir = args.state_dir();
        let mut scanner = Scanner::new(vec![args.dir.clone()], Some(&state_dir));
        let files = scanner
            .scan()
            .map_err(|error| anyhow!("{}", args.unreadable(&error)))?;
        let mut model = Model::new(&args.namespace);
        let mut updates = model
            .take(LastGood::newest(&state_dir, &args.dir, &files))
            .updates;
        updates.extend(model.take(files).updates);
        let (before, warning) = held(&Store::reader(&state_dir))?;
        let ours = (args.lb_class.clone(), args.ignore_exclude_lb);
        let mut outlook = Self::new(Origin::Folder(Box::new(model)), ours, true);
        outlook.warning = warning;
        outlook.before = before;
        outlook.decide(updates);
        Ok(outlook)
    }

    /// Lists a cluster and decides everything.
    pub(super) async fn list(cluster: &Cluster, args: &ClusterArgs) -> anyhow::Result<Self> {
        let Listed {
            mut updates,
            faults,
            config,
        } = Listed::of(cluster).await?;
        // The roles wait for the kind, and decide nothing that depends on it.
        if let Some(why) = faults.iter().find(|fault| fault.code == codes::state::T007) {
            bail!("{why}");
        }
        let ours = (args.lb_class.clone(), args.ignore_exclude_lb);
        let mut outlook = Self::new(Origin::Cluster(faults), ours, false);
        updates.push(Update::Config(config));
        outlook.before = held_in_statuses(&updates);
        outlook.decide(updates);
        Ok(outlook)
    }

    fn new(origin: Origin, ours: (Option<String>, bool), implied_cluster_ips: bool) -> Self {
        let (lb_class, ignore_exclude_lb) = ours;
        let await_namespaces = matches!(origin, Origin::Cluster(_));
        Self {
            origin,
            engine: Engine::new(AllocOptions {
                lb_class: lb_class.clone(),
                implied_cluster_ips,
                await_namespaces,
            }),
            world: World::new(Options {
                node: None,
                lb_class,
                ignore_exclude_lb,
            }),
            before: Generation::default(),
            warning: None,
            services: BTreeMap::new(),
        }
    }

    fn decide(&mut self, updates: Vec<Update>) {
        self.assign(updates);
        self.announce();
    }

    /// Adds its place in the files to a diagnostic, where there are files.
    pub(super) fn positioned(&self, diagnostic: &Diagnostic) -> Diagnostic {
        match &self.origin {
            Origin::Folder(model) => model.positioned(diagnostic),
            Origin::Cluster(_) => diagnostic.clone(),
        }
    }

    /// Takes over what running speakers say of who is alive and of their own interfaces, which layer 2
    /// depends on; without any, every node counts as alive and as having every interface.
    pub(super) fn learn<'r>(&mut self, reports: impl Iterator<Item = &'r Report>) {
        let mut alive = BTreeSet::new();
        for report in reports {
            let Some(node) = &report.node else { continue };
            let known = report.alive.iter().flatten();
            alive.extend(known.map(|name| NodeName::from(name.as_str())));
            let refused = report.refused_pools.iter();
            let refused = refused.map(|pool| pool_mark(&PoolName::from(pool.as_str())));
            let usable = report.interfaces.iter().filter(|i| i.arp || i.ndp);
            self.world.apply_facts(NodeFacts {
                node: NodeName::from(node.as_str()),
                version: report.version.clone(),
                interfaces: Some(usable.map(|i| i.name.clone()).collect()),
                lacks: BTreeSet::new(),
                refuses: refused.collect(),
                features: BTreeSet::new(),
            });
        }
        if !alive.is_empty() {
            self.world.set_alive(&Liveness::Nodes(alive));
        }
    }

    /// Says what the reader should know before what follows.
    pub(super) fn warn(&self) {
        if let Some(warning) = &self.warning {
            eprintln!("warning: {warning}");
        }
        let (faults, place, what) = match &self.origin {
            Origin::Folder(model) => (
                model.diagnostics(),
                "folder",
                "what is refused counts here as it was last good, as far as that is known",
            ),
            Origin::Cluster(faults) => (
                faults.clone(),
                "cluster",
                "what is refused counts for nothing here, while processes that saw a good version \
                 of it go on with that: `ferrolb status` says who does",
            ),
        };
        let faults = faults.iter().filter(|fault| fault.is_error()).count();
        if faults > 0 {
            eprintln!(
                "warning: {faults} faults in the {place}, which `ferrolb check` shows; {what}"
            );
        }
    }

    /// What a Service would hold.
    pub(super) fn held(&self, key: &ServiceKey) -> Held {
        let desired = self.engine.desired(key).cloned().unwrap_or_default();
        Held {
            addresses: desired.addresses,
            pool: desired.pool,
        }
    }

    /// Whether the Service is of type `LoadBalancer` and of our class.
    pub(super) fn is_ours(&self, key: &ServiceKey) -> bool {
        let view = self.services.get(key);
        view.is_some_and(|view| view.is_load_balancer()) && self.engine.desired(key).is_some()
    }

    fn assign(&mut self, updates: Vec<Update>) {
        let mut roster = Roster::default();
        roster.set_generation(self.before.clone());
        for update in updates {
            match update {
                Update::Service(view) => {
                    let view = roster.apply(view);
                    self.engine.apply_service(Arc::clone(&view));
                    self.services.insert(view.key.clone(), view);
                }
                Update::Namespace(view) => self.engine.apply_namespace(view),
                Update::Config(config) => {
                    self.engine.set_config(&config);
                    self.world.set_config(config);
                }
                Update::Slice(view) => self.world.apply_endpoint_slice(&view),
                Update::Node(view) => self.world.apply_node(view),
                Update::ServiceGone(key) => {
                    self.engine.delete_service(&key);
                    self.services.remove(&key);
                }
                Update::SliceGone(key) => self.world.delete_endpoint_slice(&key),
                Update::NodeGone(name) => self.world.delete_node(&name),
                Update::NamespaceGone(name) => self.engine.delete_namespace(&name),
            }
        }
        for view in roster.overclaims() {
            self.engine.apply_service(Arc::clone(&view));
            self.services.insert(view.key.clone(), view);
        }
        self.engine.synced(AllocKind::Services);
        self.engine.synced(AllocKind::Namespaces);
        while self.engine.poll().is_some() {}
    }

    fn announce(&mut self) {
        let keys: Vec<ServiceKey> = self.services.keys().cloned().collect();
        for key in keys {
            let held = self.held(&key);
            if let Some(view) = self.services.get_mut(&key) {
                Arc::make_mut(view).ingress =
                    held.addresses.into_iter().map(Ingress::Address).collect();
                self.world.apply_service(view);
            }
        }
        self.world.set_alive(&Liveness::AllNodes);
        for kind in [Kind::Services, Kind::EndpointSlices, Kind::Nodes] {
            self.world.synced(kind);
        }
    }
}

/// Who holds what, as the statuses of the Services say.
fn held_in_statuses(updates: &[Update]) -> Generation {
    let services = updates.iter().filter_map(|update| match update {
        Update::Service(view) if !view.ingress.is_empty() => Some(view),
        _ => None,
    });
    let held = services.map(|view| {
        let pool = view.annotations.allocated_from_pool.as_deref();
        let held = Held {
            addresses: view.addresses().collect(),
            pool: pool.map(Into::into),
        };
        (view.key.clone(), held)
    });
    Generation {
        services: held.collect(),
    }
}

fn held(store: &Store) -> anyhow::Result<(Generation, Option<Diagnostic>)> {
    match store.load() {
        Loaded::Fresh => Ok((Generation::default(), None)),
        Loaded::Current(generation) => Ok((generation, None)),
        Loaded::Previous(generation, warning) => Ok((generation, Some(*warning))),
        Loaded::Unknown(fault) => bail!("{fault}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::report::InterfaceReport;

    const FOLDER: &str = r#"[
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n2"}},
        {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "p"},
         "spec": {"addresses": ["192.0.2.1-192.0.2.1"]}},
        {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": {"name": "l"},
         "spec": {"interfaces": ["eth0"]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
         "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": "web", "labels": {"kubernetes.io/service-name": "web"}},
         "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "nodeName": "n1"}]}
    ]"#;

    fn owner(reports: &[Report]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": {FOLDER}}}"#);
        std::fs::write(folder.path().join("all.json"), list).unwrap();
        let mut outlook = Outlook::read(&SourceArgs {
            dir: folder.path().to_owned(),
            state_dir: None,
            namespace: "metallb-system".into(),
            lb_class: None,
            ignore_exclude_lb: false,
        })
        .unwrap();
        outlook.learn(reports.iter());
        let explanation = outlook.world.explain(&ServiceKey::new("default", "web"));
        let owner = explanation.election.and_then(|election| election.owner);
        owner.map(|owner| owner.node.to_string())
    }

    #[test]
    fn running_speakers_tell_who_is_alive_and_who_lacks_the_interface() {
        let first = owner(&[]).unwrap();
        let other = if first == "n1" { "n2" } else { "n1" };
        let report = |node: &str, alive: &[&str]| Report {
            node: Some(node.to_owned()),
            alive: Some(alive.iter().map(|name| (*name).to_owned()).collect()),
            ..Report::default()
        };
        assert_eq!(
            owner(&[report(other, &[other])]).as_deref(),
            None,
            "{other} lacks eth0"
        );
        let mut with = report(other, &["n1", "n2"]);
        assert_eq!(owner(&[with.clone()]).as_deref(), Some(&*first));
        with.alive = Some(vec![other.to_owned()]);
        with.interfaces = vec![InterfaceReport {
            name: "eth0".into(),
            arp: true,
            ..InterfaceReport::default()
        }];
        assert_eq!(owner(&[with.clone()]).as_deref(), Some(other));
        with.alive = Some(vec!["n1".into(), "n2".into()]);
        let lacking = report(&first, &["n1", "n2"]);
        assert_eq!(owner(&[with, lacking]).as_deref(), Some(other));
    }
}
