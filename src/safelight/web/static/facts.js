/* What was asked for, and what it cost: the list beside a job's picture. */

import { $, changed, el } from './dom.js';
import { bytes, creditsSentence, itemsInWords, sizeOf } from './format.js';

export function paintFacts(page, job) {
  const { width: w, height: h, seed, n, ...rest } = job.params ?? {};
  const { width, height } = sizeOf(job);
  const file = job.assets?.[0];
  const rows = Object.entries({
    Model: job.model,
    Items: itemsInWords(job) || null,
    Batch: job.parent_id,
    'Made from': job.replay_of,
    'Starts from': inputsInWords(job) || null,
    Size: width > 1 && `${width} × ${height}`,
    Seed: seed,
    Pictures: n > 1 && n,
    ...rest,
    Credits: creditsSentence(job.credits),
    Cost: job.cost_usd > 0 && `$${job.cost_usd}`,
    Attempts: job.attempt > 1 && `${job.attempt} of ${job.max_attempts}`,
    File: file && `${file.mime}, ${bytes(file.bytes)}`,
    ...job.labels,
    Job: job.id,
  }).filter(([, value]) => value != null && value !== false);
  if (!changed($('[data-params]', page), rows)) return;
  $('[data-params]', page).replaceChildren(...rows.map(([name, value]) => {
    const row = el('div');
    row.append(el('dt', '', name.replaceAll('_', ' ')), el('dd', name === 'Job' ? 'mono' : '', String(value)));
    return row;
  }));
}

const inputsInWords = (job) => (job.inputs ?? []).map(({ role, width, height }) => `${role}, ${width} × ${height}`).join('; ');

