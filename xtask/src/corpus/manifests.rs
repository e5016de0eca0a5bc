//! The manifests of one application, written as people and charts write them: several styles of YAML, and
//! security contexts from exemplary to privileged.

use super::choice::Choice;

/// An application and where it lives.
pub(super) struct Application<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

const COMPONENTS: [&str; 12] = [
    "web",
    "worker",
    "cache",
    "scheduler",
    "exporter",
    "migrations",
    "proxy",
    "indexer",
    "store",
    "mailer",
    "audit",
    "sync",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Workload {
    Deployment,
    StatefulSet,
    DaemonSet,
    CronJob,
}

/// How much care somebody took.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Everything that the restricted Pod Security Standard asks for, and a read-only root filesystem.
    Exemplary,
    /// Set once for the pod, nothing for its containers.
    PodOnly,
    /// Some fields, in containers only.
    Partial,
    Nothing,
    /// An agent that wants the node.
    Privileged,
}

impl Application<'_> {
    /// Exactly `count` manifests.
    pub(super) fn manifests(&self, with_namespace: bool, count: usize, choice: &mut Choice) -> Vec<String> {
        let mut manifests = Vec::with_capacity(count);
        if with_namespace {
            manifests.push(self.namespace_object(choice));
        }
        for component in COMPONENTS {
            let workload = match choice.below(100) {
                0..66 => Workload::Deployment,
                66..78 => Workload::StatefulSet,
                78..84 => Workload::DaemonSet,
                _ => Workload::CronJob,
            };
            let of_component = self.component(component, workload, choice);
            if manifests.len() + of_component.len() <= count {
                manifests.extend(of_component);
            }
        }
        for number in manifests.len()..count {
            manifests.push(self.config_map(&format!("feature-flags-{number}"), choice));
        }
        manifests
    }

    fn component(&self, component: &str, workload: Workload, choice: &mut Choice) -> Vec<String> {
        let mut manifests = vec![self.service_account(component, choice)];
        manifests.push(self.workload(component, workload, choice));
        if workload != Workload::CronJob {
            manifests.push(self.service(component, choice));
        }
        if choice.percent(70) {
            manifests.push(self.config_map(&format!("{component}-config"), choice));
        }
        if workload == Workload::Deployment && choice.percent(30) {
            manifests.push(self.autoscaler(component, choice));
        }
        if choice.percent(25) {
            manifests.push(self.ingress(component, choice));
        }
        if choice.percent(30) {
            manifests.push(self.network_policy(component, choice));
        }
        if choice.percent(30) {
            manifests.push(self.role(component, choice));
            manifests.push(self.role_binding(component));
        }
        manifests
    }

    fn metadata(&self, name: &str) -> String {
        let Self { namespace, name: application } = self;
        format!(
            "metadata:\n  name: {application}-{name}\n  namespace: {namespace}\n  labels:\n    app.kubernetes.io/name: {application}\n    app.kubernetes.io/component: {name}\n    app.kubernetes.io/part-of: {namespace}\n    app.kubernetes.io/managed-by: Helm\n"
        )
    }

    fn namespace_object(&self, choice: &mut Choice) -> String {
        let level = choice.of(["privileged", "baseline", "restricted"]);
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels:\n    pod-security.kubernetes.io/enforce: {level}\n",
            self.namespace
        )
    }

    fn service_account(&self, component: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let token = if choice.percent(40) { "automountServiceAccountToken: false\n" } else { "" };
        format!("apiVersion: v1\nkind: ServiceAccount\n{metadata}{token}")
    }

    fn service(&self, component: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let port = choice.of([80, 443, 8080, 9090, 5432, 6379]);
        let application = self.name;
        // Flow style, as some people write selectors.
        format!(
            "apiVersion: v1\nkind: Service\n{metadata}spec:\n  type: ClusterIP\n  selector: {{app.kubernetes.io/name: {application}, app.kubernetes.io/component: {component}}}\n  ports:\n  - name: http\n    port: {port}\n    targetPort: http\n    protocol: TCP\n"
        )
    }

    fn config_map(&self, name: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(name);
        let mut data = String::new();
        for number in 0..2 + choice.below(4) {
            let (key, value) = choice.of([
                ("LOG_LEVEL", "info"),
                ("QUEUE_URL", "\"amqp://queue.messaging.svc:5672/orders\""),
                ("FEATURE_CHECKOUT_V2", "\"true\""),
                ("CACHE_TTL", "'300'"),
                ("REGION", "eu-central-1"),
            ]);
            data += &format!("  {key}_{number}: {value}\n");
        }
        if choice.percent(30) {
            data += "  application.yaml: |\n    server:\n      port: 8080\n      shutdown: graceful\n    # reloaded without a restart\n    limits:\n      - path: /orders\n        perMinute: 600\n";
        }
        format!("apiVersion: v1\nkind: ConfigMap\n{metadata}data:\n{data}")
    }

    fn autoscaler(&self, component: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let application = self.name;
        let most = 4 + choice.below(12);
        format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n{metadata}spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {application}-{component}\n  minReplicas: 2\n  maxReplicas: {most}\n  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target: {{type: Utilization, averageUtilization: 75}}\n"
        )
    }

    fn ingress(&self, component: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let (application, namespace) = (self.name, self.namespace);
        let tls = if choice.percent(70) {
            format!(
                "  tls:\n  - hosts: [{application}.{namespace}.example.com]\n    secretName: {application}-{component}-tls\n"
            )
        } else {
            String::new()
        };
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n{metadata}spec:\n  ingressClassName: nginx\n{tls}  rules:\n  - host: {application}.{namespace}.example.com\n    http:\n      paths:\n      - path: /{component}\n        pathType: Prefix\n        backend:\n          service:\n            name: {application}-{component}\n            port:\n              name: http\n"
        )
    }

    fn network_policy(&self, component: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let application = self.name;
        // Many a company denies by default where customers are, and not where it tests.
        let denies_by_default = choice.percent(20) && self.namespace.ends_with("-production");
        let spec = if denies_by_default {
            "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n".to_owned()
        } else {
            format!(
                "  podSelector:\n    matchLabels:\n      app.kubernetes.io/name: {application}\n      app.kubernetes.io/component: {component}\n  policyTypes:\n  - Ingress\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app.kubernetes.io/name: {application}\n    ports:\n    - protocol: TCP\n      port: 8080\n"
            )
        };
        format!("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{metadata}spec:\n{spec}")
    }

    fn role(&self, component: &str, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let verbs = choice.of([
            "[get, list, watch]",
            "[get]",
            "[\"*\"]",
            "[get, list, watch, create, update, patch, delete]",
        ]);
        let resources = choice.of(["[configmaps]", "[secrets]", "[pods, pods/log]", "[leases]"]);
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n{metadata}rules:\n- apiGroups: [\"\"]\n  resources: {resources}\n  verbs: {verbs}\n"
        )
    }

    fn role_binding(&self, component: &str) -> String {
        let metadata = self.metadata(component);
        let (application, namespace) = (self.name, self.namespace);
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n{metadata}roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {application}-{component}\nsubjects:\n- kind: ServiceAccount\n  name: {application}-{component}\n  namespace: {namespace}\n"
        )
    }

    fn workload(&self, component: &str, workload: Workload, choice: &mut Choice) -> String {
        let metadata = self.metadata(component);
        let care = match (workload, choice.below(100)) {
            (Workload::DaemonSet, 0..50) => Care::Privileged,
            (_, 0..30) => Care::Exemplary,
            (_, 30..48) => Care::PodOnly,
            (_, 48..66) => Care::Partial,
            (_, 66..97) => Care::Nothing,
            _ => Care::Privileged,
        };
        let labels =
            format!("app.kubernetes.io/name: {}\n    app.kubernetes.io/component: {component}\n", self.name);
        let selector =
            format!("  selector:\n    matchLabels:\n      {}", labels.replace("\n    ", "\n      "));
        let replicas = 1 + choice.below(5);
        let (head, depth) = match workload {
            Workload::Deployment => (
                format!(
                    "apiVersion: apps/v1\nkind: Deployment\n{metadata}spec:\n  replicas: {replicas}\n{selector}"
                ),
                2,
            ),
            Workload::StatefulSet => (
                format!(
                    "apiVersion: apps/v1\nkind: StatefulSet\n{metadata}spec:\n  replicas: {replicas}\n  serviceName: {}-{component}\n{selector}",
                    self.name
                ),
                2,
            ),
            Workload::DaemonSet => {
                (format!("apiVersion: apps/v1\nkind: DaemonSet\n{metadata}spec:\n{selector}"), 2)
            }
            Workload::CronJob => {
                let minute = choice.below(60);
                (
                    format!(
                        "apiVersion: batch/v1\nkind: CronJob\n{metadata}spec:\n  schedule: \"{minute} * * * *\"\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n"
                    ),
                    6,
                )
            }
        };
        let template =
            format!("template:\n  metadata:\n    labels:\n      {}", labels.replace("\n    ", "\n      "))
                + &indented(&self.pod_spec(component, workload, care, choice), 2);
        head + &indented(&template, depth)
    }

    fn pod_spec(&self, component: &str, workload: Workload, care: Care, choice: &mut Choice) -> String {
        let mut spec = format!("spec:\n  serviceAccountName: {}-{component}\n", self.name);
        if workload == Workload::CronJob {
            spec += "  restartPolicy: OnFailure\n";
        }
        match care {
            Care::Exemplary | Care::PodOnly => {
                spec += "  securityContext:\n    runAsNonRoot: true\n    runAsUser: 10001\n    seccompProfile:\n      type: RuntimeDefault\n";
            }
            Care::Privileged => spec += "  hostNetwork: true\n  hostPID: true\n",
            Care::Partial | Care::Nothing => {}
        }
        if choice.percent(15) {
            spec += "  initContainers:\n";
            spec += &indented(&self.container("wait-for-database", false, care, choice), 2);
        }
        spec += "  containers:\n";
        spec += &indented(&self.container(component, true, care, choice), 2);
        if choice.percent(25) {
            // A sidecar is often somebody else's, with somebody else's care.
            let care = choice.of([care, Care::Nothing, Care::Partial]);
            spec += &indented(&self.container("proxy-sidecar", false, care, choice), 2);
        }
        if care == Care::Exemplary {
            spec += "  volumes:\n  - name: tmp\n    emptyDir: {}\n";
        }
        spec
    }

    fn container(&self, name: &str, main: bool, care: Care, choice: &mut Choice) -> String {
        let application = self.name;
        let version = format!("{}.{}.{}", 1 + choice.below(4), choice.below(20), choice.below(10));
        let mut container = format!(
            "- name: {name}\n  image: registry.example.com/{application}/{name}:{version}\n  imagePullPolicy: IfNotPresent\n"
        );
        if main {
            container += "  ports:\n  - name: http\n    containerPort: 8080\n";
            container += &format!(
                "  envFrom:\n  - configMapRef:\n      name: {application}-{name}-config\n      optional: true\n"
            );
            if choice.percent(8) {
                container += "  env:\n  - name: POD_NAME\n    valueFrom:\n      fieldRef:\n        fieldPath: metadata.name\n  - name: DATABASE_URL\n    valueFrom:\n      secretKeyRef:\n        name: database\n        key: url\n";
            }
            if choice.percent(60) {
                container +=
                    "  readinessProbe:\n    httpGet: {path: /healthz, port: http}\n    periodSeconds: 10\n";
            }
        }
        if choice.percent(75) {
            let memory = choice.of(["64Mi", "128Mi", "256Mi", "1Gi"]);
            container += &format!(
                "  resources:\n    requests:\n      cpu: 100m\n      memory: {memory}\n    limits:\n      memory: {memory}\n"
            );
        }
        container += &security_context(care, choice);
        if care == Care::Exemplary {
            container += "  volumeMounts:\n  - name: tmp\n    mountPath: /tmp\n";
        }
        container
    }
}

fn security_context(care: Care, choice: &mut Choice) -> String {
    let fields = match care {
        Care::Exemplary => {
            "    allowPrivilegeEscalation: false\n    readOnlyRootFilesystem: true\n    runAsNonRoot: true\n    capabilities:\n      drop: [ALL]\n"
        }
        Care::Partial => choice.of([
            "    readOnlyRootFilesystem: false\n    runAsUser: 1000\n",
            "    readOnlyRootFilesystem: true\n",
            "    runAsNonRoot: true\n    seccompProfile:\n      type: Unconfined\n",
            "    runAsUser: 0\n    capabilities:\n      add: [\"NET_BIND_SERVICE\"]\n",
            "    allowPrivilegeEscalation: false\n    seccompProfile:\n      type: Localhost\n      localhostProfile: profiles/web.json\n",
            "    appArmorProfile:\n      type: RuntimeDefault\n    runAsGroup: 1000\n",
        ]),
        Care::Privileged => "    privileged: true\n    runAsUser: 0\n",
        Care::PodOnly | Care::Nothing => return String::new(),
    };
    format!("  securityContext:\n{fields}")
}

fn indented(text: &str, depth: usize) -> String {
    let margin = " ".repeat(depth);
    text.lines().map(|line| format!("{margin}{line}\n")).collect()
}
