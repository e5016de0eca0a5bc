// The demo, and the pictures of it in the README: RAMPART_SCREENSHOTS=1 ./run.sh demo

import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/accessibility.ts';
import { Api, itemIds, type ClusterSummary } from '../support/api.ts';
import { cells, row } from '../support/dashboard.ts';
import { expect, test } from '../support/test.ts';

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));

test('the demo shows three clusters with ninety days of history', async ({ page, demo }) => {
  const api = new Api(demo.address);
  const names = (await api.clusters()).map(({ name }) => name);
  expect(names).toHaveLength(3);

  await page.goto(demo.address);
  for (const name of names) {
    await expect(row(page, name)).toBeVisible();
    expect(Object.values(await cells(page, name))).not.toContain('no cell');
  }
  await expect(page.getByText('3 clusters')).toBeVisible();
  const [{ trend: sparkline }] = await api.get<[{ trend: unknown[] }]>('/clusters');
  await expect(page.getByRole('columnheader', { name: `${sparkline.length} days` })).toBeVisible();
  // A well-kept cluster, a mixed one, and a bad one whose provider hides its control plane.
  const passes = (await api.clusters()).map(({ items }) => items.filter(({ outcome }) => outcome === 'pass').length);
  expect(Math.max(...passes)).toBeGreaterThanOrEqual(7);
  expect(Math.min(...passes)).toBeLessThanOrEqual(3);

  const trend = page.getByRole('region', { name: /^Trend/ });
  await trend.getByText('Trend as a table').click();
  const days = trend.getByRole('region', { name: 'Trend as a table' }).locator('tbody').getByRole('row');
  await expect(days).toHaveCount(90);
  for (const cluster of [undefined, ...names]) {
    const points = await api.trend({ days: '90', ...(cluster === undefined ? {} : { cluster }) });
    const known = points.filter(({ counts }) => counts.pass + counts.fail > 0);
    expect(known.length, cluster ?? 'all clusters').toBeGreaterThanOrEqual(85);
  }

  for (const name of names) {
    const changes = await api.get<{ changes: { kind: string }[] }>(`/changes?cluster=${name}&days=90&limit=1000`);
    expect(changes.changes.length, name).toBeGreaterThan(0);
  }
  await page.getByRole('link', { name: names[0]!, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: names[0]! })).toBeVisible();
  await expect(page.getByRole('img', { name: /^Score on .*\. On .*\.$/ })).toBeVisible();
});

test('what is unknown, with its gaps, is for everyone too', async ({ page, demo }) => {
  await page.goto(demo.address);
  await page.getByRole('link', { name: /: unknown/ }).first().click();
  await expect(page.getByRole('region', { name: 'Not seen' })).toBeVisible();
  await expect(page.getByText('Loading')).toHaveCount(0);
  await expectAccessible(page);
});

test('the pages of the demo are ready for their pictures', async ({ page, demo }) => {
  const clusters = await new Api(demo.address).clusters();

  await page.setViewportSize({ width: 1440, height: 900 });
  for (const theme of ['light', 'dark'] as const) {
    await open(page, demo.address, theme);
    await expect(row(page, clusters[0]!.name)).toBeVisible();
    await picture(page, `overview-${theme}`);
  }

  const { name, item } = mostFindings(clusters);
  await open(page, `${demo.address}/clusters/${name}/items/${item}`, 'dark');
  await expect(page.getByRole('region', { name: 'Table of findings' }).locator('tbody tr').first()).toBeVisible();
  await expect(page.getByRole('region', { name: 'Remediation YAML' })).toBeVisible();
  await picture(page, 'item-dark');

  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, demo.address, 'light');
  await expect(row(page, clusters[0]!.name)).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await picture(page, 'overview-narrow');
});

async function open(page: Page, address: string, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await page.goto(address);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByText('Loading')).toHaveCount(0);
}

async function picture(page: Page, name: string): Promise<void> {
  if (process.env['RAMPART_SCREENSHOTS'] !== '1') return;
  const fullPage = name === 'overview-light' || name === 'overview-dark';
  await page.screenshot({ path: `${images}${name}.png`, animations: 'disabled', fullPage });
}

/** The container item with the most findings: its remedy is something to apply. */
function mostFindings(clusters: ClusterSummary[]): { name: string; item: string } {
  const items = clusters.flatMap(({ name, items }) => items.map(({ id, findings }) => ({ name, item: id, findings })));
  const found = items.filter(({ item }) => itemIds.indexOf(item) >= itemIds.indexOf('default-deny'));
  return found.reduce((most, each) => (each.findings > most.findings ? each : most));
}
