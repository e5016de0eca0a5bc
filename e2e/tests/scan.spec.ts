// `rampart scan` on manifests that nobody here wrote, against a judge in another language with another parser.

import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runRampart } from '../support/rampart.ts';
import { expect, test } from '../support/test.ts';

const run = promisify(execFile);

/** The manifests of Kubernetes' own tests, which the test cluster's modules bring along. */
async function manifests(): Promise<string> {
  const { stdout } = await run('go', ['list', '-m', '-f', '{{.Dir}}', 'k8s.io/kubernetes'], { cwd: 'testcluster' });
  return join(stdout.trim(), 'test/e2e/testing-manifests/statefulset');
}

test('a scan of real manifests agrees with an independent judge', async ({ folder }) => {
  const root = await manifests();
  const folders = readdirSync(root).map((name) => join(root, name));
  expect(folders.length).toBeGreaterThanOrEqual(6);
  for (const manifest of folders) {
    const arguments_ = ['scan', '--assume-complete', manifest];
    const json = await runRampart([...arguments_, '--format', 'json']);
    const table = await runRampart(arguments_);
    expect(json.code, json.stderr).toBe(1);
    const [jsonFile, tableFile] = [join(folder, 'scan.json'), join(folder, 'scan.txt')];
    writeFileSync(jsonFile, json.stdout);
    writeFileSync(tableFile, table.stdout);
    const { stdout } = await run('node', ['compare-scan.mjs', jsonFile, tableFile, manifest]);
    expect(stdout.match(/agreed/g), stdout).toHaveLength(3);
  }
});
