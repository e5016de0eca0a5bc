// Remedies on a real control plane: taken out of the page, tried, applied, and seen to work by the next run. The clusters
// of these tests are their own, since they do not stay as they were.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { parseAllDocuments } from 'yaml';
import { itemIds, type Api, type ItemId } from '../support/api.ts';
import type { TestClusters } from '../support/clusters.ts';
import { grantDryRun } from '../support/credentials.ts';
import { outcome, openItem } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

test.use({ clusterGeneration: 'remediation' });

const cluster = 'unhardened';
const applying = ['apply', '--server-side', '--field-manager=rampart-remediation'];
/** What `kubectl apply` alone does not show: settings of machines, and what programs make of objects that nobody runs there. */
const notShown: ItemId[] = [
  'etcd-tls',
  'kubelet-node-restriction',
  'kubelet-anonymous-auth',
  'kubelet-webhook-authorization',
  'kubelet-read-only-port',
  'api-server-third-party-auth',
  'network-traffic-monitoring',
  'secret-manager',
  'no-secrets-in-kubernetes',
  'service-mtls',
];
/** Whoever keeps the cluster answers these. */
const choices = {
  'identity-provider-issuer': 'https://login.example.com',
  'run-as-user': '10001',
  'trusted-registry-mirror': 'ghcr.io/example/mirror',
};

type Remediation = {
  remaining: { task: string; findings: string[] }[];
  simulation: { outcome: string; findings: number } | null;
  tables: { title: string; rows: string[][] }[];
  exports: { at: string; by: string; stage: string; format: string }[];
  verified: { run: string; at: string } | null;
};

test('the bundle that the page gives is refused where others own fields, is applied with force, and turns green what it says', async ({
  page,
  clusters,
  serve,
  folder,
}) => {
  test.setTimeout(420_000);
  const dryRunKubeconfig = await grantDryRun(clusters, cluster, join(folder, 'dry-run'));
  const { address, api } = await serve([{ name: cluster, dryRunKubeconfig }]);
  const promised = await remediations(api);

  const bundle = join(folder, 'bundle');
  await test.step('exported', async () => {
    const file = await exported(address, { cluster, format: 'kustomize', by: 'Jane of the platform team' });
    const again = await exported(address, { cluster, format: 'kustomize', by: 'Jane of the platform team' });
    expect(Buffer.from(file).equals(Buffer.from(again)), 'the same bytes each time').toBe(true);
    await unzipped(file, bundle);
    const built = await clusters.kubectl(cluster, ['kustomize', bundle]);
    expect(parseAllDocuments(built).length).toBeGreaterThan(20);
  });

  await test.step('tried by an identity of its own: the API server would take every document', async () => {
    for (const item of itemIds) {
      const query = new URLSearchParams(Object.entries(choices).map(([name, value]) => [`choice.${name}`, value]));
      const response = await fetch(`${address}/api/v1/clusters/${cluster}/items/${item}/remediation/dry-run?${query}`, { method: 'POST' });
      expect(response.status, item).toBe(200);
      const { answers } = (await response.json()) as { answers: { object: string; outcome: string; words: string | null }[] };
      expect(answers.filter((answer) => answer.outcome !== 'accepted'), item).toEqual([]);
    }
  });

  await test.step('whom the policies would refuse is told beforehand, and goes', async () => {
    const rows = promised['admission-policies-enforced'].tables.flatMap((table) => table.rows.map((row) => row.join(' ')));
    expect(rows.some((row) => row.includes('DaemonSet node-tuner')), rows.join('\n')).toBe(true);
    await clusters.kubectl(cluster, ['delete', 'daemonset', 'node-tuner', '--namespace=billing']);
    await rm(bundle, { recursive: true });
    await api.evaluate(cluster);
    await unzipped(await exported(address, { cluster, format: 'kustomize', by: 'Jane of the platform team' }), bundle);
  });

  await test.step('applied: refused without force, since kubectl owns fields, and taken with it', async () => {
    await expect(clusters.kubectl(cluster, [...applying, '--kustomize', bundle])).rejects.toThrow(/conflict/);
    await clusters.kubectl(cluster, [...applying, '--force-conflicts', '--kustomize', bundle]);
    // A second time nothing changes.
    const versions = await resourceVersions(clusters);
    await clusters.kubectl(cluster, [...applying, '--force-conflicts', '--kustomize', bundle]);
    expect(await resourceVersions(clusters)).toEqual(versions);
  });

  await test.step('the Secret is made that takes the place of a literal, as the remedy says', async () => {
    const values = '--from-literal=DATABASE_PASSWORD=changed';
    await clusters.kubectl(cluster, ['create', 'secret', 'generic', 'cart-credentials', '--namespace=shop', values]);
  });

  await test.step('a user is named for an image that runs as root, as the remedy says', async () => {
    const patch = { spec: { template: { spec: { securityContext: { runAsUser: 10001 } } } } };
    await clusters.kubectl(cluster, ['patch', 'deployment', 'search', '--namespace=shop', '--type=strategic', `--patch=${JSON.stringify(patch)}`]);
  });

  await test.step('deployments still roll out', async () => {
    for (const kind of ['deployments', 'statefulsets', 'daemonsets']) {
      const names = (await clusters.kubectl(cluster, ['get', kind, '--all-namespaces', '--output=jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}'])).trim();
      for (const name of names.split(' ').filter(Boolean)) {
        const [namespace, object] = name.split('/') as [string, string];
        await clusters.kubectl(cluster, ['rollout', 'status', `${kind}/${object}`, `--namespace=${namespace}`, '--timeout=90s']);
      }
    }
  });

  await test.step('evaluated again: what is left is what Rampart said a person has to do', async () => {
    await api.evaluate(cluster);
    const found = await api.findings(cluster);
    for (const item of itemIds) {
      if (notShown.includes(item)) continue;
      const named = new Set(promised[item].remaining.flatMap(({ findings }) => findings));
      const left = found[item].filter(({ state, scope }) => state !== 'resolved' && scope === 'application');
      const unnamed = left.filter(({ fingerprint }) => !named.has(fingerprint));
      expect(unnamed.map(({ subject, path, observed }) => `${subject.kind} ${subject.name} ${path}: ${observed}`), item).toEqual([]);
    }
  });

  await test.step('a person does what is left', async () => {
    await clusters.kubectl(cluster, ['delete', 'pod', 'debug-shell', '--namespace=shop', '--ignore-not-found', '--grace-period=0', '--force']);
    await clusters.kubectl(cluster, ['set', 'env', 'deployment/storefront', '--namespace=shop', '--containers=web', 'AWS_ACCESS_KEY_ID-']);
    await clusters.kubectl(cluster, ['rollout', 'status', 'deployment/storefront', '--namespace=shop', '--timeout=90s']);
    await api.evaluate(cluster);
    const states = await api.items(cluster);
    const short = itemIds.filter((item) => !notShown.includes(item) && states[item].outcome !== 'pass');
    expect(short.map((item) => [item, states[item].outcome])).toEqual([]);
  });

  await test.step('who took it out and when, and the run that saw it work', async () => {
    const item = 'read-only-root-filesystem';
    const remediation = (await remediations(api))[item];
    expect(remediation.exports[0]).toMatchObject({ by: 'Jane of the platform team', stage: 'enforce', format: 'kustomize' });
    const runs = await api.runs(cluster);
    expect(runs.map(({ id }) => id)).toContain(remediation.verified?.run);
    await openItem(page, address, cluster, item);
    await expect(outcome(page)).toContainText('holds');
    await expect(page.getByRole('region', { name: 'Remediation', exact: true })).toContainText('Jane of the platform team');
    const kinds = (await api.changes(cluster)).filter((change) => change.item === item).map(({ kind }) => kind);
    expect(kinds).toContain('remediation_exported');
  });

  await test.step('with Deny in force a bad pod is refused, and the finalizer of an old bad one can still go', async () => {
    const pod = (name: string) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'billing' }, spec: { containers: [{ name: 'c', image: 'ghcr.io/example/c', securityContext: { privileged: true } }] } });
    await expect(clusters.kubectl(cluster, ['create', '--filename=-'], pod('late'))).rejects.toThrow(/denied|forbidden/);
  });
});

/** All remediations, with the answers of whoever keeps the cluster. */
async function remediations(api: Api): Promise<Record<ItemId, Remediation>> {
  const all = await Promise.all(
    itemIds.map(async (item) => [item, await api.get<Remediation>(`/clusters/${cluster}/items/${item}/remediation`)] as const),
  );
  return Object.fromEntries(all) as Record<ItemId, Remediation>;
}

/** An export as a form asks for it. */
async function exported(address: string, fields: Record<string, string>): Promise<Uint8Array> {
  const form = new URLSearchParams(fields);
  for (const [name, value] of Object.entries(choices)) form.append(`choice.${name}`, value);
  const response = await fetch(`${address}/api/v1/exports`, { method: 'POST', body: form });
  if (!response.ok) throw new Error(`export: ${response.status} ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function unzipped(file: Uint8Array, folder: string): Promise<void> {
  for (const [name, content] of Object.entries(unzipSync(file))) {
    if (name.endsWith('/')) continue;
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** By object, what changes with each change of its content. */
async function resourceVersions(clusters: TestClusters): Promise<string> {
  // What a controller writes into a status is no change of the object.
  const counted = 'deployments,statefulsets,daemonsets,cronjobs,networkpolicies,validatingadmissionpolicies,validatingadmissionpolicybindings';
  const others = 'roles,rolebindings,clusterroles,clusterrolebindings';
  const generations = await clusters.kubectl(cluster, ['get', counted, '-A', '--output=jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.generation}{"\\n"}{end}']);
  return generations + (await clusters.kubectl(cluster, ['get', others, '-A', '--output=jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}']));
}
