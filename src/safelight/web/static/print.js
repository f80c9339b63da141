/* One print: the picture, or the paper on which it develops. Shared by the contact sheet and the job page. */

import { badgeText, itemsInWords, ownPath, percent, sizeOf, stateWord, waitReason } from './format.js';
import { el, setText, setVar } from './dom.js';
import * as jobs from './jobs.js';

const MOST_SHOWN = 280;

/** An empty print; `large` shows the picture itself instead of its thumbnail. */
export function makePrint(large = false) {
  const print = el('span', 'print');
  const img = el('img');
  img.alt = '';
  img.decoding = 'async';
  if (!large) img.loading = 'lazy';
  img.hidden = true;
  const bar = el('span', 'progress');
  for (const [name, value] of Object.entries({ role: 'progressbar', 'aria-label': 'Progress', 'aria-valuemin': 0, 'aria-valuemax': 100 })) bar.setAttribute(name, value);
  print.append(img, el('span', 'reason'), el('span', 'badge'), bar);
  print.dataset.large = large ? 'yes' : 'no';
  return print;
}

/** Bring a print up to date with its job. `index` picks one of several assets. */
export function paintPrint(print, job, index = 0) {
  const [img, reason, badge, bar] = print.children;
  const asset = job.assets?.[index];
  const developing = job.status === 'processing';
  const large = print.dataset.large === 'yes';
  const { width, height } = asset ?? sizeOf(job);
  setVar(print, '--ratio', Math.min(2.4, Math.max(0.5, (width || 1) / (height || 1))).toFixed(4));
  setVar(print, '--developed', job.status === 'completed' ? 1 : (job.progress ?? 0).toFixed(3));
  print.dataset.status = job.status;

  show(img, job, asset, large);
  // The job page tells the reason in full beside the print.
  setText(reason, !img.hidden ? '' : large ? stateWord(job) : reasonFor(job));
  badge.hidden = img.hidden || asset?.ai_generated !== false;
  setText(badge, badgeText(job));
  bar.hidden = !developing;
  setVar(bar, '--done', `${percent(job)}%`);
  bar.setAttribute('aria-valuenow', percent(job));
}

function reasonFor(job) {
  if (job.items) return itemsInWords(job);
  switch (job.status) {
    case 'pending':
      return [stateWord(job), waitReason(job)].filter(Boolean).join(' · ');
    case 'failed':
      return job.error?.message ?? 'Failed; the server gave no reason.';
    case 'completed':
      return beginning(job.text) || 'No picture in this job.';
    default:
      return (job.status === 'processing' && beginning(job.text)) || stateWord(job);
  }
}

/** Whole words of it. */
function beginning(text) {
  const all = text ?? '';
  return all.length <= MOST_SHOWN ? all : `${all.slice(0, MOST_SHOWN).replace(/\s+\S*$/, '')}…`;
}

/** Show the job's picture, its preview, or nothing. Compared by asset, not by URL: signatures change with the hour. */
function show(img, job, asset, large) {
  const picture = asset?.mime.startsWith('image/') ? asset.url : undefined;
  const url = asset ? (large && picture) || asset.thumbnail_url || picture : job.preview?.url;
  const key = (url && asset?.id) ?? url ?? '';
  if (img.dataset.key === key) return;
  img.dataset.key = key;
  if (!url) {
    img.hidden = true;
    img.removeAttribute('src');
  } else if (!img.getAttribute('src')) {
    img.hidden = false;
    img.onerror = () => renew(img, job);
    img.src = ownPath(url);
  } else {
    // Swap only once the next picture is decoded: no blank frame in between.
    const next = new Image();
    next.src = ownPath(url);
    next.decode().then(() => { if (img.dataset.key === key) img.src = next.src; }, () => asset && renew(img, job));
  }
}

/** The picture did not load. A preview was replaced meanwhile; a signed URL may have expired: ask for a fresh one, once. */
async function renew(img, job) {
  img.hidden = true;
  img.removeAttribute('src');
  if (jobs.isLive(job) || img.dataset.renewed) return;
  img.dataset.renewed = 'yes';
  img.dataset.key = '';
  await jobs.ask(job.id).catch(() => {}); // without an answer the frame stays empty
}
