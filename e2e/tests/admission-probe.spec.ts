// The active probe: the API server's own answers to bad pods, none of which ever exists.

import type { ClusterName } from '../support/clusters.ts';
import { rampartRbac } from '../support/credentials.ts';
import { fact, openItem, outcome } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

const item = 'admission-policies-enforced';
const clusterRole = 'rampart-admission-probe';

test('with the grant every canary is refused on one cluster and let in on the other, and nothing is created', async ({ page, clusters, serve }) => {
  test.setTimeout(120_000);
  const names = ['hardened', 'unhardened'] as const;
  const before = await Promise.all(names.map((cluster) => pods(cluster)));
  // Whatever comes to exist from here on is heard of, however short it lives.
  const since = await Promise.all(names.map((cluster) => clusters.kubectlJson<PodList>(cluster, ['get', '--raw', '/api/v1/pods?limit=1'])));
  try {
    for (const cluster of names) await grantProbe(cluster);
    const { address, api } = await serve(names.map((name) => ({ name, admissionProbe: true })));

    await openItem(page, address, 'hardened', item);
    await expect(outcome(page)).toContainText('holds');
    await expect(fact(page, 'Basis')).toContainText('Observed');
    await expect(page.getByText('ValidatingAdmissionPolicy \'pod-hardening\'').first()).toBeVisible();

    await openItem(page, address, 'unhardened', item);
    await expect(outcome(page)).toContainText('falls short');
    await expect(fact(page, 'Basis')).toContainText('Observed');
    const found = (await api.findings('unhardened'))[item];
    expect(found).toHaveLength(27);
    expect(new Set(found.map(({ observed }) => observed))).toEqual(new Set(['the API server let it in (dry run)']));
    for (const cluster of names) {
      const { kinds } = await api.get<{ kinds: { verb: string; path: string; refused: boolean }[] }>(`/clusters/${cluster}/reading`);
      expect(kinds).toContainEqual(expect.objectContaining({ verb: 'create (dry run)', refused: false }));
    }
  } finally {
    for (const cluster of names) await clusters.kubectl(cluster, ['delete', 'clusterrole,clusterrolebinding', clusterRole, '--ignore-not-found']);
  }
  expect(await Promise.all(names.map((cluster) => pods(cluster)))).toEqual(before);
  for (const [index, cluster] of names.entries()) {
    const version = since[index]!.metadata.resourceVersion;
    const watched = await clusters.kubectl(cluster, ['get', '--raw', `/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion=${version}`]);
    expect(watched).not.toContain('rampart-canary');
  }

  async function grantProbe(cluster: ClusterName): Promise<void> {
    const printed = await rampartRbac(['--admission-probe']);
    const role = printed.replace('name: rampart\n', `name: ${clusterRole}\n`);
    await clusters.kubectl(cluster, ['apply', '--filename=-'], role);
    await clusters.kubectl(cluster, ['create', 'clusterrolebinding', clusterRole, `--clusterrole=${clusterRole}`, '--serviceaccount=rampart:rampart']);
    const may = ['auth', 'can-i', 'create', 'pods', '--namespace=default', '--as=system:serviceaccount:rampart:rampart'];
    await expect.poll(() => clusters.kubectl(cluster, may).catch(() => 'no')).toContain('yes');
  }

  async function pods(cluster: ClusterName): Promise<string[]> {
    return (await clusters.kubectl(cluster, ['get', 'pods', '--all-namespaces', '--output=name'])).trim().split('\n').sort();
  }
});

test('without the grant the prediction stands, and the gap says what was skipped and which rule closes it', async ({ page, serve }) => {
  const { address, api } = await serve([{ name: 'hardened', admissionProbe: true }]);
  const { outcome: result, gaps } = (await api.items('hardened'))[item];
  expect(result).toBe('pass');
  await openItem(page, address, 'hardened', item);
  await expect(fact(page, 'Basis')).toContainText('Declared');
  const skipped = gaps.filter(({ reason }) => reason === 'forbidden');
  expect(skipped.length).toBeGreaterThan(0);
  for (const { detail, rule } of skipped) {
    expect(detail).toMatch(/cannot create resource "pods"|cannot patch resource "pods\/ephemeralcontainers"/);
    expect(rule).toMatchObject({ resources: ['pods', 'pods/ephemeralcontainers'], verbs: ['create', 'patch'] });
  }
});

type PodList = { metadata: { resourceVersion: string } };
