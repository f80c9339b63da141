/* A word above the sheet when jobs have waited for more than five minutes: how many, and what the oldest waits for. It is
   spoken when there are more of them or the cause is another; not each time its estimate moves. */

import { $, announce, changed, setText } from './dom.js';
import { amount, waitsLong, whyItWaits } from './format.js';
import * as jobs from './jobs.js';

const AGAIN_MS = 30_000;
let asked = { at: 0, id: null, why: '' };

export const setupLongWaits = () => jobs.onChange(look);

const waitLong = () => jobs.liveJobs().filter(waitsLong).sort(jobs.newestFirst);

function look() {
  const long = waitLong();
  const oldest = long.at(-1);
  if (oldest && (oldest.id !== asked.id || Date.now() - asked.at > AGAIN_MS)) ask(oldest.id);
  setText($('#long-waits'), oldest ? sentence(long.length) : '');
}

/** Lists do not tell what a job waits for: only it itself does. */
async function ask(id) {
  asked = { at: Date.now(), id, why: asked.id === id ? asked.why : '' };
  await jobs.ask(id).catch(() => {});
  const job = jobs.get(id);
  if (!job || asked.id !== id) return;
  asked.why = whyItWaits(job);
  look();
  if (changed($('#long-waits'), [waitLong().length, job.queue_info?.waiting_for])) announce($('#long-waits').textContent);
}

function sentence(count) {
  const waited = `${count === 1 ? 'One job has' : `${amount(count)} jobs have`} waited for more than five minutes.`;
  return asked.why ? `${waited} ${count === 1 ? asked.why : `The first: ${asked.why}`}` : waited;
}
