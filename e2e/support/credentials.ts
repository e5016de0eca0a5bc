// Rampart's own account on the clusters: exactly the rights that it says it needs.

import { writeFile } from 'node:fs/promises';
import { clusterNames, type ClusterName, type TestClusters } from './clusters.ts';
import { runRampart } from './rampart.ts';

type KubernetesObject = { kind: string; metadata: { name: string; namespace?: string } };
type AppliedList = KubernetesObject | { kind: 'List'; items: KubernetesObject[] };
type AdminConfig = { clusters: { cluster: { server: string; 'certificate-authority-data': string } }[] };

const defaultAccount = { name: 'rampart', namespace: 'rampart' };

/** The grants that the tests need unless they say otherwise. */
const grants = ['--kubelets', 'proxy', '--control-plane-metrics'];

/**
 * Applies the output of `rampart rbac` with these grants to both clusters as the administrator, asks a token for the service
 * account each, and writes a kubeconfig whose contexts `hardened` and `unhardened` use these tokens. Returns its path.
 */
export async function grantRampart(clusters: TestClusters, path: string): Promise<string> {
  const rbac = await rampartRbac();
  const entries = await Promise.all(
    clusterNames.map(async (name) => {
      const account = await applyRbac(clusters, name, rbac);
      const token = await clusters.kubectl(name, ['create', 'token', account.name, `--namespace=${account.namespace}`, '--duration=8h']);
      const admin = await clusters.kubectlJson<AdminConfig>(name, ['config', 'view', '--raw', '--output=json']);
      return { name, token: token.trim(), cluster: admin.clusters[0]?.cluster };
    }),
  );
  // JSON is YAML, so that nothing needs to be quoted by hand.
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: entries.map(({ name, cluster }) => ({ name, cluster })),
    users: entries.map(({ name, token }) => ({ name: `rampart-${name}`, user: { token } })),
    contexts: entries.map(({ name }) => ({ name, context: { cluster: name, user: `rampart-${name}` } })),
    'current-context': 'hardened',
  };
  await writeFile(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}

/**
 * Grants an account of its own what trying remediations takes, and writes a kubeconfig for it whose one context has the cluster's
 * name. RBAC lets nobody hand on rights that they do not hold, so the account may also escalate and bind.
 */
export async function grantDryRun(clusters: TestClusters, name: ClusterName, path: string): Promise<string> {
  const account = 'remediation-dry-run';
  await apply(clusters, name, JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: defaultAccount.namespace } }));
  await apply(clusters, name, await rampartRbac(['--remediation-dry-run']));
  await clusters.kubectl(name, ['create', 'serviceaccount', account, `--namespace=${defaultAccount.namespace}`]);
  const subject = `--serviceaccount=${defaultAccount.namespace}:${account}`;
  await clusters.kubectl(name, ['create', 'clusterrolebinding', account, '--clusterrole=rampart-remediation-dry-run', subject]);
  const handOn = ['create', 'clusterrole', `${account}-escalate`, '--verb=escalate,bind', '--resource=roles,clusterroles'];
  await clusters.kubectl(name, handOn);
  await clusters.kubectl(name, ['create', 'clusterrolebinding', `${account}-escalate`, `--clusterrole=${account}-escalate`, subject]);
  const token = await clusters.kubectl(name, ['create', 'token', account, `--namespace=${defaultAccount.namespace}`, '--duration=8h']);
  const admin = await clusters.kubectlJson<AdminConfig>(name, ['config', 'view', '--raw', '--output=json']);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: admin.clusters[0]?.cluster }],
    users: [{ name: account, user: { token: token.trim() } }],
    contexts: [{ name, context: { cluster: name, user: account } }],
    'current-context': name,
  };
  await writeFile(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}

/** The YAML that `rampart rbac` prints with these flags. */
export async function rampartRbac(flags: string[] = grants): Promise<string> {
  const { code, stdout, stderr } = await runRampart(['rbac', ...flags]);
  if (code !== 0) throw new Error(`rampart rbac ended with ${code}:\n${stderr}`);
  return stdout;
}

/** Applies it, adds whatever it leaves to the user (namespace, account, binding), and returns the account. */
async function applyRbac(clusters: TestClusters, name: ClusterName, rbac: string): Promise<{ name: string; namespace: string }> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: defaultAccount.namespace } };
  await apply(clusters, name, JSON.stringify(namespace));
  const objects = await apply(clusters, name, rbac);

  const given = objects.find(({ kind }) => kind === 'ServiceAccount');
  const account = given ? { name: given.metadata.name, namespace: given.metadata.namespace ?? 'default' } : defaultAccount;
  if (!given) {
    await apply(clusters, name, JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account }));
  }
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole');
  if (roles.length === 0) throw new Error(`rampart rbac printed no ClusterRole:\n${rbac}`);
  if (!objects.some(({ kind }) => kind === 'ClusterRoleBinding')) {
    for (const role of roles) {
      await apply(
        clusters,
        name,
        JSON.stringify({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name: role.metadata.name },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role.metadata.name },
          subjects: [{ kind: 'ServiceAccount', ...account }],
        }),
      );
    }
  }
  return account;
}

async function apply(clusters: TestClusters, name: ClusterName, manifest: string): Promise<KubernetesObject[]> {
  const applied = await clusters.kubectlJson<AppliedList>(name, ['apply', '--filename=-', '--output=json'], manifest);
  return 'items' in applied ? applied.items : [applied];
}
