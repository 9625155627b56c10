// SPDX-License-Identifier: Apache-2.0
//! 10,000 manifests from text to objects: a file each, and all in one file.

#![allow(missing_docs, reason = "what criterion's macros make has none")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use ferrolb_config::manifest::{folder::Folder, parse};

const COUNT: usize = 10_000;

/// A mix as a cluster has it: mostly Services with their EndpointSlices, some pools and advertisements.
fn manifest(n: usize) -> String {
    match n % 10 {
        0 => format!(
            "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: pool-{n}\n  \
             namespace: metallb-system\n  labels:\n    zone: east\nspec:\n  addresses:\n  - 10.{}.{}.0/28\n  \
             - 10.{}.{}.32-10.{}.{}.47\n  autoAssign: true\n",
            n / 250,
            n % 250,
            n / 250,
            n % 250,
            n / 250,
            n % 250,
        ),
        1 => format!(
            "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata:\n  name: ad-{n}\n  \
             namespace: metallb-system\nspec:\n  ipAddressPools:\n  - pool-{}\n  nodeSelectors:\n  - matchLabels:\n      \
             kubernetes.io/hostname: node-{n}\n",
            n - 1,
        ),
        2..=4 => format!(
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: web-{n}\n  namespace: default\n  \
             labels:\n    kubernetes.io/service-name: web-{n}\naddressType: IPv4\nendpoints:\n- addresses:\n  - 10.0.0.1\n  \
             conditions:\n    ready: true\n  nodeName: node-1\n- addresses:\n  - 10.0.0.2\n  conditions:\n    ready: true\n  \
             nodeName: node-2\nports:\n- name: http\n  port: 8080\n  protocol: TCP\n",
        ),
        _ => format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web-{n}\n  namespace: default\n  labels:\n    app: web-{n}\n  \
             annotations:\n    metallb.io/address-pool: pool-0\nspec:\n  type: LoadBalancer\n  externalTrafficPolicy: Local\n  \
             selector:\n    app: web-{n}\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n    protocol: TCP\n  \
             - name: https\n    port: 443\n    targetPort: 8443\n    protocol: TCP\n",
        ),
    }
}

fn benchmarks(c: &mut Criterion) {
    let texts: Vec<(Arc<str>, String)> = (0..COUNT)
        .map(|n| (format!("{n:05}.yaml").into(), manifest(n)))
        .collect();
    let whole: String = texts
        .iter()
        .map(|(_, text)| format!("---\n{text}"))
        .collect();
    let name: Arc<str> = "all.yaml".into();
    let mut group = c.benchmark_group("manifest");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    group.bench_function("10000 texts", |b| {
        b.iter(|| {
            let objects: usize = texts
                .iter()
                .map(|(name, text)| parse(name, black_box(text), "default").manifests.len())
                .sum();
            assert_eq!(objects, COUNT);
        });
    });
    group.bench_function("1 text", |b| {
        b.iter(|| {
            let parsed = parse(&name, black_box(&whole), "default");
            assert_eq!(parsed.manifests.len(), COUNT);
        });
    });
    group.bench_function("folder of 10000 files", |b| {
        b.iter(|| {
            let mut folder = Folder::new("default");
            texts
                .iter()
                .for_each(|(name, text)| folder.update(name, Some(text)));
            assert_eq!(folder.take_changes().len(), COUNT);
        });
    });
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
