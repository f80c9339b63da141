/* One job in full: the picture, what was asked, what it cost, and its story from submit to the end. */

import { jobAddress } from './address.js';
import { getJob, newKey, submitJob } from './api.js';
import { $, el, fromTemplate, setText, showProblem } from './dom.js';
import { bytes, creditsSentence, exactTime, frameNumber, itemsInWords, ownPath, percent, seconds, shortTime, sizeOf, stateWord, titleOf, waitReason } from './format.js';
import { requestCancel } from './gallery.js';
import * as jobs from './jobs.js';
import { follow } from './live.js';
import { makePrint, paintPrint } from './print.js';
import { go } from './router.js';

const page = $('#job');
let leave = () => {};

/** Show a job; `useAgain(job)` is called by its button. */
export async function openJob(id, useAgain) {
  closeJob();
  page.replaceChildren(fromTemplate('job-template'));
  page.hidden = false;
  $('[data-again]', page).addEventListener('click', () => jobs.get(id) && useAgain(jobs.get(id)));
  const largerKey = newKey(); // pressed twice, or after a lost answer, it is made once
  $('[data-larger]', page).addEventListener('click', () => makeLarger(jobs.get(id), largerKey));
  $('[data-cancel]', page).addEventListener('click', () => requestCancel(id, $('[data-error]', page)));

  const story = new Map(); // sequence → stored event; a reconnect tells old ones again
  const repaint = () => jobs.get(id) && paint(jobs.get(id), [...story.values()]);
  const stops = [jobs.onChange((ids) => ids.has(id) && repaint())];
  const mine = () => stops.forEach((stop) => stop());
  leave = mine;
  repaint();
  $('#job-title').focus({ preventScroll: true });
  scrollTo(0, 0);

  try {
    jobs.take(await getJob(id));
  } catch (error) {
    if (leave === mine && !jobs.get(id)) paintMissing(error);
    return;
  }
  if (leave !== mine) return; // someone went on to another page meanwhile
  stops.push(follow(id, (event) => {
    if (!(event.type in CHAPTERS)) return;
    story.set(event.sequence, event);
    repaint();
  }));
}

export function closeJob() {
  leave();
  leave = () => {};
  page.hidden = true;
  page.replaceChildren();
}

function paintMissing(error) {
  setText($('#job-title', page), error.status === 404 ? 'No such picture' : 'The picture cannot be shown');
  showProblem($('[data-error]', page), error);
  for (const part of page.querySelectorAll('.tray, .actions, .neighbours, .facts h2')) part.hidden = true;
}

function paint(job, story) {
  setText($('.number', page), frameNumber(job));
  setText($('.state', page), [stateWord(job), job.status === 'processing' ? `${percent(job)} %` : waitReason(job)].filter(Boolean).join(' · '));
  setText($('#job-title', page), titleOf(job));
  if (job.status === 'failed') showProblem($('[data-error]', page), failure(job.error));
  paintPictures(job);
  paintText(job);
  paintWarnings(job.warnings ?? []);
  paintActions(job);
  paintNeighbours(job);
  paintParams(job);
  paintTimeline(job, story);
}

function paintPictures(job) {
  const tray = $('.tray', page);
  while (tray.children.length < Math.max(1, job.assets?.length ?? 0)) tray.append(makePrint(true));
  [...tray.children].forEach((print, index) => {
    paintPrint(print, job, index);
    $('img', print).alt = titleOf(job);
    paintFilm(print, job, job.assets?.[index]);
  });
}

/** A film plays over its poster. It is loaded when somebody starts it. */
function paintFilm(print, job, asset) {
  const film = $('video', print);
  if (!asset?.mime.startsWith('video/')) return film?.remove();
  if (film?.dataset.key === asset.id) return;
  film?.remove();
  const video = el('video');
  video.dataset.key = asset.id;
  Object.assign(video, { controls: true, loop: true, muted: true, playsInline: true, preload: 'none' });
  if (asset.thumbnail_url) video.poster = ownPath(asset.thumbnail_url);
  video.setAttribute('aria-label', titleOf(job));
  video.src = ownPath(asset.url);
  print.append(video);
}

function paintText(job) {
  const written = $('.written', page);
  $('.tray', page).hidden = job.kind === 'text';
  written.hidden = job.kind !== 'text';
  written.dataset.status = job.status;
  setText(written, job.text ?? '');
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

function paintActions(job) {
  const download = $('[data-download]', page);
  const asset = job.assets?.[0];
  download.hidden = !asset;
  if (asset) {
    download.href = ownPath(asset.url);
    download.download = `safelight-${job.id}.${asset.mime.split('/')[1]}`;
  }
  $('[data-larger]', page).hidden = !asset?.mime.startsWith('image/') || job.status !== 'completed';
  $('[data-cancel]', page).hidden = !jobs.isLive(job) || job.cancel_requested;
}

/** A job of its own that starts from this picture; the server picks who does it. */
async function makeLarger(job, key) {
  try {
    const larger = await submitJob({ kind: 'upscale', inputs: [{ asset: job.assets[0].id }] }, key);
    jobs.take(larger);
    go(jobAddress(larger.id));
  } catch (error) {
    showProblem($('[data-error]', page), error);
  }
}

const inputsInWords = (job) => (job.inputs ?? []).map(({ role, width, height }) => `${role}, ${width} × ${height}`).join('; ');

function paintNeighbours(job) {
  const order = jobs.all();
  const at = order.findIndex((other) => other.id === job.id);
  for (const [anchor, other] of [[$('[data-newer]', page), order[at - 1]], [$('[data-older]', page), order[at + 1]]]) {
    anchor.hidden = !other;
    if (other) anchor.href = jobAddress(other.id);
  }
}

function paintParams(job) {
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

/** Whether a list has to be rebuilt: a needless rebuild would lose a text selection in it. */
function changed(list, facts) {
  const before = list.dataset.key;
  list.dataset.key = JSON.stringify(facts);
  return list.dataset.key !== before;
}

const CHAPTERS = {
  'job.submitted': 'Submitted',
  'job.started': 'Started',
  'job.retrying': 'Failed, will try again',
  'job.requeued': 'Handed back to the queue',
  'job.cancel_requested': 'Cancel asked for',
  'job.completed': 'Completed',
  'job.failed': 'Failed',
  'job.canceled': 'Canceled',
  'job.partial': 'Ended with a part of the pictures',
};

/** Stored events; the job's own times fill in while they are on their way, or when they were pruned. */
function chapters(job, story) {
  const known = [['job.submitted', job.created_at], ['job.started', job.started_at], [`job.${job.status}`, job.finished_at]];
  const missing = known.filter(([type, at]) => at && !story.some((event) => event.type === type));
  return [...story, ...missing.map(([type, at]) => ({ type, at }))]
    .sort((a, b) => (a.at === b.at ? (a.sequence ?? 0) - (b.sequence ?? 0) : a.at < b.at ? -1 : 1));
}

function noteOf({ type, payload = {} }) {
  if (type === 'job.started') return payload.attempt > 1 ? `Attempt ${payload.attempt}` : '';
  return type === 'job.retrying' || type === 'job.requeued' ? payload.reason ?? '' : '';
}

function paintTimeline(job, story) {
  const list = $('[data-timeline]', page);
  const lines = chapters(job, story);
  if (!changed(list, lines.map(({ type, at }) => type + at))) return;
  list.replaceChildren(...lines.map((line, n) => {
    const item = el('li');
    item.dataset.type = line.type;
    const time = el('time', 'mono', n ? `+${seconds(new Date(line.at) - new Date(lines[n - 1].at))}` : shortTime(line.at));
    time.dateTime = line.at;
    time.title = exactTime(line.at);
    item.append(el('span', '', CHAPTERS[line.type]), time, el('span', 'aside', noteOf(line)));
    return item;
  }));
}
