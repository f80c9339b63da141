/* One job in full: the picture, what was asked, what it cost, and its story from submit to the end. */

import { paintActions, setupActions } from './actions.js';
import { jobAddress } from './address.js';
import { getJob } from './api.js';
import { $, changed, el, fromTemplate, setText, showProblem } from './dom.js';
import { paintFacts } from './facts.js';
import { frameNumber, longWait, percent, stateWord, titleOf, waitReason } from './format.js';
import { allItems, itemsOf, paintItems } from './items.js';
import * as jobs from './jobs.js';
import { follow } from './live.js';
import { isChapter, paintTimeline } from './timeline.js';
import { paintTray } from './tray.js';
import { paintWhy } from './why.js';

const page = $('#job');
const LINE_MS = 10_000; // how often it is asked where a waiting job stands: streams do not tell
let leave = () => {};

/** Show a job; `useAgain(job)` is called by its button. */
export async function openJob(id, useAgain) {
  closeJob();
  page.replaceChildren(fromTemplate('job-template'));
  page.hidden = false;
  setupActions(page, id, useAgain);

  const story = new Map(); // sequence → stored event; a reconnect tells old ones again
  const repaint = () => {
    const job = leave === mine && jobs.get(id);
    if (!job) return;
    paint(job, [...story.values()]);
    paintWhy(page, job, repaint);
  };
  const hear = (ids) => {
    if (!ids.has(id)) return;
    if (!jobs.get(id)) paintDeleted();
    else if (page.dataset.missing) openJob(id, useAgain); // now it can be shown
    else repaint();
  };
  const stops = [jobs.onChange(hear)];
  const again = setInterval(() => jobs.get(id)?.status === 'pending' && jobs.ask(id).catch(() => {}), LINE_MS);
  stops.push(() => clearInterval(again));
  const mine = () => stops.forEach((stop) => stop());
  leave = mine;
  repaint();
  $('#job-title').focus({ preventScroll: true });
  scrollTo(0, 0);

  try {
    jobs.take(await getJob(id));
  } catch (error) {
    if (error.status === 404) jobs.forget(id);
    if (leave === mine && !jobs.get(id)) paintMissing(error);
    return;
  }
  if (leave !== mine) return; // someone went on to another page meanwhile
  stops.push(follow(id, (event) => {
    if (!isChapter(event)) return;
    story.set(event.sequence, event);
    repaint();
  }));
  const batch = jobs.get(id)?.parent_id;
  if (!batch || itemsOf(batch).length) return;
  await allItems(batch).catch(() => {}); // without them the page has no neighbours
  if (leave === mine) repaint();
}

export function closeJob() {
  leave();
  leave = () => {};
  page.hidden = true;
  delete page.dataset.missing;
  page.replaceChildren();
}

function paintDeleted() {
  page.replaceChildren(fromTemplate('job-template'));
  paintMissing({ status: 404, message: 'It is not there any more: it was deleted.' });
  $('#job-title').focus({ preventScroll: true });
}

function paintMissing(error) {
  page.dataset.missing = 'yes';
  setText($('#job-title', page), error.status === 404 ? 'No such picture' : 'The picture cannot be shown');
  showProblem($('[data-error]', page), error);
  for (const part of page.querySelectorAll('.tray, .actions, .neighbours, .facts h2')) part.hidden = true;
}

function paint(job, story) {
  setText($('.number', page), frameNumber(job));
  setText($('.state', page), [stateWord(job), job.status === 'processing' ? `${percent(job)} %` : waitReason(job)].filter(Boolean).join(' · '));
  setText($('#job-title', page), titleOf(job));
  paintFailure(job);
  setText($('[data-wait]', page), longWait(job));
  paintTray(page, job);
  paintText(job);
  paintItems(page, job);
  paintWarnings(job.warnings ?? []);
  paintActions(page, job);
  paintNeighbours(job);
  paintFacts(page, job);
  paintTimeline(page, job, story);
}

function paintText(job) {
  const written = $('.written', page);
  $('.tray', page).hidden = job.kind === 'text' || Boolean(job.items);
  written.hidden = job.kind !== 'text';
  written.dataset.status = job.status;
  setText(written, job.text ?? '');
}

/** Once: an alert that is written anew is read out anew. */
function paintFailure(job) {
  const box = $('[data-error]', page);
  const error = job.status === 'failed' ? failure(job.error) : null;
  if (changed(box, error)) showProblem(box, error);
}

/** A job's error as a problem: our words first, then the provider's own, which often say more. */
function failure(error) {
  if (!error) return { message: 'Failed; the server gave no reason.' };
  const request = error.provider_request_id && `request ${error.provider_request_id}`;
  const who = [error.provider, error.provider_code, request].filter(Boolean).join(', ');
  return { ...error, quote: error.provider_message ? `${who || 'The provider'}: ${error.provider_message}` : '' };
}

function paintWarnings(warnings) {
  const list = $('[data-warnings]', page);
  list.hidden = !warnings.length;
  list.replaceChildren(...warnings.map((warning) => el('li', '', warning.message)));
}

function paintNeighbours(job) {
  const parent = $('[data-parent]', page);
  parent.hidden = !job.parent_id;
  if (job.parent_id) parent.href = jobAddress(job.parent_id);
  const order = job.parent_id ? itemsOf(job.parent_id) : jobs.all().filter((other) => !other.parent_id).map(({ id }) => id);
  const [left, right] = job.parent_id ? ['Previous', 'Next'] : ['Newer', 'Older'];
  const at = order.indexOf(job.id);
  for (const [anchor, word, id] of [[$('[data-newer]', page), left, order[at - 1]], [$('[data-older]', page), right, at < 0 ? null : order[at + 1]]]) {
    anchor.hidden = !id;
    setText(anchor, word);
    if (id) anchor.href = jobAddress(id);
  }
}
