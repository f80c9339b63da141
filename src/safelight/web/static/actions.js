/* What can be done with a job: the buttons of its page. */

import { at, jobAddress, jobIn } from './address.js';
import { Unreachable, deleteJob, newKey, retryJob, submitJob } from './api.js';
import { confirmed } from './confirm.js';
import { $, announce, keepFocus, setText, showProblem } from './dom.js';
import { frameNumber, ownPath } from './format.js';
import { requestCancel } from './gallery.js';
import * as jobs from './jobs.js';
import { refreshBalance } from './quote.js';
import { go } from './router.js';

const NAMES = { video: 'film', text: 'text' };
const COPIED_MS = 2000;
const ANEW = new Set(['failed', 'canceled', 'partial']);

const unanswered = new Map(); // verb and job → the key of a request of which nobody knows whether it was done

/** Wire the buttons of the page of one job; `useAgain(job)` puts it into the form. */
export function setupActions(page, id, useAgain) {
  const on = (name, act) => $(`[data-${name}]`, page).addEventListener('click', ({ currentTarget: button }) => {
    const job = jobs.get(id);
    if (job && button.getAttribute('aria-busy') !== 'true') press(page, button, () => act(job), job);
  });
  on('again', useAgain);
  on('copy', (job) => copy(page, job));
  on('larger', async (job) => open(await once('larger', job, (key) => submitJob({ kind: 'upscale', inputs: [{ asset: job.assets[0].id }] }, key)), job));
  on('retry', async (job) => open(await once('retry', job, (key) => retryJob(job.id, key)), job));
  on('cancel', (job) => requestCancel(job.id));
  on('delete', remove);
}

const isShown = (job) => jobIn(location.href) === job.id;

/** One press at a time. What is refused is said on the job's page, or on the sheet when somebody has left it. */
async function press(page, button, act, job) {
  button.setAttribute('aria-busy', 'true');
  const box = $('[data-refusal]', page);
  showProblem(box, null);
  try {
    await act();
  } catch (error) {
    if (!box.isConnected) error.message = `${frameNumber(job)}: ${error.message}`;
    showProblem(box.isConnected ? box : $('#sheet-problem'), error);
  }
  button.removeAttribute('aria-busy');
}

/** Ask under a new key; after a lost answer under the same one, so that pressed again it is made, and paid, once. */
async function once(verb, job, ask) {
  const name = `${verb} ${job.id}`;
  const key = unanswered.get(name) ?? newKey();
  unanswered.delete(name);
  try {
    return await ask(key);
  } catch (error) {
    if (error instanceof Unreachable || error.status >= 500) unanswered.set(name, key);
    throw error;
  } finally {
    refreshBalance();
  }
}

export const paintActions = (page, job) => keepFocus($('.actions', page), $('#job-title', page), () => showActions(page, job));

function showActions(page, job) {
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
  show('retry', ANEW.has(job.status) || (job.status === 'pending' && job.started_at && job.queue_info?.due_at));
  setText($('[data-retry-word]', page), ended ? 'Try again' : 'Try now');
  show('cancel', !ended && !job.cancel_requested);
  show('delete', ended && !job.parent_id);
}

/** To the page of a job that an action made, unless somebody has gone on meanwhile. Where it is the same job, it was only
 * moved to the front. */
function open(made, before) {
  jobs.take(made);
  if (made.id === before.id) announce(jobs.isLive(made) ? `${frameNumber(made)} is tried now.` : `${frameNumber(made)} has ended already: ${made.status}.`);
  else if (isShown(before)) go(jobAddress(made.id));
  else announce(`${frameNumber(made)} was made from ${frameNumber(before)}.`);
}

async function copy(page, job) {
  await write(job.text, $('.written', page));
  const word = $('[data-copy-word]', page);
  setText(word, 'Copied');
  announce('The text is copied.');
  setTimeout(() => setText(word, 'Copy text'), COPIED_MS);
}

/** Browsers may keep the clipboard from pages, and without https they do; but not from what is selected. */
async function write(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch { /* refused, or there is none */ }
  getSelection().selectAllChildren(shown);
  if (!document.execCommand('copy')) throw Object.assign(new Error('The browser does not let this page copy.'), { remedy: 'The text is selected: copy it with Ctrl + C.' });
  getSelection().removeAllRanges();
}

async function remove(job) {
  const many = job.assets?.length > 1 && 'these pictures';
  const what = job.items ? `this batch of ${job.items.total}, with all that it made` : many || `this ${NAMES[job.kind] ?? 'picture'}`;
  if (!(await confirmed(`Delete ${what}?`, 'Its files go at once, and for good. What it cost stays in your ledger.', 'Delete'))) return;
  await deleteJob(job.id).catch((error) => {
    if (error.status !== 404) throw error; // it was deleted elsewhere meanwhile: as good
  });
  announce(`${frameNumber(job)} is deleted.`);
  if (isShown(job)) go(at(''));
  jobs.forget(job.id);
  refreshBalance();
}
