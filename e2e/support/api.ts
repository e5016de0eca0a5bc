// Rampart's API, as far as the tests ask it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterName } from './clusters.ts';

/** The items, in the checklist's order, with what the page calls them. */
export const items = {
  'etcd-tls': 'etcd TLS',
  'kubelet-node-restriction': 'Node restriction',
  'kubelet-anonymous-auth': 'Kubelet anonymous auth',
  'kubelet-webhook-authorization': 'Kubelet authorization',
  'kubelet-read-only-port': 'Kubelet read-only port',
  'api-server-third-party-auth': 'Third-party auth',
  'network-policies-restrict-pods': 'Pods isolated',
  'default-deny': 'Default deny',
  'network-traffic-monitoring': 'Traffic monitoring',
  'admission-policies-enforced': 'Admission policies',
  'trusted-registries': 'Trusted registries',
  'read-only-root-filesystem': 'Read-only root',
  'non-root-containers': 'Non-root',
  'seccomp-apparmor': 'seccomp / AppArmor',
  'secret-manager': 'Secret manager',
  'no-secrets-in-kubernetes': 'No secrets in Kubernetes',
  'least-privilege-service-accounts': 'Least privilege',
  'service-mtls': 'Mutual TLS',
} as const;
export type ItemId = keyof typeof items;
export const itemIds = Object.keys(items) as ItemId[];

export type Outcome = 'pass' | 'fail' | 'unknown' | 'not_applicable';
export type OutcomeCounts = { pass: number; fail: number; unknown: number; notApplicable: number };

export type Subject = { apiVersion: string; kind: string; namespace: string | null; name: string };
export type Gap = { kind: string; reason: string; detail: string; rule?: unknown };

export type Finding = {
  fingerprint: string;
  rule: string;
  scope: 'application' | 'system';
  subject: Subject;
  path: string;
  observed: string;
  expected: string;
};

type Times = {
  state: 'open' | 'unconfirmed' | 'resolved';
  firstSeen: string;
  openedAt: string;
  lastSeen: string;
  unconfirmedSince: string | null;
  resolvedAt: string | null;
};

type WireRecord = { finding: Finding } & Times;

/** A finding with its times, side by side. */
export type FindingRecord = Finding & Times;

export type ItemState = {
  id: ItemId;
  outcome: Outcome;
  lastOutcome: Outcome;
  examined: number;
  violating: number;
  openFindings: number;
  unconfirmedFindings: number;
  gaps: Gap[];
  since: string;
};

export type RunSummary = {
  id: string;
  sequence: number;
  cluster: string;
  kind: 'complete' | 'partial' | 'unreachable' | 'identity_changed';
  finishedAt: string;
  detail: string | null;
  changed: boolean;
};

export type ClusterSummary = {
  name: string;
  freshness: 'current' | 'stale' | 'never_evaluated';
  lastRun: RunSummary | null;
  running: string | null;
  items: { id: ItemId; outcome: Outcome; lastOutcome: Outcome; findings: number; since: string }[];
};

export type Change = { at: string; run: string; cluster: string; item: ItemId | null; kind: string; detail: string };
export type TrendPoint = { day: string; counts: OutcomeCounts; violating: number | null };

export class Api {
  readonly #address: string;

  constructor(address: string) {
    this.#address = `${address}/api/v1`;
  }

  async clusters(): Promise<ClusterSummary[]> {
    return (await this.get<{ clusters: ClusterSummary[] }>('/overview')).clusters;
  }

  async items(cluster: string): Promise<Record<ItemId, ItemState>> {
    const { items: states } = await this.get<{ items: ItemState[] }>(`/clusters/${cluster}/items`);
    return Object.fromEntries(states.map((state) => [state.id, state])) as Record<ItemId, ItemState>;
  }

  /** All findings of a cluster that it ever had, by item. */
  async findings(cluster: string): Promise<Record<ItemId, FindingRecord[]>> {
    const pages = await Promise.all(
      itemIds.map(async (item) => {
        const page = await this.get<{ findings: WireRecord[]; nextOffset: number | null }>(
          `/clusters/${cluster}/items/${item}/findings?state=all&limit=1000`,
        );
        if (page.nextOffset !== null) throw new Error(`${item} on ${cluster} has more findings than one page holds`);
        return [item, page.findings.map(({ finding, ...times }) => ({ ...finding, ...times }))];
      }),
    );
    return Object.fromEntries(pages) as Record<ItemId, FindingRecord[]>;
  }

  /** Everything that changed, oldest first. */
  async changes(cluster: string): Promise<Change[]> {
    const { changes } = await this.get<{ changes: Change[] }>(`/changes?cluster=${cluster}&limit=1000`);
    return changes.reverse();
  }

  /** Newest first. */
  async runs(cluster: string): Promise<RunSummary[]> {
    return (await this.get<{ runs: RunSummary[] }>(`/clusters/${cluster}/runs`)).runs;
  }

  async trend(parameters: Record<string, string>): Promise<TrendPoint[]> {
    return (await this.get<{ points: TrendPoint[] }>(`/trend?${new URLSearchParams(parameters)}`)).points;
  }

  /** Waits until each of these clusters has a first run that reached it. */
  async evaluated(clusters: readonly ClusterName[]): Promise<void> {
    await this.#until(`a run of ${clusters.join(' and ')}`, async () => {
      const summaries = await this.clusters();
      return clusters.every((name) => summaries.find((cluster) => cluster.name === name)?.freshness === 'current') || undefined;
    });
  }

  /** Evaluates a cluster and waits for the run that it gets, new or joined. */
  async evaluate(cluster: ClusterName): Promise<RunSummary> {
    const response = await fetch(`${this.#address}/clusters/${cluster}/evaluate`, { method: 'POST' });
    if (response.status !== 202) throw new Error(`evaluate ${cluster}: ${response.status} ${await response.text()}`);
    const { run } = (await response.json()) as { run: string };
    return this.#until(`run ${run}`, async () => (await this.runs(cluster)).find(({ id }) => id === run));
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#address}${path}`);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`no ${what} within 30 s`);
      await sleep(100);
    }
  }
}
