// What was not seen is not known: nothing holds, and nothing is resolved, for lack of evidence.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Change, FindingRecord, ItemId, Outcome } from '../support/api.ts';
import { itemIds } from '../support/api.ts';
import { cells, each, evaluateNow, fact, findingRows, openItem, outcome } from '../support/dashboard.ts';
import { rules, subjectOf, without } from '../support/grants.ts';
import { commandConfiguration } from '../support/configuration.ts';
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
    expect(Object.values(await cells(page, cluster)).filter((text) => text.startsWith('holds'))).toEqual([]);

    const [run] = await api.runs(cluster);
    expect(run).toMatchObject({ kind: 'partial' });
    const states = await api.items(cluster);
    expect(states['etcd-tls']).toMatchObject({ outcome: 'unknown', openFindings: 0, unconfirmedFindings: 7 });
    expect(Object.values(states).map((state) => state.outcome)).not.toContain('pass');
    const during = await api.findings(cluster);
    for (const item of itemIds) {
      expect(during[item].filter(isOfPods).map(lasting), item).toEqual(before[item].map(lasting));
      for (const finding of during[item]) expect(finding, item).toMatchObject({ resolvedAt: null });
    }
    // The API server's own answer still shows a violation, as another finding.
    expect(itemIds.filter((item) => during[item].some((finding) => !isOfPods(finding)))).toEqual(toldByFlagz);
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
    const found = after[item].filter(isOfPods);
    expect(found.map(lasting), item).toEqual(before[item].map(lasting));
    for (const finding of found) expect(finding, item).toMatchObject({ state: 'open', unconfirmedSince: null, resolvedAt: null });
  }
  const since = (await api.changes(cluster)).slice(opened.length);
  // A token is seen mounted in a pod; without pods the template says, in other words, that one will be.
  const inOtherWords = ({ kind, item }: Change) => kind === 'finding_changed' && item === 'least-privilege-service-accounts';
  const ofFlagz = ({ kind, item }: Change) => kind.startsWith('finding_') && toldByFlagz.includes(item!);
  const news = since.filter((change) => !inOtherWords(change) && !ofFlagz(change));
  expect(news.filter(({ kind }) => falseNews.includes(kind) || kind === 'finding_opened')).toEqual([]);
  for (const kind of ['became_unknown', 'became_known']) {
    expect(since.filter((change) => change.kind === kind).map(({ item }) => item).sort(inOrder)).toEqual(shownByPodsAlone);
  }

  await page.getByRole('link', { name: cluster, exact: true }).click();
  await expect(fact(page, 'State')).toHaveText('current');
  await expect(page.getByRole('region', { name: 'Latest changes' })).toContainText('etcd TLS: known again');
});

/** What /flagz shows of the API server where its pod is not seen. */
const toldByFlagz: ItemId[] = ['kubelet-node-restriction', 'api-server-third-party-auth', 'secret-manager'];
/** What no template, no namespace and no answer of the API server shows. */
const shownByPodsAlone: ItemId[] = ['etcd-tls', 'network-policies-restrict-pods', 'network-traffic-monitoring', 'service-mtls'];

function inOrder(one: ItemId | null, other: ItemId | null): number {
  return itemIds.indexOf(one!) - itemIds.indexOf(other!);
}

function isOfPods({ subject, path }: FindingRecord): boolean {
  return subject.kind !== 'Flagz' && !path.includes('/flagz');
}

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

const ofKubelets: ItemId[] = ['kubelet-anonymous-auth', 'kubelet-webhook-authorization', 'kubelet-read-only-port'];
const ofWorkloads: ItemId[] = [
  'network-policies-restrict-pods',
  'default-deny',
  'admission-policies-enforced',
  'trusted-registries',
  'read-only-root-filesystem',
  'non-root-containers',
  'seccomp-apparmor',
  'no-secrets-in-kubernetes',
  'least-privilege-service-accounts',
  'service-mtls',
];
const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';

/** Which items of the hardened cluster cannot be known without a rule; without any other rule all of them still hold. */
const unknownWithout: Record<string, ItemId[]> = {
  pods: itemIds.filter((item) => !ofKubelets.includes(item)),
  // The operator of External Secrets is a Deployment, the agent of Retina a DaemonSet.
  'deployments.apps': [...ofWorkloads, 'secret-manager'],
  'statefulsets.apps': ofWorkloads,
  'daemonsets.apps': [...ofWorkloads, 'network-traffic-monitoring'],
  'replicasets.apps': ofWorkloads,
  'jobs.batch': ofWorkloads,
  'cronjobs.batch': ofWorkloads,
  namespaces: ['network-policies-restrict-pods', 'default-deny', 'admission-policies-enforced', 'no-secrets-in-kubernetes'],
  nodes: ofKubelets,
  'nodes/proxy': ofKubelets,
  serviceaccounts: ['no-secrets-in-kubernetes', 'least-privilege-service-accounts'],
  services: ['no-secrets-in-kubernetes', 'service-mtls'],
  'endpointslices.discovery.k8s.io': ['service-mtls'],
  // What kubeadm declares for kubelets is there too, but the kubelets themselves were read.
  configmaps: ['network-traffic-monitoring', 'no-secrets-in-kubernetes', 'service-mtls'],
  [`roles.${rbac}`]: ['least-privilege-service-accounts'],
  [`clusterroles.${rbac}`]: ['least-privilege-service-accounts'],
  [`rolebindings.${rbac}`]: ['least-privilege-service-accounts'],
  [`clusterrolebindings.${rbac}`]: ['least-privilege-service-accounts'],
  'networkpolicies.networking.k8s.io': ['network-policies-restrict-pods', 'default-deny'],
  [`validatingadmissionpolicies.${admission}`]: ['admission-policies-enforced'],
  [`validatingadmissionpolicybindings.${admission}`]: ['admission-policies-enforced'],
  // What a policy refuses no webhook lets in.
  [`validatingwebhookconfigurations.${admission}`]: [],
  // The remedies of network policies keep webhooks reachable.
  [`mutatingwebhookconfigurations.${admission}`]: [],
  'externalsecrets.external-secrets.io': ['secret-manager', 'no-secrets-in-kubernetes'],
  'peerauthentications.security.istio.io': ['service-mtls'],
  // They support an item and do not decide.
  'certificatesigningrequests.certificates.k8s.io': [],
  // Only a metric shows that Secrets are encrypted.
  '/flagz,/metrics': ['secret-manager'],
};

type Scan = { clusters: { items: { id: ItemId; outcome: Outcome; gaps: { reason: string }[] }[] }[] };

test('without any one rule of the ClusterRole no item that needs it holds, and every other one does', async ({
  clusters,
  rampartKubeconfig,
  folder,
}) => {
  test.setTimeout(180_000);
  const cluster = 'hardened';
  const all = (await rules(clusters, cluster)).map(subjectOf);
  const served = new Set((await clusters.kubectl(cluster, ['api-resources', '--output=name'])).split('\n'));
  const isOptional = (subject: string) => subject.includes('.') && !served.has(subject);
  expect(all.filter((subject) => !isOptional(subject)).sort()).toEqual(Object.keys(unknownWithout).sort());

  const file = join(folder, 'rampart.toml');
  await writeFile(file, commandConfiguration(cluster));
  const scan = async () => {
    const arguments_ = ['scan', '--context', cluster, '--config', file, '--format=json', '--fail-on=unknown'];
    const { stdout, stderr, code } = await runRampart(arguments_, { env: { KUBECONFIG: rampartKubeconfig, XDG_DATA_HOME: folder } });
    expect(stderr.split('\n').filter((line) => line.includes('ERROR'))).toEqual([]);
    const items = (JSON.parse(stdout) as Scan).clusters[0]!.items;
    expect(items.map(({ id }) => id)).toEqual(itemIds);
    return { code, items };
  };

  const complete = await scan();
  expect(complete.items.map(({ outcome }) => outcome)).toEqual(itemIds.map(() => 'pass'));
  expect(complete.code).toBe(0);
  for (const [missing, expected] of Object.entries(unknownWithout)) {
    await test.step(`without ${missing}`, async () => {
      const { items, code } = await without(clusters, cluster, missing, scan);
      expect(Object.fromEntries(items.map(({ id, outcome }) => [id, outcome])), missing).toEqual(
        Object.fromEntries(itemIds.map((id) => [id, expected.includes(id) ? 'unknown' : 'pass'])),
      );
      for (const { id, gaps } of items.filter(({ id }) => expected.includes(id))) {
        expect(gaps.map(({ reason }) => reason), `${id} without ${missing}`).toContain('forbidden');
      }
      expect(code).toBe(expected.length === 0 ? 0 : 1);
    });
  }
  await test.step('without any kind that this cluster does not serve', async () => {
    const { items } = await without(clusters, cluster, all.filter(isOptional), scan);
    expect(items.map(({ outcome }) => outcome)).toEqual(itemIds.map(() => 'pass'));
  });
});

function outcomes(texts: Record<ItemId, string>): ItemId[] {
  return itemIds.filter((item) => texts[item].startsWith('unknown'));
}
