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
const isolated = (object: string): FindingRow => ({
  object,
  field: 'NetworkPolicy Ingress',
  observed: 'no policy isolates the pods',
  expected: 'policies that select the pods for ingress and do not allow everything',
});
/** A namespace that lets in all three bad containers, wherever they stand in the pod. */
const admitted = (namespace: string): FindingRow[] =>
  [
    ['allowPrivilegeEscalation unset', 'Pod Security Admission (privileged) enforces nothing here (no label pod-security.kubernetes.io/enforce).'],
    ['privileged: true', 'Pod Security Admission (privileged) enforces nothing here (no label pod-security.kubernetes.io/enforce).'],
    ['readOnlyRootFilesystem unset', 'Pod Security Admission does not look at it at any level.'],
  ].flatMap(([weakness, remark]) =>
    ['containers', 'ephemeralContainers', 'initContainers'].map((list) => ({
      object: `${namespace} Namespace`,
      field: `admission of pods with ${weakness} in ${list} ${remark}`,
      observed: 'no policy refuses it',
      expected: 'admission refuses it',
    })),
  );
const untrusted = (object: string, field: string, observed: string): FindingRow => ({
  object,
  field,
  observed,
  expected: 'an image under a trusted registry',
});
const unmanaged = (secret: string, consumer: string): FindingRow => ({
  object: `${secret} Secret in shop`,
  field: `secret manager Consumed by ${consumer}.`,
  observed: 'no manager produces it',
  expected: 'an ExternalSecret, SecretProviderClass, SealedSecret or Vault Secrets Operator object that does',
});
const meshless = (object: string, port: number): FindingRow => ({
  object,
  field: `port ${port}/TCP`,
  observed: 'no proxy of a mesh runs in the pod',
  expected: 'a mesh that demands mutual TLS',
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
  'api-server-third-party-auth': [
    apiServer(
      'oidc-issuer-url',
      'no flag names one',
      'an identity provider: --oidc-issuer-url, --authentication-config with a JWT authenticator, or --authentication-token-webhook-config-file',
    ),
  ],
  'network-policies-restrict-pods': [
    isolated('cart Deployment in shop'),
    isolated('search Deployment in shop'),
    isolated('storefront Deployment in shop'),
    isolated('debug-shell Pod in shop'),
    isolated('orders StatefulSet in shop'),
  ],
  'default-deny': [
    undenied('reporting', 'Egress', ' NetworkPolicy default-deny selects every pod and does not isolate Egress.'),
    undenied('shop', 'Egress'),
    undenied('shop', 'Ingress'),
  ],
  'network-traffic-monitoring': [
    {
      object: 'kube-system Namespace',
      field: 'flow monitor',
      observed:
        'none was recognised; looked for: Hubble, Calico Goldmane and flow logs, Retina, NetObserv, Antrea Flow Aggregator, Pixie, ' +
        'Datadog Cloud Network Monitoring, NeuVector, StackRox, Amazon CloudWatch Network Flow Monitor, ' +
        "Tetragon's network policies, Istio with Kiali, Linkerd with Viz",
      expected: 'a monitor that sees flows, ready, and something that collects them',
    },
  ],
  'admission-policies-enforced': [...admitted('billing'), ...admitted('reporting'), ...admitted('shop')],
  'trusted-registries': [
    untrusted('debug-shell Pod in shop', 'spec.containers[name=shell].image', 'docker.io/library/busybox'),
    untrusted('orders StatefulSet in shop', 'spec.template.spec.containers[name=postgresql].image', 'docker.io/library/postgres'),
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
  'secret-manager': [
    {
      object: 'kube-system Namespace',
      field: 'secret manager',
      observed:
        "none was recognised; looked for: External Secrets Operator, Secrets Store CSI driver (Azure Key Vault, AWS and Google Cloud's " +
        'add-ons among its providers), Vault Agent Injector, Vault Secrets Operator, Sealed Secrets',
      expected: 'a secret manager that is ready and that applications use',
    },
    apiServer('encryption-provider-config', 'unset', 'a configuration that encrypts Secrets'),
  ],
  'no-secrets-in-kubernetes': [
    {
      object: 'cart Deployment in shop',
      field: 'spec.template.spec.containers[name=cart].env[name=DATABASE_PASSWORD].value',
      // Under a key of its own in each data folder.
      observed: 'password by name (fingerprint …)',
      expected: 'valueFrom.secretKeyRef, or a file from a secret manager',
    },
    unmanaged('cart-settings', 'Deployment cart (spec.template.spec.containers[name=cart].envFrom[0].secretRef)'),
    unmanaged(
      'storefront-aws',
      'Deployment storefront (spec.template.spec.containers[name=web].env[name=AWS_ACCESS_KEY_ID].valueFrom.secretKeyRef)',
    ),
  ],
  'least-privilege-service-accounts': [
    {
      object: 'invoices-support ClusterRoleBinding',
      field: 'roleRef Held by billing/invoices-support.',
      observed: 'ClusterRole invoices-support: [create] on [pods/exec]; runs commands in other pods, or talks to their ports',
      expected: 'only the verbs, resources and names that the workload needs',
    },
    {
      object: 'default-views RoleBinding in reporting',
      field: 'roleRef Held by reporting/default.',
      observed: 'ClusterRole view is given to default accounts',
      expected: 'default accounts without rights; an account of its own for each workload that needs some',
    },
    {
      object: 'search Deployment in shop',
      field: 'spec.template.spec.automountServiceAccountToken',
      observed: 'a token of the API is mounted; nothing is bound to account default',
      expected: 'false, here or on the account',
    },
    {
      object: 'storefront Deployment in shop',
      field: 'spec.template.spec.containers[name=web].env[name=AWS_ACCESS_KEY_ID]',
      observed: 'from Secret storefront-aws',
      expected: "an identity of the workload's own, which the cloud gives its service account",
    },
  ],
  'service-mtls': [meshless('cart Deployment in shop', 8080), meshless('orders StatefulSet in shop', 5432)],
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
  await expect(fact(page, 'Score')).toContainText(`${itemIds.length} hold`);
  await expect(page.getByRole('region', { name: 'State of the cluster' })).toHaveCount(0);
  expect((await api.runs('hardened')).map(({ kind }) => kind)).toEqual(['complete']);

  for (const item of itemIds) {
    await test.step(items[item], async () => {
      await openItem(page, address, 'unhardened', item);
      await expect(outcome(page)).toContainText('falls short');
      // Policies and labels say what admission would refuse; nobody asked it.
      await expect(fact(page, 'Basis')).toContainText(item === 'admission-policies-enforced' ? 'Declared' : 'Observed');
      await expect(page.getByRole('region', { name: 'Not seen' })).toHaveCount(0);
      await expect.poll(async () => (await findingRows(page)).map(withoutFingerprint)).toEqual(shortfalls[item]);

      const known = (await api.findings('unhardened'))[item].filter(({ scope }) => scope === 'application');
      const shown = page.getByRole('region', { name: 'Findings', exact: true }).locator('tbody td:last-child time');
      const times = await shown.evaluateAll((found) => found.map((time) => Date.parse(time.getAttribute('datetime') ?? '')));
      expect(times).toEqual(known.map(({ firstSeen }) => Date.parse(firstSeen)));
    });
  }
});

function withoutFingerprint(row: FindingRow): FindingRow {
  return { ...row, observed: row.observed.replace(/fingerprint [0-9a-f]{16}/, 'fingerprint …') };
}

test('a remedy can be read, copied and downloaded, and the API server accepts it', async ({ page, context, clusters, serve }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { address } = await serve([{ name: 'unhardened' }]);

  for (const [item, named, conflicts] of [
    ['default-deny', ['name: default-deny-ingress', 'namespace: shop'], false],
    // The manifests were applied by kubectl, so that the API server takes a part of these from no second manager without force.
    ['read-only-root-filesystem', ['name: cart', 'readOnlyRootFilesystem: true'], true],
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
      await card.getByRole('button', { name: 'Download' }).click();
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
] as const) {
  test(`the remedy of ${item} says that it is made on the machines`, async ({ page, serve }) => {
    const { address } = await serve([{ name: 'unhardened' }]);
    await openItem(page, address, 'unhardened', item);
    const card = page.getByRole('region', { name: 'Remediation', exact: true });
    await expect(card).toContainText(words);
    await expect(card).toContainText('they are made on the machines, as the comments say');
  });
}

test('where the machines are not as kubeadm makes them, the remedy says what is left to a person', async ({ page, serve }) => {
  const { address } = await serve([{ name: 'unhardened' }]);
  await openItem(page, address, 'unhardened', 'etcd-tls');
  const card = page.getByRole('region', { name: 'Remediation', exact: true });
  await expect(card.getByRole('heading', { name: 'Left to a person' })).toBeVisible();
  await expect(card).toContainText('Nothing to apply');
  await expect(card.getByRole('listitem').first()).toContainText('etcd');
});
