/* What can be done with a job: the buttons of its page. */

import { at, jobAddress } from './address.js';
import { deleteJob, newKey, retryJob, submitJob } from './api.js';
import { confirmed } from './confirm.js';
import { $, announce, setText, showProblem } from './dom.js';
import { frameNumber, ownPath } from './format.js';
import { requestCancel } from './gallery.js';
import * as jobs from './jobs.js';
import { go } from './router.js';

const NAMES = { video: 'film', text: 'text' };
const COPIED_MS = 2000;
const ANEW = new Set(['failed', 'canceled', 'partial']);

/** Wire the buttons of the page of one job; `useAgain(job)` puts it into the form. */
export function setupActions(page, id, useAgain) {
  const box = $('[data-error]', page);
  const keys = { larger: newKey(), retry: newKey() }; // pressed twice, or after a lost answer, each is made once
  const on = (name, act) => $(`[data-${name}]`, page).addEventListener('click', () => {
    const job = jobs.get(id);
    if (job) Promise.resolve(act(job)).catch((error) => showProblem(box, error));
  });
  on('again', useAgain);
  on('copy', (job) => copy(page, job));
  on('larger', async (job) => open(await submitJob({ kind: 'upscale', inputs: [{ asset: job.assets[0].id }] }, keys.larger)));
  on('retry', async (job) => open(await retryJob(job.id, keys.retry), job));
  on('cancel', () => requestCancel(id, box));
  on('delete', remove);
}

export function paintActions(page, job) {
  const asset = job.assets?.[0];
  const ended = !jobs.isLive(job);
  const show = (name, wanted) => { $(`[data-${name}]`, page).hidden = !wanted; };
  show('download', asset);
  if (asset) {
    const download = $('[data-download]', page);
    download.href = ownPath(asset.url);
    download.download = `safelight-${job.id}.${asset.mime.split('/')[1]}`;
  }
  show('copy', job.text);
  show('larger', asset?.mime.startsWith('image/') && job.status === 'completed');
  show('retry', ANEW.has(job.status) || (job.status === 'pending' && job.attempt > 0));
  setText($('[data-retry-word]', page), ended ? 'Try again' : 'Try now');
  show('cancel', !ended && !job.cancel_requested);
  show('delete', ended && !job.parent_id);
}

/** To the page of a job that an action made; where it is the same job, it was only moved to the front. */
function open(made, before) {
  jobs.take(made);
  if (made.id === before?.id) announce(`${frameNumber(made)} is tried now.`);
  else go(jobAddress(made.id));
}

async function copy(page, job) {
  await write(job.text, $('.written', page));
  const word = $('[data-copy-word]', page);
  setText(word, 'Copied');
  announce('The text is copied.');
  setTimeout(() => setText(word, 'Copy text'), COPIED_MS);
}

/** Without https browsers keep the clipboard from pages, but not from what is selected. */
async function write(text, shown) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  getSelection().selectAllChildren(shown);
  if (!document.execCommand('copy')) throw Object.assign(new Error('The browser does not let this page copy.'), { remedy: 'The text is selected: copy it with Ctrl + C.' });
  getSelection().removeAllRanges();
  return undefined;
}

async function remove(job) {
  const many = job.assets?.length > 1 && 'these pictures';
  const what = job.items ? `this batch of ${job.items.total}, with all that it made` : many || `this ${NAMES[job.kind] ?? 'picture'}`;
  if (!(await confirmed(`Delete ${what}?`, 'Its files go at once, and for good. What it cost stays in your ledger.', 'Delete'))) return;
  await deleteJob(job.id);
  announce(`${frameNumber(job)} is deleted.`);
  go(at(''));
  jobs.forget(job.id);
}
