/* Wires the parts together: views, news, title, shortcuts. */

import { at } from './address.js';
import { $, announce, setText } from './dom.js';
import { frameNumber } from './format.js';
import { fillForm, loadModels, setupForm, wish } from './form.js';
import { frameLink, setupGallery, takePage } from './gallery.js';
import * as jobs from './jobs.js';
import { closeJob, openJob } from './jobpage.js';
import * as live from './live.js';
import { setupLongWaits } from './longwaits.js';
import { refreshBalanceSoon } from './quote.js';
import * as router from './router.js';
import { setupSignIn, signedOut } from './signin.js';

let shownJob = null;
let sheetScroll = 0;

function view(jobId, previous) {
  if (jobId && !previous) sheetScroll = scrollY;
  shownJob = jobId;
  $('#studio').hidden = Boolean(jobId);
  if (jobId) openJob(jobId, useAgain);
  else {
    closeJob();
    scrollTo(0, sheetScroll);
    if (previous) (frameLink(previous) ?? frameLink(jobs.get(previous)?.parent_id) ?? $('#sheet-title')).focus({ preventScroll: true });
  }
  showTitle();
}

/** What is asked for is read first: only what is there, for somebody who still wants it, takes the form's place. */
async function useAgain(job) {
  const wanted = await wish(job);
  if (shownJob !== job.id) return;
  sheetScroll = 0;
  router.go(at(''));
  fillForm(wanted);
}

function showTitle() {
  if (signedOut()) return;
  const running = jobs.liveJobs().length;
  const name = (shownJob && jobs.get(shownJob)?.prompt?.slice(0, 60)) || '';
  document.title = `${running ? `(${running}) ` : ''}${name ? `${name} · ` : ''}Safelight`;
  document.documentElement.dataset.lamp = running ? 'on' : 'off'; // the lamp glows while something develops
}

const CONNECTION = {
  live: '',
  polling: 'Live updates were cut off. Asking the server every two seconds until they are back.',
  lost: 'The server cannot be reached. What was submitted is safe there; trying again every two seconds.',
};

function showConnection(state) {
  const banner = $('#connection');
  banner.hidden = state === 'live';
  setText(banner, CONNECTION[state]);
}

/* Endings and retries are spoken; each percent is not. With an ending credits come back, or are spent. */
const spoken = new Map();

function speak(ids) {
  for (const id of ids) {
    const job = jobs.get(id);
    if (!job || (job.parent_id && id !== shownJob)) continue; // its batch speaks for an item
    const before = spoken.get(id);
    spoken.set(id, job.status);
    if (!before || before === job.status) continue;
    const what = { processing: 'started', pending: 'will be tried again' }[job.status] ?? job.status;
    announce(`${frameNumber(job)} ${what}.`);
    if (!jobs.isLive(job)) refreshBalanceSoon();
  }
}

const MOVED_BY_ARROWS = '.across, video'; // they scroll, and wind: their keys are not the page's

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (signedOut() || $('dialog[open]')) return;
  const typing = event.target.matches?.('input, textarea, select');
  if (event.key === 'Escape' && shownJob) router.go(at(''));
  else if (typing) return;
  else if (event.key === '/') {
    event.preventDefault();
    if (shownJob) router.go(at(''));
    $('#prompt').focus();
  } else if (shownJob && !event.shiftKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight') && !event.target.closest?.(MOVED_BY_ARROWS)) {
    const neighbour = $(event.key === 'ArrowLeft' ? '[data-newer]' : '[data-older]');
    if (neighbour && !neighbour.hidden) router.go(neighbour.href);
  }
}

/** Somebody has signed in: what was refused is asked again, and the hand goes on where it was. */
function enter() {
  loadModels();
  live.again();
  if (shownJob) openJob(shownJob, useAgain);
  else $('#prompt').focus();
  showTitle();
}

setupForm();
setupGallery((idea) => {
  $('#prompt').value = idea;
  $('#prompt').focus();
});
setupLongWaits();
jobs.onChange((ids) => {
  showTitle();
  speak(ids);
});
document.addEventListener('keydown', onKey);
live.start({ connection: showConnection, page: takePage });
router.start(view);
setupSignIn(enter);
