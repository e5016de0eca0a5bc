// What Rampart writes as YAML is what Kubernetes' own parser reads, whatever objects are called.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { run } from '../support/processes.ts';
import { runRampart } from '../support/rampart.ts';
import { expect, test } from '../support/test.ts';

type KubernetesObject = { metadata: { name: string; labels: Record<string, string> } };

const repository = fileURLToPath(new URL('../..', import.meta.url));

const texts = [
  'y', 'Y', 'n', 'no', 'NO', 'on', 'Off', 'true', 'null', 'Null', '~', '', ' ', ' a', 'a ', '\t', '1', '012', '0o7', '0x1', '1e3', '-1',
  '1_000', '1:30', '12:30:45', '.5', '.inf', '-.INF', '.NaN', 'NaN', 'infinity', '2024-01-01', '2024-01-01T00:00:00Z', '=', '<<', '!tag',
  '!!int 3', '&a', '*a', '%YAML 1.1', '---', '--- a', '...', '- a', '-', '?', '? a', ':', 'a: b', 'a:', ':a', 'a:b', '# a', 'a # b', "'", '"',
  '\\', '\\n', '@', '`', '>', '|', '|-', '{', '}', '[', ']', ',', '{{ .Values.x }}', '${x}', '$(x)', 'a\nb', '\n', 'a\n---\nkind: Secret\n',
  'a\r\nb', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff', '\u0000', '\u007f', 'é', '日本', '😀', 'x'.repeat(5000), 'word '.repeat(2000),
];

test('names, keys and values that look like YAML come back from kubectl as they were', async ({ clusters, folder }) => {
  test.setTimeout(240_000);
  const objects = [...texts, ...random(300)].map(object);
  expect(await read((await exported(objects)).stream)).toEqual(byIndex(objects));

  // What kustomize writes itself it cannot read again where a key is long or holds control characters.
  const within = objects.filter(({ metadata: { name } }) => name.length < 200 && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(name));
  expect(within.length).toBeGreaterThan(200);
  const { bundle } = await exported(within);
  await write(folder, Object.fromEntries(bundle.map(({ path, content }) => [path, content])));
  expect(await read(await clusters.kubectl('hardened', ['kustomize', folder]))).toEqual(byIndex(within));

  /** YAML as kubectl reads it: labelled, without asking a server, and printed as JSON. */
  async function read(yaml: string): Promise<Record<string, KubernetesObject>> {
    const printed = await clusters.kubectl('hardened', ['label', '--local', '--filename=-', '--output=json', 'read=yes'], yaml);
    const found = printed.split(/\n(?=\{\n)/).map((text) => JSON.parse(text) as KubernetesObject);
    for (const { metadata } of found) delete metadata.labels['read'];
    return byIndex(found);
  }
});

test('the bundle builds as it is, and the Component in an overlay whose base holds the objects', async ({ clusters, folder }) => {
  const resources = ['deployment.yaml', 'namespace.yaml'];
  await write(folder, {
    'base/deployment.yaml': deployment,
    'base/namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n',
    'base/kustomization.yaml': JSON.stringify({ resources }),
    'overlay/kustomization.yaml': JSON.stringify({ resources: ['../base'], components: ['../component'] }),
    'without/kustomization.yaml': JSON.stringify({ resources: ['../base/namespace.yaml'], components: ['../component'] }),
  });
  for (const format of ['kustomize', 'component']) {
    const picked = ['--item=read-only-root-filesystem', '--item=default-deny'];
    const files = resources.map((name) => join(folder, 'base', name));
    const { code, stderr } = await runRampart(
      ['remediate', ...files, '--assume-complete', ...picked, '--format', format, '--output', `${join(folder, format)}/`],
      { cwd: folder },
    );
    expect(code, stderr).toBe(0);
  }
  const built = async (name: string) => {
    const yaml = await clusters.kubectl('hardened', ['kustomize', '--load-restrictor=LoadRestrictionsNone', join(folder, name)]);
    return parseAllDocuments(yaml).map((document) => document.toJS() as { kind: string; spec: Record<string, any> });
  };
  const container = (objects: Awaited<ReturnType<typeof built>>) =>
    objects.find(({ kind }) => kind === 'Deployment')!.spec['template'].spec.containers[0];

  const bundle = await built('kustomize');
  expect(bundle.map(({ kind }) => kind)).toContain('NetworkPolicy');
  expect(container(bundle)).toMatchObject({ name: 'cart', securityContext: { readOnlyRootFilesystem: true } });
  expect(container(bundle)).not.toHaveProperty('image');

  const overlay = await built('overlay');
  expect(overlay.map(({ kind }) => kind)).toContain('NetworkPolicy');
  expect(container(overlay)).toMatchObject({
    name: 'cart',
    image: 'registry.example.org/cart:1',
    securityContext: { readOnlyRootFilesystem: true },
  });
  await expect(built('without')).rejects.toThrow(/no matches for Id|failed to find unique target/);
});

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, namespace: shop }
spec:
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec: { containers: [{ name: cart, image: 'registry.example.org/cart:1' }] }
`;

async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** The objects as Rampart exports them. */
async function exported(objects: KubernetesObject[]): Promise<{ stream: string; bundle: { path: string; content: string }[] }> {
  const { code, stdout, stderr } = await run('cargo', ['run', '--quiet', '-p', 'rampart-checklist', '--example', 'export_objects'], {
    input: JSON.stringify(objects),
    cwd: repository,
    env: process.env,
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof exported>>;
}

/** An object in which a text stands wherever one can. */
function object(text: string, index: number): KubernetesObject & Record<string, unknown> {
  return {
    apiVersion: 'example.org/v1',
    kind: 'Anything',
    metadata: { name: `${text} ${index}`, labels: { index: String(index), [`${text}x`]: text } },
    spec: { [`${text}key`]: { [`${text}key`]: [text, [text], { [`${text}key`]: text, other: text }, [], {}] } },
    [`${text}key`]: text,
  };
}

function byIndex(objects: KubernetesObject[]): Record<string, KubernetesObject> {
  return Object.fromEntries(objects.map((object) => [object.metadata.labels['index']!, object]));
}

/** Texts of characters that mean something to YAML, the same in each run. */
function random(count: number): string[] {
  const characters = [...'yn01ex_.:-?#&*!|>\'"%@`{}[],=~<\\ \t\n\r', '\u0085', '\u2028', 'é', '😀'];
  let state = 1;
  const next = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  return Array.from({ length: count }, () => Array.from({ length: 1 + next(8) }, () => characters[next(characters.length)]).join(''));
}
