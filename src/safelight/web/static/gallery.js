/* The contact sheet: every job as a frame, newest first. Frames are keyed by job, so only what changed is touched. */

import { jobAddress } from './address.js';
import { cancelJob, listJobs } from './api.js';
import { $, announce, fromTemplate, keepFocus, setText, setVar, showProblem } from './dom.js';
import { exactTime, frameNumber, percent, shortTime, stateWord, titleOf } from './format.js';
import * as jobs from './jobs.js';
import { makePrint, paintPrint } from './print.js';
import { refreshBalance } from './quote.js';

const sheet = $('#sheet');
const older = $('#older');
const frames = new Map(); // job id → its <li>
let nextCursor;

export function setupGallery(onIdea) {
  jobs.onChange((ids) => {
    for (const id of ids) if (!jobs.get(id)) drop(id); // first: new frames look for their place among those that stay
    for (const job of [...ids].map(jobs.get)) if (job && !job.parent_id) paint(job); // items are shown with their batch
    count();
  });
  older.addEventListener('click', loadOlder);
  for (const idea of document.querySelectorAll('[data-idea]')) idea.addEventListener('click', () => onIdea(idea.textContent));
}

let pollFailed = false;

/** The first page says whether there is more; later ones only bring news. */
export function takePage(page, error) {
  if (error?.status || pollFailed) showProblem($('#sheet-problem'), error ?? null);
  pollFailed = Boolean(error?.status);
  if (!page) return;
  if (nextCursor === undefined) setCursor(page.nextCursor);
  $('#empty').hidden = page.jobs.length > 0 || frames.size > 0;
}

export const frameLink = (id) => (frames.has(id) ? $('.open', frames.get(id)) : null);

function setCursor(cursor) {
  nextCursor = cursor ?? null;
  older.hidden = !nextCursor;
}

async function loadOlder() {
  older.setAttribute('aria-busy', 'true');
  try {
    const page = await listJobs({ cursor: nextCursor });
    page.jobs.forEach(jobs.takeListed);
    setCursor(page.nextCursor);
    showProblem($('#sheet-problem'), null);
    announce(`${page.jobs.length} older jobs loaded.`);
  } catch (error) {
    showProblem($('#sheet-problem'), error);
  }
  older.removeAttribute('aria-busy');
}

function paint(job) {
  const frame = frames.get(job.id) ?? place(job);
  frame.dataset.status = job.status;
  const print = $('.print', frame);
  paintPrint(print, job);
  setVar(frame, '--ratio', print.style.getPropertyValue('--ratio'));
  setText($('.state', frame), onEdge(job));
  setText($('.caption', frame), titleOf(job));
  keepFocus(frame, $('.open', frame), () => { $('.cancel', frame).hidden = !jobs.isLive(job) || job.cancel_requested; });
}

/** Whose hand was on it goes on at its neighbour. */
function drop(id) {
  const frame = frames.get(id);
  if (!frame) return;
  const neighbour = frame.nextElementSibling ?? frame.previousElementSibling;
  const held = frame.contains(document.activeElement);
  frame.remove();
  frames.delete(id);
  if (held) (neighbour ? $('.open', neighbour) : $('#sheet-title')).focus();
}

function onEdge(job) {
  if (job.status === 'completed') return shortTime(job.finished_at);
  return job.status === 'processing' && !job.cancel_requested ? `${percent(job)} %` : stateWord(job);
}

/** A new frame, put where its age belongs. */
function place(job) {
  const frame = fromTemplate('frame-template').firstElementChild;
  frame.dataset.id = job.id;
  const link = $('.open', frame);
  link.href = jobAddress(job.id);
  link.title = `${titleOf(job)}\n${exactTime(job.created_at)}`;
  $('.rebate', frame).after(makePrint());
  setText($('.number', frame), frameNumber(job));
  const cancel = $('.cancel', frame);
  cancel.setAttribute('aria-label', `Cancel ${frameNumber(job)}: ${titleOf(job)}`);
  cancel.addEventListener('click', () => requestCancel(job.id).then(() => null, (error) => error).then((error) => showProblem($('#sheet-problem'), error)));
  const follower = [...sheet.children].find((other) => jobs.newestFirst(job, jobs.get(other.dataset.id)) < 0);
  sheet.insertBefore(frame, follower ?? null);
  frames.set(job.id, frame);
  $('#empty').hidden = true;
  return frame;
}

function count() {
  const live = jobs.liveJobs();
  const developing = live.filter((job) => job.status === 'processing').length;
  const parts = [];
  if (developing) parts.push(`${developing} developing`);
  if (live.length > developing) parts.push(`${live.length - developing} waiting`);
  setText($('#counts'), parts.join(' · '));
}

/** Ask the server to cancel a job; what it answers is the news. */
export async function requestCancel(id) {
  jobs.take((await cancelJob(id)).job);
  refreshBalance();
}
