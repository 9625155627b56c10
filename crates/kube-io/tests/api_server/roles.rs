// SPDX-License-Identifier: Apache-2.0
//! Who the tests come as, and what each may do.

/// The controller under rules that grant a patch and a Lease.
pub const CONTROLLER: &str = "controller";
/// The controller under MetalLB's rules: an update of the status, no patch, no Lease.
pub const OLD: &str = "old-controller";
/// The speaker.
pub const SPEAKER: &str = "speaker";
/// Somebody who may do nothing.
pub const NOBODY: &str = "nobody";
/// Somebody who may read metrics.
pub const SCRAPER: &str = "scraper";

/// All of them.
pub const USERS: [&str; 5] = [CONTROLLER, OLD, SPEAKER, NOBODY, SCRAPER];

/// The rules.
pub const RULES: &str = r#"
apiVersion: v1
kind: Namespace
metadata: { name: metallb-system }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reading }
rules:
- { apiGroups: [""], resources: [services, namespaces], verbs: [get, list, watch] }
- { apiGroups: [""], resources: [events], verbs: [create, patch] }
- { apiGroups: [metallb.io], resources: [configurationstates], verbs: [create, delete, get, list, patch, update, watch] }
- { apiGroups: [metallb.io], resources: [configurationstates/status], verbs: [get, patch, update] }
- { apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create] }
- { apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews], verbs: [create] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: controller }
rules:
- { apiGroups: [""], resources: [nodes], verbs: [get, list, watch] }
- { apiGroups: [""], resources: [services/status], verbs: [patch] }
- { apiGroups: [admissionregistration.k8s.io], resources: [validatingwebhookconfigurations], verbs: [get, list, watch, patch] }
- { apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [get, list, watch, patch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: old-controller }
rules:
- { apiGroups: [""], resources: [nodes], verbs: [list] }
- { apiGroups: [""], resources: [services/status], verbs: [update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: speaker }
rules:
- { apiGroups: [""], resources: [nodes], verbs: [get, list, watch] }
- { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch] }
- { apiGroups: [metallb.io], resources: [servicel2statuses, servicel2statuses/status], verbs: ["*"] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: scraper }
rules:
- { nonResourceURLs: [/metrics], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: kinds, namespace: metallb-system }
rules:
- apiGroups: [metallb.io]
  resources: [ipaddresspools, bgpadvertisements, l2advertisements, bgppeers, bfdprofiles, communities]
  verbs: [get, list, watch]
- { apiGroups: [""], resources: [secrets], verbs: [create, delete, get, list, patch, update, watch] }
- { apiGroups: [""], resources: [pods], verbs: [get, list] }
- { apiGroups: [metallb.io], resources: [servicebgpstatuses, servicebgpstatuses/status], verbs: ["*"] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: controller, namespace: metallb-system }
rules:
- { apiGroups: [metallb.io], resources: [ipaddresspools/status], verbs: [patch] }
- { apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: old-controller, namespace: metallb-system }
rules:
- { apiGroups: [metallb.io], resources: [ipaddresspools/status], verbs: [update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reading }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reading }
subjects:
- { kind: User, name: controller, apiGroup: rbac.authorization.k8s.io }
- { kind: User, name: old-controller, apiGroup: rbac.authorization.k8s.io }
- { kind: User, name: speaker, apiGroup: rbac.authorization.k8s.io }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: controller }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: controller }
subjects: [{ kind: User, name: controller, apiGroup: rbac.authorization.k8s.io }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: old-controller }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: old-controller }
subjects: [{ kind: User, name: old-controller, apiGroup: rbac.authorization.k8s.io }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: speaker }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: speaker }
subjects: [{ kind: User, name: speaker, apiGroup: rbac.authorization.k8s.io }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: scraper }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: scraper }
subjects: [{ kind: User, name: scraper, apiGroup: rbac.authorization.k8s.io }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: kinds, namespace: metallb-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: kinds }
subjects:
- { kind: User, name: controller, apiGroup: rbac.authorization.k8s.io }
- { kind: User, name: old-controller, apiGroup: rbac.authorization.k8s.io }
- { kind: User, name: speaker, apiGroup: rbac.authorization.k8s.io }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: controller, namespace: metallb-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: controller }
subjects: [{ kind: User, name: controller, apiGroup: rbac.authorization.k8s.io }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: old-controller, namespace: metallb-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: old-controller }
subjects: [{ kind: User, name: old-controller, apiGroup: rbac.authorization.k8s.io }]
"#;
