// What the page says about the real clusters, and that its remedies are taken by a real API server.

import { readFile } from 'node:fs/promises';
import { itemIds, items, type ItemId } from '../support/api.ts';
import { cells, each, fact, findingRows, openItem, outcome, row, type FindingRow } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

const etcd = (flag: string, observed: string, expected: string): FindingRow => ({
  object: 'etcd-node-1 Pod in kube-system',
  field: `spec.containers[name=etcd].command[--${flag}]`,
  observed,
  expected,
});
const apiServer = (flag: string, observed: string, expected: string): FindingRow => ({
  object: 'kube-apiserver-node-1 Pod in kube-system',
  field: `spec.containers[name=kube-apiserver].command[--${flag}]`,
  observed,
  expected,
});
const kubelet = (field: string, observed: string, expected: string): FindingRow => ({
  object: 'node-2 Node',
  field: `kubeletconfig.${field}`,
  observed,
  expected,
});
const undenied = (namespace: string, direction: string, remark = ''): FindingRow => ({
  object: `${namespace} Namespace`,
  field: `NetworkPolicy ${direction}${remark}`,
  observed: 'no policy selects every pod',
  expected: `a NetworkPolicy with an empty podSelector and policyTypes ${direction}`,
});
const container = (object: string, name: string, field: string, observed: string, expected: string): FindingRow => {
  const template = object.includes(' CronJob ') ? 'spec.jobTemplate.spec.template.' : object.includes(' Pod ') ? '' : 'spec.template.';
  return { object, field: `${template}spec.containers[name=${name}].securityContext.${field}`, observed, expected };
};

/** What the flags, the kubelets and `manifests/unhardened` must lead to: everything, and nothing else. */
const shortfalls: Record<ItemId, FindingRow[]> = {
  'etcd-tls': [
    etcd('initial-advertise-peer-urls', 'http://10.77.2.1:2380', 'https beyond loopback'),
    etcd('initial-cluster', 'http://10.77.2.1:2380', 'https beyond loopback'),
    etcd('listen-peer-urls', 'http://10.77.2.1:2380', 'https beyond loopback'),
    etcd('peer-cert-file', 'unset', 'a file'),
    etcd('peer-client-cert-auth', 'unset', 'true'),
    etcd('peer-key-file', 'unset', 'a file'),
    etcd('peer-trusted-ca-file', 'unset', 'a file'),
  ],
  'kubelet-node-restriction': [
    apiServer('authorization-mode', 'RBAC', 'includes Node'),
    apiServer('enable-admission-plugins', 'unset', 'includes NodeRestriction'),
  ],
  'kubelet-anonymous-auth': [kubelet('authentication.anonymous.enabled', 'true', 'false')],
  'kubelet-webhook-authorization': [kubelet('authorization.mode', 'AlwaysAllow', 'Webhook')],
  'kubelet-read-only-port': [kubelet('readOnlyPort', '10255', '0')],
  'default-deny': [
    undenied('reporting', 'Egress', ' NetworkPolicy default-deny selects every pod and does not isolate Egress.'),
    undenied('shop', 'Egress'),
    undenied('shop', 'Ingress'),
  ],
  'read-only-root-filesystem': [
    container('yearly-invoices CronJob in billing', 'render', 'readOnlyRootFilesystem', 'unset', 'true'),
    container('node-tuner DaemonSet in billing', 'tuner', 'readOnlyRootFilesystem', 'unset', 'true'),
    container('invoices Deployment in billing', 'pdf', 'readOnlyRootFilesystem', 'unset', 'true'),
    container('cart Deployment in shop', 'cart', 'readOnlyRootFilesystem', 'unset', 'true'),
    container('debug-shell Pod in shop', 'shell', 'readOnlyRootFilesystem', 'false', 'true'),
  ],
  'non-root-containers': [
    container('yearly-invoices CronJob in billing', 'render', 'runAsNonRoot', 'unset', 'true'),
    container('node-tuner DaemonSet in billing', 'tuner', 'runAsNonRoot', 'unset', 'true'),
    container('search Deployment in shop', 'search', 'runAsNonRoot', 'false', 'true'),
    container('storefront Deployment in shop', 'metrics-exporter', 'runAsNonRoot', 'unset', 'true'),
    container('storefront Deployment in shop', 'metrics-exporter', 'runAsUser', '0', 'unset or not 0'),
  ],
  'seccomp-apparmor': [
    container('node-tuner DaemonSet in billing', 'tuner', 'privileged', 'true', 'false'),
    container('invoices Deployment in billing', 'pdf', 'seccompProfile', 'unset', 'RuntimeDefault or Localhost'),
    container('orders StatefulSet in shop', 'postgresql', 'seccompProfile.type', 'Unconfined', 'RuntimeDefault or Localhost'),
  ],
};

test('the hardened cluster holds every item, and the other one falls short of every item by exactly what is wrong with it', async ({
  page,
  serve,
}) => {
  const { address, api } = await serve([{ name: 'hardened' }, { name: 'unhardened' }]);

  await page.goto(address);
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
  await expect(row(page, 'hardened')).toBeVisible();
  expect(await cells(page, 'hardened')).toEqual(each('holds'));
  const short = (item: ItemId) => (shortfalls[item].length === 1 ? '1 finding' : `${shortfalls[item].length} findings`);
  expect(await cells(page, 'unhardened')).toEqual(Object.fromEntries(itemIds.map((item) => [item, `falls short, ${short(item)}`])));
  await expect(row(page, 'hardened')).toContainText('100\u00a0%');
  await expect(row(page, 'unhardened')).toContainText('0\u00a0%');

  await page.getByRole('link', { name: 'hardened', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'hardened' })).toBeVisible();
  await expect(fact(page, 'Score')).toContainText('9 hold');
  await expect(page.getByRole('region', { name: 'State of the cluster' })).toHaveCount(0);
  expect((await api.runs('hardened')).map(({ kind }) => kind)).toEqual(['complete']);

  for (const item of itemIds) {
    await test.step(items[item], async () => {
      await openItem(page, address, 'unhardened', item);
      await expect(outcome(page)).toContainText('falls short');
      await expect(fact(page, 'Basis')).toContainText('Observed');
      await expect(page.getByRole('region', { name: 'Not seen' })).toHaveCount(0);
      await expect.poll(() => findingRows(page)).toEqual(shortfalls[item]);

      const known = (await api.findings('unhardened'))[item].filter(({ scope }) => scope === 'application');
      const shown = page.getByRole('region', { name: 'Findings', exact: true }).locator('tbody td:last-child time');
      const times = await shown.evaluateAll((found) => found.map((time) => Date.parse(time.getAttribute('datetime') ?? '')));
      expect(times).toEqual(known.map(({ firstSeen }) => Date.parse(firstSeen)));
    });
  }
});

test('a remedy can be read, copied and downloaded, and the API server accepts it', async ({ page, context, clusters, serve }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { address } = await serve([{ name: 'unhardened' }]);

  for (const [item, named, conflicts] of [
    ['default-deny', ['name: default-deny', 'namespace: shop'], false],
    ['read-only-root-filesystem', ['name: cart', 'readOnlyRootFilesystem: true'], false],
    // These change what the manifests state, so that the API server takes them from no second manager without force.
    ['non-root-containers', ['name: search', 'runAsNonRoot: true'], true],
    ['seccomp-apparmor', ['name: orders', 'type: RuntimeDefault'], true],
  ] as const) {
    await test.step(items[item], async () => {
      await openItem(page, address, 'unhardened', item);
      const card = page.getByRole('region', { name: 'Remediation', exact: true });
      const shown = await card.getByRole('region', { name: 'Remediation YAML' }).innerText();
      for (const text of named) expect(shown).toContain(text);

      await card.getByRole('button', { name: 'Copy YAML' }).click();
      await expect(card.getByRole('status', { name: 'Copying' })).toHaveText('Copied');
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied.trimEnd()).toBe(shown.trimEnd());

      const downloading = page.waitForEvent('download');
      await card.getByRole('link', { name: 'Download YAML' }).click();
      const download = await downloading;
      expect(download.suggestedFilename()).toBe(`unhardened-${item}.yaml`);
      expect(await readFile(await download.path(), 'utf8')).toBe(copied);

      const dryRun = ['apply', '--server-side', '--field-manager=rampart-remediation', '--dry-run=server', '--filename=-'];
      if (conflicts) {
        await expect(clusters.kubectl('unhardened', dryRun, copied)).rejects.toThrow(/conflict/);
        dryRun.push('--force-conflicts');
      }
      const objects = copied.match(/^kind: /gm)?.length ?? 0;
      const applied = (await clusters.kubectl('unhardened', dryRun, copied)).trim().split('\n');
      expect(applied).toHaveLength(objects);
      for (const line of applied) expect(line).toContain('serverside-applied (server dry run)');
    });
  }
});

for (const [item, words] of [
  ['kubelet-anonymous-auth', 'No API server takes these settings'],
  ['kubelet-node-restriction', 'NodeRestriction'],
  ['etcd-tls', 'peer-cert-file'],
] as const) {
  test(`the remedy of ${item} says that it is made on the machines`, async ({ page, serve }) => {
    const { address } = await serve([{ name: 'unhardened' }]);
    await openItem(page, address, 'unhardened', item);
    const card = page.getByRole('region', { name: 'Remediation', exact: true });
    await expect(card).toContainText(words);
    await expect(card).toContainText('they are made on the machines, as the comments say');
  });
}
