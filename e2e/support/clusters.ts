// The two real clusters that `testcluster up` runs.

import { fileURLToPath } from 'node:url';
import { run, Running } from './processes.ts';

export const clusterNames = ['hardened', 'unhardened'] as const;
export type ClusterName = (typeof clusterNames)[number];

export type Component = { pid: number; running: boolean; command: string[] };

export type Cluster = {
  name: ClusterName;
  server: string;
  /** A kubeconfig of the administrator, with one context. */
  kubeconfig: string;
  logs: string;
  nodes: Record<string, { address: string; kubeletPort: number }>;
  /** By role (`etcd`, `kube-apiserver`, …) and, for the kubelets, by the name of the node. */
  components: Record<string, Component>;
};

type ReadyLine = { ready: true; control: string; clusters: Record<ClusterName, Cluster> };

const testcluster = fileURLToPath(new URL('../testcluster/bin/testcluster', import.meta.url));

export class TestClusters {
  readonly #supervisor: Running;
  readonly #ready: ReadyLine;

  private constructor(supervisor: Running, ready: ReadyLine) {
    this.#supervisor = supervisor;
    this.#ready = ready;
  }

  /** Brings both clusters up, which takes about twenty seconds. */
  static async start(folder: string): Promise<TestClusters> {
    const supervisor = new Running(testcluster, ['up', '--until-stdin-closes', '--dir', folder]);
    const ready = await supervisor.line('the clusters are ready', 200_000, (line) =>
      line.startsWith('{"ready":true') ? (JSON.parse(line) as ReadyLine) : undefined,
    );
    return new TestClusters(supervisor, ready);
  }

  async end(): Promise<void> {
    const { code, stderr } = await this.#supervisor.stop(30_000);
    if (code !== 0) throw new Error(`testcluster ended with ${code}:\n${stderr}`);
  }

  /** The administrator's kubeconfig. */
  kubeconfig(cluster: ClusterName): string {
    return this.#ready.clusters[cluster].kubeconfig;
  }

  /** What runs now. */
  async describe(cluster: ClusterName): Promise<Cluster> {
    return this.#control('GET', cluster);
  }

  /** Ends the API server, so that the cluster is unreachable. Its data stays. */
  async stopCluster(cluster: ClusterName): Promise<Cluster> {
    return this.#control('POST', `${cluster}/stop`);
  }

  /** Starts the API server again with the same flags and waits until the cluster is ready. Does nothing if it runs. */
  async startCluster(cluster: ClusterName): Promise<Cluster> {
    return this.#control('POST', `${cluster}/start`);
  }

  /** Runs kubectl as the administrator and returns what it prints. */
  async kubectl(cluster: ClusterName, args: string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await run(
      testcluster,
      ['kubectl', `--kubeconfig=${this.kubeconfig(cluster)}`, ...args],
      input === undefined ? {} : { input },
    );
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} on ${cluster} ended with ${code}:\n${stderr}`);
    return stdout;
  }

  /** Like `kubectl`, for output in JSON. */
  async kubectlJson<T>(cluster: ClusterName, args: string[], input?: string): Promise<T> {
    return JSON.parse(await this.kubectl(cluster, args, input)) as T;
  }

  async #control(method: string, path: string): Promise<Cluster> {
    const response = await fetch(`${this.#ready.control}/clusters/${path}`, { method });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Cluster;
  }
}
