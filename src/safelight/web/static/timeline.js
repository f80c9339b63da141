/* The story of a job, from submit to the end. */

import { $, changed, el } from './dom.js';
import { exactTime, seconds, shortTime } from './format.js';

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

/** Whether an event is part of the story. */
export const isChapter = ({ type }) => type in CHAPTERS;

export function paintTimeline(page, job, story) {
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

/** Stored events; the job's own times fill in while they are on their way, or when they were pruned. */
function chapters(job, story) {
  const known = [['job.submitted', job.created_at], ['job.started', job.started_at], [`job.${job.status}`, job.finished_at]];
  const missing = known.filter(([type, at]) => at && !story.some((event) => event.type === type));
  return [...story, ...missing.map(([type, at]) => ({ type, at }))]
    .sort((a, b) => (a.at === b.at ? (a.sequence ?? 0) - (b.sequence ?? 0) : a.at < b.at ? -1 : 1));
}

function noteOf({ type, payload = {} }) {
  if (type === 'job.started') return payload.attempt > 1 ? `Attempt ${payload.attempt}` : '';
  if (type === 'job.retrying' || type === 'job.requeued') return payload.reason ?? '';
  return type === 'job.cancel_requested' || type === 'job.canceled' ? payload.message ?? '' : '';
}
