// The page, by what people and screen readers find on it.

import { expect, type Locator, type Page } from '@playwright/test';
import { items, itemIds, type ItemId } from './api.ts';

/** The name of each of a cluster's cells in the matrix, without the cluster's and the item's: `falls short, 3 findings`. */
export async function cells(page: Page, cluster: string): Promise<Record<ItemId, string>> {
  const links = row(page, cluster).getByRole('link', { name: `${cluster}, ` });
  const names = await links.evaluateAll((found) => found.map((link) => link.getAttribute('aria-label') ?? ''));
  const texts = itemIds.map((item) => {
    const start = `${cluster}, ${items[item]}: `;
    return [item, names.find((name) => name.startsWith(start))?.slice(start.length) ?? 'no cell'];
  });
  return Object.fromEntries(texts) as Record<ItemId, string>;
}

/** The same text for each of these items. */
export function each<T>(text: T): Record<ItemId, T> {
  return Object.fromEntries(itemIds.map((item) => [item, text])) as Record<ItemId, T>;
}

/** A cluster's row in the matrix. */
export function row(page: Page, cluster: string): Locator {
  const matrix = page.getByRole('region', { name: 'Clusters and items', exact: true }).getByRole('table');
  return matrix.getByRole('row').filter({ has: page.getByRole('rowheader').getByRole('link', { name: cluster, exact: true }) });
}

/** Opens an item's page by its cell in the matrix. */
export async function openItem(page: Page, address: string, cluster: string, item: ItemId): Promise<void> {
  await page.goto(address);
  await row(page, cluster).getByRole('link', { name: `${cluster}, ${items[item]}: ` }).click();
  await expect(page.getByRole('region', { name: 'Findings', exact: true })).toBeVisible();
}

/** A row of an item's findings as its cells' texts; `firstSeen` is the machine's form of the time. */
export type FindingRow = { object: string; field: string; observed: string; expected: string };

/** The rows of the table of findings that is shown. */
export async function findingRows(page: Page): Promise<FindingRow[]> {
  const rows = page.getByRole('region', { name: 'Findings', exact: true }).locator('tbody').getByRole('row');
  const texts = await rows.evaluateAll((found) =>
    found.map((line) => [...line.children].map((cell) => [...cell.childNodes].map((node) => node.textContent?.trim()).filter(Boolean).join(' '))),
  );
  return texts.map(([object = '', field = '', observed = '', expected = '']) => ({ object, field, observed, expected }));
}

/** The outcome that an item's page states. */
export function outcome(page: Page): Locator {
  return fact(page, 'Outcome');
}

/** The value of one of an item's or a cluster's facts. */
export function fact(page: Page, name: string): Locator {
  const region = page.getByRole('region', { name: /^(State|Facts)$/ });
  return region.locator('dl.facts > div').filter({ has: page.getByText(name, { exact: true }) }).locator('dd');
}

/** Presses *Evaluate now*, waits until the page says how the run ended, and returns all that it said on the way. */
export async function evaluateNow(page: Page, end: string | RegExp): Promise<string[]> {
  const said = page.getByRole('status', { name: 'Evaluation' });
  await said.evaluate((element) => {
    const heard: string[] = [];
    Object.assign(element, { heard });
    new MutationObserver(() => heard.push(element.textContent ?? '')).observe(element, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  await page.getByRole('button', { name: 'Evaluate now' }).click();
  await expect(said).toHaveText(end);
  return said.evaluate((element) => (element as unknown as { heard: string[] }).heard);
}

/** Marks the document, so that `sameDocument` can tell whether it was loaded anew. */
export async function markDocument(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(document, { marked: true }));
}

/** Whether the document is still the one that was marked. */
export async function sameDocument(page: Page): Promise<boolean> {
  return page.evaluate(() => 'marked' in document);
}
