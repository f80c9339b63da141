/* What the diagnosis tells whoever made a job: why it waits, or why it failed. Asked for beside the job's own page. */

import { getWhy } from './api.js';
import { $, setText } from './dom.js';
import { shortTime } from './format.js';

const AFTER_MS = 3_000; // most jobs have begun by then
const AGAIN_MS = 10_000; // as often as it is asked where a waiting job stands
const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const told = new Map(); // id → { at, status, voice }

/** Put it on the page, and ask anew where it is old; `repaint` is called when there is something new to say. */
export function paintWhy(page, job, repaint) {
  setText($('[data-why]', page), said(job));
  if (isDue(job)) ask(job, repaint);
}

function isDue(job) {
  const last = told.get(job.id);
  if (job.status === 'failed') return last?.status !== 'failed';
  if (job.status !== 'pending' || Date.now() - new Date(job.created_at) < AFTER_MS) return false;
  return last?.status !== 'pending' || Date.now() - last.at >= AGAIN_MS;
}

async function ask({ id, status }, repaint) {
  const before = told.get(id)?.status === status ? told.get(id).voice : '';
  told.set(id, { at: Date.now(), status, voice: before });
  const why = await getWhy(id).catch(() => null); // the page has the job's own words meanwhile
  if (!why || why.job.status !== status) return;
  told.set(id, { at: Date.now(), status, voice: why.voices.user });
  if (why.voices.user !== before) repaint();
}

/** Of a failure only what its own message and remedy do not say already. */
function said(job) {
  const last = told.get(job.id);
  if (!last || last.status !== job.status) return '';
  const shown = job.status === 'failed' ? [job.error?.message, job.error?.remedy] : [];
  return shown.reduce((text, part) => (part ? text.replace(part, '') : text), last.voice).replace(MOMENT, (at) => shortTime(at)).replace(/\s+/g, ' ').trim();
}
