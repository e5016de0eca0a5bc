// Objects fixed with kubectl, as the page sees it while it stays open.

import { cells, evaluateNow, fact, findingRows, markDocument, openItem, outcome, sameDocument } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

const cluster = 'unhardened';
const item = 'default-deny';

test('an object fixed with kubectl resolves its findings, the last one turns the item green, and the history shows both', async ({
  page,
  clusters,
  serve,
}) => {
  const { address, api } = await serve([{ name: cluster }]);
  const before = (await api.findings(cluster))[item];
  await openItem(page, address, cluster, item);
  await markDocument(page);
  await expect.poll(() => findingRows(page)).toHaveLength(3);
  await expect(page.getByRole('img', { name: /^On .*: 2 namespaces short\.$/ })).toBeVisible();

  try {
    await test.step('one namespace denies by default', async () => {
      await clusters.kubectl(cluster, ['apply', '--filename=-'], defaultDeny('shop'));
      const told = await evaluateNow(page, 'Evaluated, with changes.');
      // How far the run is, while it runs.
      expect(told.some((words) => /, \d+ of \d+$/.test(words)), told.join('\n')).toBe(true);
      await expect.poll(async () => (await findingRows(page)).map(({ object }) => object)).toEqual(['reporting Namespace']);
      await expect(outcome(page)).toContainText('falls short');
      await expect(page.getByRole('img', { name: /^On .*: 1 namespace short\.$/ })).toBeVisible();
    });

    await test.step('the remedy of what is left is applied', async () => {
      const form = new URLSearchParams({ cluster, item, format: 'yaml' });
      const remedy = await (await fetch(`${address}/api/v1/exports`, { method: 'POST', body: form })).text();
      await clusters.kubectl(cluster, ['apply', '--server-side', '--field-manager=rampart-remediation', '--filename=-'], remedy);
      await evaluateNow(page, 'Evaluated, with changes.');
      await expect(outcome(page)).toContainText('holds');
      await expect(fact(page, 'Falling short')).toHaveText('0 namespaces');
      await expect(page.getByText('No open finding.')).toBeVisible();
      await expect(page.getByRole('img', { name: /^On .*: 0 namespaces short\.$/ })).toBeVisible();
      await expect(page.getByRole('img', { name: /^Outcome over 90 days: holds for .*, 1 change before\.$/ })).toBeVisible();
    });

    await test.step('each finding keeps when it was first seen and says when it was resolved', async () => {
      await page.getByRole('navigation', { name: 'Findings by state' }).getByRole('link', { name: /^Resolved/ }).click();
      await expect.poll(() => findingRows(page)).toHaveLength(3);
      await expect(page.getByRole('columnheader', { name: 'Resolved' })).toBeVisible();
      const [first, second, third] = (await api.runs(cluster)).reverse();
      const after = (await api.findings(cluster))[item];
      expect(after.map(({ fingerprint, firstSeen }) => ({ fingerprint, firstSeen }))).toEqual(
        before.map(({ fingerprint }) => ({ fingerprint, firstSeen: first!.finishedAt })),
      );
      const resolved = Object.fromEntries(after.map(({ subject, rule, resolvedAt }) => [`${subject.name} ${rule}`, resolvedAt]));
      expect(resolved).toEqual({
        'reporting no-egress-default-deny': third!.finishedAt,
        'shop no-egress-default-deny': second!.finishedAt,
        'shop no-ingress-default-deny': second!.finishedAt,
      });
      const shown = await page.locator('table.findings tbody tr').evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('time')].map((time) => Date.parse(time.getAttribute('datetime') ?? ''))),
      );
      expect(shown).toEqual(after.map(({ firstSeen, resolvedAt }) => [Date.parse(firstSeen), Date.parse(resolvedAt ?? '')]));
    });

    await test.step('the trend and the changes say the same', async () => {
      const [today] = (await api.trend({ cluster, item, days: '1' })).slice(-1);
      expect(today).toMatchObject({ counts: { pass: 1, fail: 0, unknown: 0 }, violating: 0 });
      const changes = (await api.changes(cluster)).filter((change) => change.item === item).map(({ kind }) => kind);
      expect(changes.slice(0, 3)).toEqual(['finding_opened', 'finding_opened', 'finding_opened']);
      expect(changes.slice(3).sort()).toEqual(['finding_resolved', 'finding_resolved', 'finding_resolved', 'fixed', 'remediation_exported']);

      await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: cluster }).click();
      const latest = page.getByRole('region', { name: 'Latest changes' });
      await expect(latest).toContainText('Default deny: holds, fell short before');
      await expect(latest).toContainText('Default deny: 2 findings resolved');
      await page.getByRole('link', { name: 'Fleet' }).first().click();
      await expect.poll(async () => (await cells(page, cluster))[item]).toBe('holds');
      expect(await sameDocument(page)).toBe(true);
    });
  } finally {
    await clusters.kubectl(cluster, ['delete', 'networkpolicy', '--namespace=shop', '--ignore-not-found', 'default-deny', 'allow-dns']);
    const others = ['get', 'networkpolicies', '--namespace=reporting', '--output=name', '--field-selector=metadata.name!=default-deny'];
    const added = (await clusters.kubectl(cluster, others)).split('\n').filter(Boolean);
    if (added.length > 0) await clusters.kubectl(cluster, ['delete', '--namespace=reporting', ...added]);
  }

  await test.step('undone, the same findings are open again', async () => {
    await evaluateNow(page, `${cluster}: Evaluated, with changes.`);
    await expect.poll(async () => (await cells(page, cluster))[item]).toBe('falls short, 3 findings');
    const after = (await api.findings(cluster))[item];
    expect(after.map(({ fingerprint, firstSeen, state }) => ({ fingerprint, firstSeen, state }))).toEqual(
      before.map(({ fingerprint, firstSeen }) => ({ fingerprint, firstSeen, state: 'open' })),
    );
    expect((await api.changes(cluster)).map(({ kind }) => kind)).toContain('regressed');
  });
});

function defaultDeny(namespace: string): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'default-deny', namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  });
}
