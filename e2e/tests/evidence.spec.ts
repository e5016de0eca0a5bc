// What was not seen is not known: nothing holds, and nothing is resolved, for lack of evidence.

import type { FindingRecord, ItemId, Outcome } from '../support/api.ts';
import { itemIds } from '../support/api.ts';
import { cells, each, evaluateNow, fact, findingRows, openItem, outcome } from '../support/dashboard.ts';
import { resource, rules, without } from '../support/grants.ts';
import { runRampart } from '../support/rampart.ts';
import { expect, test } from '../support/test.ts';

/** The events that a gap alone must never make. */
const falseNews = ['fixed', 'regressed', 'finding_resolved', 'finding_reopened', 'finding_changed'];

test('a run that may not list pods resolves nothing, and the next one finds everything as it was', async ({ page, clusters, serve }) => {
  const cluster = 'unhardened';
  const { address, api } = await serve([{ name: cluster }]);
  const before = await api.findings(cluster);
  const opened = await api.changes(cluster);
  await openItem(page, address, cluster, 'etcd-tls');
  await expect.poll(() => findingRows(page)).toHaveLength(before['etcd-tls'].length);

  await without(clusters, cluster, 'pods', async () => {
    await evaluateNow(page, /^Evaluated in part/);

    await expect(outcome(page)).toContainText('unknown');
    await expect(page.getByText(`${before['etcd-tls'].length} findings stay open, unconfirmed`)).toBeVisible();
    const gaps = page.getByRole('region', { name: 'Not seen' });
    await expect(gaps).toContainText('pods');
    await expect(gaps).toContainText('cannot list resource "pods"');
    await expect(gaps.getByLabel('RBAC rule').first()).toContainText('"pods"');
    await page.getByRole('navigation', { name: 'Findings by state' }).getByRole('link', { name: /^Unconfirmed/ }).click();
    await expect.poll(() => findingRows(page)).toHaveLength(before['etcd-tls'].length);
    await page.getByRole('link', { name: 'Fleet' }).first().click();
    await expect.poll(async () => (await cells(page, cluster))['etcd-tls']).toBe('unknown, 7 unconfirmed findings');
    expect((await cells(page, cluster))['kubelet-node-restriction']).toBe('unknown, 2 unconfirmed findings');
    expect(Object.values(await cells(page, cluster)).filter((text) => text.startsWith('holds'))).toEqual([]);

    const [run] = await api.runs(cluster);
    expect(run).toMatchObject({ kind: 'partial' });
    const states = await api.items(cluster);
    expect(states['etcd-tls']).toMatchObject({ outcome: 'unknown', openFindings: 0, unconfirmedFindings: 7 });
    expect(Object.values(states).map((state) => state.outcome)).not.toContain('pass');
    const during = await api.findings(cluster);
    for (const item of itemIds) {
      expect(during[item].map(lasting), item).toEqual(before[item].map(lasting));
      for (const finding of during[item]) expect(finding, item).toMatchObject({ resolvedAt: null });
    }
    // What shows only in a pod could not be confirmed; what a template shows was seen again.
    const state = (name: string) => during['read-only-root-filesystem'].find(({ subject }) => subject.name === name)?.state;
    expect({ bare: state('debug-shell'), mirror: state('etcd-node-1'), template: state('cart') }).toEqual({
      bare: 'unconfirmed',
      mirror: 'unconfirmed',
      template: 'open',
    });
  });

  await evaluateNow(page, `${cluster}: Evaluated, with changes.`);
  await expect.poll(async () => (await cells(page, cluster))['etcd-tls']).toBe('falls short, 7 findings');
  const after = await api.findings(cluster);
  for (const item of itemIds) {
    expect(after[item].map(lasting), item).toEqual(before[item].map(lasting));
    for (const finding of after[item]) expect(finding, item).toMatchObject({ state: 'open', unconfirmedSince: null, resolvedAt: null });
  }
  const since = (await api.changes(cluster)).slice(opened.length);
  expect(since.map(({ kind }) => kind).filter((kind) => falseNews.includes(kind) || kind === 'finding_opened')).toEqual([]);
  expect(since.filter(({ kind }) => kind === 'became_unknown').map(({ item }) => item)).toEqual(['etcd-tls', 'kubelet-node-restriction']);
  expect(since.filter(({ kind }) => kind === 'became_known').map(({ item }) => item)).toEqual(['etcd-tls', 'kubelet-node-restriction']);

  await page.getByRole('link', { name: cluster, exact: true }).click();
  await expect(fact(page, 'State')).toHaveText('current');
  await expect(page.getByRole('region', { name: 'Latest changes' })).toContainText('etcd TLS: known again');
});

/** What a finding keeps whatever a run can see. */
function lasting({ fingerprint, firstSeen, openedAt, subject, path }: FindingRecord) {
  return { fingerprint, firstSeen, openedAt, subject, path };
}

test('on a cluster where all holds, the same run makes items unknown, and the next one makes nothing of it', async ({ page, clusters, serve }) => {
  const cluster = 'hardened';
  const { address, api } = await serve([{ name: cluster }]);
  const opened = await api.changes(cluster);
  await page.goto(address);
  await expect.poll(() => cells(page, cluster)).toEqual(each('holds'));

  await without(clusters, cluster, 'pods', async () => {
    await evaluateNow(page, /Evaluated in part/);
    await expect.poll(async () => outcomes(await cells(page, cluster))).toEqual(unknownWithout['pods']);
  });

  await evaluateNow(page, `${cluster}: Evaluated, with changes.`);
  await expect.poll(() => cells(page, cluster)).toEqual(each('holds'));
  const since = (await api.changes(cluster)).slice(opened.length);
  expect([...new Set(since.map(({ kind }) => kind))].sort()).toEqual(['became_known', 'became_unknown']);
});

const ofWorkloads: ItemId[] = ['default-deny', 'read-only-root-filesystem', 'non-root-containers', 'seccomp-apparmor'];
const ofKubelets: ItemId[] = ['kubelet-anonymous-auth', 'kubelet-webhook-authorization', 'kubelet-read-only-port'];

/** Which items of the hardened cluster cannot be known without a rule; without any other rule all nine still hold. */
const unknownWithout: Record<string, ItemId[]> = {
  pods: ['etcd-tls', 'kubelet-node-restriction', ...ofWorkloads],
  deployments: ofWorkloads,
  replicasets: ofWorkloads,
  statefulsets: ofWorkloads,
  daemonsets: ofWorkloads,
  jobs: ofWorkloads,
  cronjobs: ofWorkloads,
  networkpolicies: ['default-deny'],
  nodes: ofKubelets,
  'nodes/proxy': ofKubelets,
  // The UID of kube-system tells one cluster from another, and no item rests on it.
  namespaces: [],
  // What kubeadm declares for kubelets; the kubelets themselves were read.
  configmaps: [],
};

type Scan = { clusters: { items: { id: ItemId; outcome: Outcome; gaps: { reason: string }[] }[] }[] };

test('without any one rule of the ClusterRole no item that needs it holds, and every other one does', async ({ clusters, rampartKubeconfig }) => {
  const cluster = 'hardened';
  const all = (await rules(clusters, cluster)).map(resource);
  expect([...all].sort()).toEqual(Object.keys(unknownWithout).sort());

  const scan = async () => {
    const { stdout, stderr, code } = await runRampart(['scan', '--context', cluster, '--format=json', '--fail-on=unknown'], {
      env: { KUBECONFIG: rampartKubeconfig },
    });
    expect(stderr.split('\n').filter((line) => line.includes('ERROR'))).toEqual([]);
    const items = (JSON.parse(stdout) as Scan).clusters[0]!.items;
    expect(items.map(({ id }) => id)).toEqual(itemIds);
    return { code, items };
  };

  const complete = await scan();
  expect(complete.items.map(({ outcome }) => outcome)).toEqual(itemIds.map(() => 'pass'));
  expect(complete.code).toBe(0);
  for (const missing of all) {
    await test.step(`without ${missing}`, async () => {
      const { items, code } = await without(clusters, cluster, missing, scan);
      const expected = unknownWithout[missing]!;
      expect(Object.fromEntries(items.map(({ id, outcome }) => [id, outcome]))).toEqual(
        Object.fromEntries(itemIds.map((id) => [id, expected.includes(id) ? 'unknown' : 'pass'])),
      );
      for (const { id, gaps } of items.filter(({ id }) => expected.includes(id))) {
        expect(gaps.map(({ reason }) => reason), id).toContain('forbidden');
      }
      expect(code).toBe(expected.length === 0 ? 0 : 1);
    });
  }
});

function outcomes(texts: Record<ItemId, string>): ItemId[] {
  return itemIds.filter((item) => texts[item].startsWith('unknown'));
}
