// What admission is tested with: the fixtures of e2e/admission, the API server's answer to a dry run, and the prediction.

import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { clusterNames, type ClusterName, type TestClusters } from './clusters.ts';
import { run } from './processes.ts';

export type KubernetesObject = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  [field: string]: unknown;
};

/** An entry of e2e/admission/policies.yaml, which says what the fields mean. */
export type Case = {
  name: string;
  namespace?: Record<string, string>;
  spec?: Record<string, unknown>;
  binding?: Record<string, unknown>;
  unbound?: boolean;
  objects?: KubernetesObject[];
  undecided?: boolean;
};

/** What the API server said to a request. */
export type Answer = { refused: boolean; message: string; object: unknown };

export type Decision = {
  policy: string;
  binding: string;
  outcome: 'not matched' | 'allowed' | 'denied' | 'unknown';
  message: string;
  refuses: boolean | null;
};
export type Prediction = {
  refused: boolean | null;
  decisions: Decision[];
  /** What Pod Security Admission refuses it for, in the API server's words. */
  podSecurity: string | null;
};

export type Asked = {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  group?: string;
  resource: string;
  subresource?: string;
  namespace: string;
  object?: unknown;
  oldObject?: unknown;
};

export type World = { policies: unknown[]; bindings: unknown[]; params: unknown[]; namespaces: unknown[]; userInfo: unknown; version?: string };

const repository = fileURLToPath(new URL('../..', import.meta.url));
const admissionRegistration = 'admissionregistration.k8s.io/v1';

export async function cases(): Promise<Case[]> {
  return parse(await fixture('policies.yaml')) as Case[];
}

type PodFixture = { labels?: Record<string, string>; annotations?: Record<string, string>; spec: unknown };

/** The pods, each for a namespace. */
export async function pods(file = 'pods.yaml'): Promise<(namespace: string) => KubernetesObject[]> {
  const all = parse(await fixture(file)) as Record<string, PodFixture>;
  return (namespace) =>
    Object.entries(all).map(([name, { spec, ...metadata }]) => ({
      apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, ...metadata }, spec,
    }));
}

/** The namespace, the policy, the binding and the other objects of a case. */
export function objectsOf({ name, namespace, spec, binding, unbound, objects }: Case): KubernetesObject[] {
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...namespace } } };
  const beside = (objects ?? []).map((object) => ({ ...object, metadata: { ...object.metadata, namespace: name } }));
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
  const policy = {
    apiVersion: admissionRegistration,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [rule] }, ...spec },
  };
  if (unbound) return [space, policy, ...beside];
  // Each policy counts in its own namespace only, so that they do not disturb each other.
  const { matchResources, ...rest } = (binding ?? {}) as { matchResources?: object };
  const own = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
  const bound = {
    apiVersion: admissionRegistration,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: `${name}-binding` },
    spec: { policyName: name, validationActions: ['Deny'], ...rest, matchResources: { ...own, ...matchResources } },
  };
  return [space, ...beside, policy, bound];
}

/** Predicts the answers, with the program that is built for that. */
export async function predict(world: World, requests: Asked[], pods: unknown[] = []): Promise<{ answers: Prediction[]; pods: unknown[] }> {
  const { userInfo, ...rest } = world;
  const input = JSON.stringify({ ...rest, requests: requests.map((asked) => ({ ...asked, userInfo })), pods });
  const arguments_ = ['run', '--quiet', '-p', 'rampart-checklist', '--example', 'predict_admission'];
  const { code, stdout, stderr } = await run('cargo', arguments_, { input, cwd: repository, env: process.env });
  if (code !== 0) throw new Error(`predict_admission ended with ${code}:\n${stderr}`);
  return JSON.parse(stdout) as { answers: Prediction[]; pods: unknown[] };
}

/** The administrator's connection to an API server, for dry runs. */
export class DryRuns {
  readonly #server: string;
  readonly #tls: { ca: Buffer; cert: Buffer; key: Buffer };

  private constructor(server: string, tls: { ca: Buffer; cert: Buffer; key: Buffer }) {
    this.#server = server;
    this.#tls = tls;
  }

  static async of(clusters: TestClusters, cluster: ClusterName): Promise<DryRuns> {
    type Config = {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
      users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
    };
    if (!clusterNames.includes(cluster)) throw new Error(cluster);
    const config = await clusters.kubectlJson<Config>(cluster, ['config', 'view', '--raw', '--output=json']);
    const [{ cluster: server }, { user }] = [config.clusters[0]!, config.users[0]!];
    const decoded = (text: string) => Buffer.from(text, 'base64');
    return new DryRuns(server.server, {
      ca: decoded(server['certificate-authority-data']),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    });
  }

  async create(path: string, object: unknown): Promise<Answer> {
    return this.#ask('POST', path, object);
  }

  async replace(path: string, object: unknown): Promise<Answer> {
    return this.#ask('PUT', path, object);
  }

  #ask(method: string, path: string, object: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { method, ...this.#tls, headers: { 'content-type': 'application/json' } };
      const asked = httpsRequest(`${this.#server}${path}?dryRun=All`, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          const answer = JSON.parse(text) as { message?: string };
          const refused = (response.statusCode ?? 500) >= 400;
          const message = refused ? (answer.message ?? '') : '';
          // Only a refusal by admission is an answer here.
          if (refused && !/denied request: |violates PodSecurity/.test(message)) {
            reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
          } else resolve({ refused, message, object: answer });
        });
      });
      asked.on('error', reject);
      asked.end(JSON.stringify(object));
    });
  }
}

function fixture(name: string): Promise<string> {
  return readFile(new URL(`../admission/${name}`, import.meta.url), 'utf8');
}
