// What Rampart predicts of ValidatingAdmissionPolicies is what the API server says to a dry run.

import {
  cases, DryRuns, objectsOf, pods, predict,
  type Answer, type Asked, type KubernetesObject, type Prediction, type World,
} from '../support/admission.ts';
import type { TestClusters } from '../support/clusters.ts';
import { expect, test } from '../support/test.ts';

const cluster = 'unhardened';
const all = await cases();
const podsIn = await pods();
const policies = all;

let dryRuns: DryRuns;
let world: World;

test.describe.configure({ mode: 'default' });

test.beforeAll(async ({ clusters }) => {
  test.setTimeout(900_000);
  // The first prediction builds the program.
  await predict({ policies: [], bindings: [], params: [], namespaces: [], userInfo: null }, []);
  const objects = all.flatMap(objectsOf);
  const is = (kind: string) => (object: KubernetesObject) => object.kind === kind;
  const [spaces, others] = [objects.filter(is('Namespace')), objects.filter((object) => !is('Namespace')(object))];
  await create(clusters, [...spaces, updated]);
  await serviceAccounts(clusters);
  await create(clusters, [existing()]);
  await create(clusters, [...others, ...updatePolicies().flatMap(objectsOf).filter((object) => !is('Namespace')(object))]);
  dryRuns = await DryRuns.of(clusters, cluster);
  await inForce(clusters);
  const list = async (kind: string) => (await clusters.kubectlJson<{ items: unknown[] }>(cluster, ['get', kind, '--all-namespaces', '--output=json'])).items;
  const review = await clusters.kubectlJson<{ status: { userInfo: unknown } }>(cluster, ['auth', 'whoami', '--output=json']);
  world = {
    policies: await list('validatingadmissionpolicies'),
    bindings: await list('validatingadmissionpolicybindings'),
    params: await list('configmaps'),
    namespaces: await list('namespaces'),
    userInfo: review.status.userInfo,
  };
});

test.afterAll(async ({ clusters }) => {
  test.setTimeout(300_000);
  const names = [...all.map(({ name }) => name), updated.metadata.name];
  const ours = [...names, ...updatePolicies().map(({ name }) => name), sentinel];
  await clusters.kubectl(cluster, ['delete', 'validatingadmissionpolicybindings', '--ignore-not-found', ...ours.map((name) => `${name}-binding`)]);
  await clusters.kubectl(cluster, ['delete', 'validatingadmissionpolicies', '--ignore-not-found', ...ours]);
  await clusters.kubectl(cluster, ['patch', 'pod', 'existing', `--namespace=${updated.metadata.name}`, '--type=merge', '--patch={"metadata":{"finalizers":null}}']);
  await clusters.kubectl(cluster, ['delete', 'namespaces', '--ignore-not-found', '--timeout=240s', ...names, sentinel]);
});

test('there are enough combinations, and both answers among them', async () => {
  const { requests, answers } = await asked(policies.map(({ name }) => name));
  expect(requests.length).toBeGreaterThanOrEqual(70);
  const refused = answers.filter(({ refused }) => refused).length;
  expect(refused).toBeGreaterThanOrEqual(35);
  expect(answers.length - refused).toBeGreaterThanOrEqual(35);
});

for (const { name, undecided } of policies) {
  test(`policy ${name}: the prediction for each pod is the API server's answer`, async () => {
    const { requests, answers } = await asked([name]);
    const { answers: predictions } = await predict(world, requests);
    if (undecided) {
      for (const prediction of predictions) expect(of(prediction, name)?.outcome).toBe('unknown');
      return;
    }
    expect(predictions.map(summary)).toEqual(answers.map((answer, index) => ({ ...said(answer), pod: podName(requests[index]!) })).map(({ pod: _, ...rest }) => rest));
  });
}

test('the sample in the API version of the guide is not served any more', async ({ clusters }) => {
  const sample = objectsOf(all.find(({ name }) => name === 'deny-mutable-filesystem')!)[1];
  const old = { ...sample, apiVersion: 'admissionregistration.k8s.io/v1alpha1' };
  await expect(clusters.kubectl(cluster, ['create', '--dry-run=server', '--filename=-'], JSON.stringify(old))).rejects.toThrow(/no matches for kind/);
});

for (const index of podsIn('default').keys()) {
  const { name } = podsIn('default')[index]!.metadata;
  test(`pod ${name} is defaulted as by the API server`, async () => {
    const pod = podsIn(updated.metadata.name)[index]!;
    const answer = await dryRuns.create(`/api/v1/namespaces/${updated.metadata.name}/pods`, pod);
    expect(answer.message).toBe('');
    const { pods: [predicted] } = await predict(world, [], [pod]);
    expect(withoutChance(predicted)).toEqual(withoutChance(answer.object));
  });
}

for (const { title, subresource, change } of updates()) {
  test(`update: ${title}`, async ({ clusters }) => {
    const path = `/api/v1/namespaces/${updated.metadata.name}/pods/existing`;
    const oldObject = await clusters.kubectlJson<PodObject>(cluster, ['get', '--raw', path]);
    const object = structuredClone(oldObject);
    change(object);
    const answer = await dryRuns.replace(subresource === '' ? path : `${path}/${subresource}`, object);
    const request: Asked = { operation: 'UPDATE', resource: 'pods', subresource, namespace: updated.metadata.name, object, oldObject };
    const { answers: [prediction] } = await predict(world, [request]);
    expect(summary(prediction!)).toEqual(said(answer));
  });
}

type PodObject = {
  metadata: { labels?: Record<string, string>; finalizers?: string[] };
  spec: { containers: { image: string }[]; ephemeralContainers?: unknown[] };
};

const updated = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'updates' } };
const sentinel = 'sentinel';

function existing(): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'existing', namespace: updated.metadata.name, labels: { app: 'old' }, ...{ finalizers: ['example.com/kept'] } },
    spec: { nodeName: 'node-2', containers: [{ name: 'a', image: 'old.example/a:1' }] },
  };
}

/** Policies for the updates, all in one namespace: each update meets all of them. */
function updatePolicies() {
  const on = (resources: string[]) => ({ resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources }] });
  const here = { matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': updated.metadata.name } } } };
  return [
    {
      name: 'image-changed',
      binding: here,
      spec: {
        matchConstraints: on(['pods']),
        matchConditions: [{ name: 'changed', expression: 'object.spec.containers.exists(c, !oldObject.spec.containers.exists(o, o.image == c.image))' }],
        validations: [{ expression: "object.spec.containers.all(c, c.image.startsWith('good.example/'))", message: 'image' }],
      },
    },
    {
      name: 'label-kept',
      binding: here,
      spec: { matchConstraints: on(['pods']), validations: [{ expression: 'object.metadata.?labels == oldObject.metadata.?labels', message: 'labels' }] },
    },
    {
      name: 'no-debugging',
      binding: here,
      spec: {
        matchConstraints: on(['pods/ephemeralcontainers']),
        validations: [{ expression: "object.spec.ephemeralContainers.all(c, c.?securityContext.?readOnlyRootFilesystem.orValue(false)) && request.subResource == 'ephemeralcontainers'", messageExpression: "'debugging by ' + request.operation" }],
      },
    },
  ];
}

function updates(): { title: string; subresource: string; change: (pod: PodObject) => void }[] {
  const container = (name: string, securityContext?: object) => ({
    name, image: 'debug.example/d:1', imagePullPolicy: 'IfNotPresent', resources: {},
    terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', ...(securityContext && { securityContext }),
  });
  return [
    { title: 'a finalizer is removed from an old bad pod', subresource: '', change: ({ metadata }) => void delete metadata.finalizers },
    { title: 'an image is changed to a bad one', subresource: '', change: ({ spec }) => void (spec.containers[0]!.image = 'bad.example/a:1') },
    { title: 'an image is changed to a good one', subresource: '', change: ({ spec }) => void (spec.containers[0]!.image = 'good.example/a:1') },
    { title: 'a label is changed', subresource: '', change: ({ metadata }) => void (metadata.labels = { app: 'new' }) },
    { title: 'all labels are removed', subresource: '', change: ({ metadata }) => void delete metadata.labels },
    { title: 'a container to debug', subresource: 'ephemeralcontainers', change: ({ spec }) => void (spec.ephemeralContainers = [container('debug')]) },
    {
      title: 'a good container to debug', subresource: 'ephemeralcontainers',
      change: ({ spec }) => void (spec.ephemeralContainers = [container('debug', { readOnlyRootFilesystem: true })]),
    },
  ];
}

/** Each pod in the namespace of each policy, and what the API server says. */
async function asked(names: string[]): Promise<{ requests: Asked[]; answers: Answer[] }> {
  const requests = names.flatMap((namespace) =>
    podsIn(namespace).map((object): Asked => ({ operation: 'CREATE', resource: 'pods', namespace, object })),
  );
  const answers: Answer[] = [];
  for (const { namespace, object } of requests) answers.push(await dryRuns.create(`/api/v1/namespaces/${namespace}/pods`, object));
  return { requests, answers };
}

function podName({ object }: Asked): string {
  return (object as KubernetesObject).metadata.name;
}

function of({ decisions }: Prediction, policy: string) {
  return decisions.find((decision) => decision.policy === policy);
}

/** Refused or not, by which policy and with which words. The words of errors are the API server's own affair. */
function summary({ refused, decisions }: Prediction) {
  const refusing = decisions.filter(({ refuses }) => refuses === true);
  return { refused, by: refused ? words(refusing[0]!.message) : '' };
}

function said({ refused, message }: Answer) {
  return { refused, by: words(message) };
}

function words(message: string): string {
  const from = message.indexOf('ValidatingAdmissionPolicy ');
  return message
    .slice(Math.max(from, 0))
    .replace(/(resulted in error: ).*/s, '$1')
    .replace(/(failed to configure policy: ).*/s, '$1');
}

/** Without what depends on time and chance, and on the order in which nobody looks. */
function withoutChance(pod: unknown): unknown {
  const text = JSON.stringify(pod).replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access');
  const { kind, metadata, spec, status } = JSON.parse(text) as Record<string, Record<string, unknown>>;
  const { name, namespace, labels } = metadata!;
  return { kind, metadata: { name, namespace, labels }, spec, status };
}

async function create(clusters: TestClusters, items: KubernetesObject[]): Promise<void> {
  await clusters.kubectl(cluster, ['create', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** Pods are refused where the account of their namespace is not there yet. */
async function serviceAccounts(clusters: TestClusters): Promise<void> {
  const wanted = [...all.map(({ name }) => name), updated.metadata.name].sort();
  await expect
    .poll(
      async () => {
        const { items } = await clusters.kubectlJson<{ items: KubernetesObject[] }>(cluster, ['get', 'serviceaccounts', '--all-namespaces', '--output=json']);
        const there = new Set(items.filter(({ metadata }) => metadata.name === 'default').map(({ metadata }) => metadata.namespace));
        return wanted.filter((name) => !there.has(name));
      },
      { timeout: 60_000 },
    )
    .toEqual([]);
}

/** Policies count a moment after they were made. One that is made last and counts tells that the others do. */
async function inForce(clusters: TestClusters): Promise<void> {
  await create(clusters, objectsOf({
    name: sentinel,
    spec: {
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }] },
      validations: [{ expression: 'false' }],
    },
  }));
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'probe' } };
  await expect
    .poll(async () => (await dryRuns.create(`/api/v1/namespaces/${sentinel}/configmaps`, probe)).refused, { timeout: 30_000 })
    .toBe(true);
  // The lists of parameters are read on their own.
  const limited = podsIn('params-by-name')[1]!;
  await expect
    .poll(async () => (await dryRuns.create('/api/v1/namespaces/params-by-name/pods', limited)).message, { timeout: 30_000 })
    .toContain('images come from');
}
